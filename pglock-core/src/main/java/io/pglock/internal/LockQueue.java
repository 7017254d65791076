// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import io.pglock.LockKey;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One key within one client: what the session holds of it, who of this JVM that is for, and who waits, first come first served.
 * To the server the client is one session, which takes each key once in a mode, however many share it.
 *
 * <p>A <em>turn</em> begins when the server grants the lock. Within it the lock is passed on inside the JVM; when that was done
 * often enough, or for long enough, it goes back to the server, and this client leaves it alone for a while if another one is
 * waiting. Used by the client's thread only. Not API.
 */
final class LockQueue {

    /** So long it may take until whoever has released a lock that was passed on knows that it was held until then. */
    private static final long CONFIRMED_WITHIN = TimeUnit.MILLISECONDS.toNanos(1);

    /** What the session holds. */
    enum Held {
        NOTHING,
        SHARED,
        EXCLUSIVE
    }

    private final LockTable table;
    private final LockKey key;
    private Held held = Held.NOTHING;
    private boolean announced;

    private final LocalHolds holds = new LocalHolds();
    private final Queue<LockRequest> waiting = new ArrayDeque<>(2);
    private final List<LockRelease> releasing = new ArrayList<>(1);

    /** Of those who wait, how many do so no more, at most. */
    private int givenUp;

    /** Requests for several keys, this one among them. */
    private int several;

    /** Those of them that want them for themselves alone. */
    private int severalWriters;

    private final Turn turn = new Turn();
    private final Pace pace = new Pace();

    /** Left to others: also by those who want it as one of several. */
    private final Pace severalPace = new Pace();

    private boolean downgradeRefused;

    LockQueue(LockTable table, LockKey key) {
        this.table = table;
        this.key = key;
    }

    LockKey key() {
        return key;
    }

    Held held() {
        return held;
    }

    boolean isIdle() {
        return held == Held.NOTHING && !announced && waiting.isEmpty() && several == 0 && releasing.isEmpty();
    }

    /** Somebody waits, and it is for the server to grant it. */
    boolean waitsForServer() {
        return held == Held.NOTHING && !waiting.isEmpty();
    }

    /** When the server is to be asked for it. */
    Pace pace() {
        return pace;
    }

    int waiters() {
        return (int) waiting.stream().filter(request -> !request.isDone()).count();
    }

    /** Who of this JVM holds it. */
    LocalHolds holds() {
        return holds;
    }

    /** The session holds nothing of it, but leaves it to whoever waits elsewhere. */
    boolean isLeft(long now) {
        return held == Held.NOTHING && !severalPace.isDue(now);
    }

    // ---- requests ---------------------------------------------------------------------------------------------------

    /** Whether this owner needs nothing of the server for it, because he holds it already. */
    boolean isHeldBy(Owner owner, boolean shared) {
        return holds.isWriter(owner) || shared && holds.isReader(owner);
    }

    /** A reader that wants to become the writer would wait for itself. */
    boolean wouldUpgrade(Owner owner, boolean shared) {
        return !shared && !holds.isWriter(owner) && holds.isReader(owner);
    }

    void request(LockRequest request, long now) {
        if (isHeldBy(request.ownedBy(), request.isShared()) || mayJoin(request, now)) {
            grant(request);
            return;
        }
        if (!isOpenTo(request) && (!holds.isEmpty() || waiting.stream().anyMatch(other -> !other.isDone()))) {
            request.notNow(now);
        }
        if (!request.isDone()) {
            waiting.add(request);
        }
        table.changed(this);
    }

    /**
     * Whether this reader comes in among those who read, or it is for the server to say whether he may: not even who does not want
     * to wait is sent away before that.
     */
    boolean isOpenTo(LockRequest request) {
        return request.isShared()
                && !holds.isEmpty()
                && !holds.hasWriter()
                && turn.isToBeAsked()
                && waiting.stream().allMatch(other -> other.isDone() || other.isShared());
    }

    /** Somebody has stopped waiting. */
    void givenUp() {
        givenUp++;
        if (2 * givenUp > waiting.size()) {
            waiting.removeIf(LockRequest::isDone);
            givenUp = 0;
        }
        table.changed(this);
    }

    /** Those who wait for the first answer no longer than they said. */
    void notNow(long now) {
        waiting.forEach(request -> request.notNow(now));
    }

    /** Whether he comes in among those who read, without a word to the server. */
    boolean mayJoin(LockRequest request, long now) {
        return request.isShared()
                && !holds.isEmpty()
                && !holds.hasWriter()
                && waiting.isEmpty()
                && turn.mayReadersEnter(now);
    }

    /** @return false when nobody wants it any more */
    private boolean grant(LockRequest request) {
        ClientHold hold = table.hold(request);
        holds.add(hold);
        if (request.grant(hold)) {
            return true;
        }
        holds.remove(hold);
        return false;
    }

    void release(ClientHold hold, LockRelease release) {
        if (!holds.remove(hold)) {
            release.lost(table.lastLoss());
        } else if (isHeldBy(hold.ownedBy(), hold.isShared())) {
            release.done(); // he hears of a loss when he releases the last of them
        } else if (!holds.isEmpty()) {
            table.released(release, 0);
        } else {
            releasing.add(release);
        }
        table.changed(this);
    }

    /** A request for several keys waits for this one, or does so no more. */
    void waitedForWithOthers(LockRequest request, boolean waits) {
        int more = waits ? 1 : -1;
        several += more;
        severalWriters += request.isShared() ? 0 : more;
        table.changed(this);
    }

    // ---- what to ask of the server ----------------------------------------------------------------------------------

    /** Adds to the batch what is to be done for this key now, if anything. */
    void plan(LockBatch batch, long now) {
        prune();
        if (!holds.isEmpty()) {
            planWhileHeld(batch, now);
        } else if (held != Held.NOTHING) {
            planAfterUse(batch, now);
        } else if (!waiting.isEmpty()) {
            planToTake(batch, now);
        }
        if (announced && waiting.isEmpty() && several == 0) {
            batch.add(LockOp.WITHDRAW, key, yes -> {
                announced = false;
                table.changed(this);
            });
        }
    }

    /** Lets other clients know that this one waits. */
    void announce(LockBatch batch) {
        if (!announced) {
            announced = true; // not twice in one batch
            batch.add(LockOp.ANNOUNCE, key, yes -> announced = yes);
        }
    }

    private void planWhileHeld(LockBatch batch, long now) {
        if (holds.hasWriter()) {
            return;
        }
        if (held == Held.EXCLUSIVE && !downgradeRefused) {
            batch.add(LockOp.DOWNGRADE, key, yes -> {
                if (yes) {
                    held = Held.SHARED;
                    admitReaders();
                } else {
                    downgradeRefused = true;
                    table.changed(this);
                }
            });
        } else if (isShared(waiting.peek()) && turn.mayReadersEnter(now)) {
            admitReaders();
        } else if (isShared(waiting.peek()) && turn.isToBeAsked()) {
            askWhetherReadersMayEnter(batch, now);
        }
    }

    /** Those who want several keys in shared mode are no reason to end the turn: they come in, too. */
    void askWhetherReadersMayEnter(LockBatch batch, long now) {
        batch.askWhetherAwaited(key, awaited -> {
            if (awaited || severalWriters > 0) {
                turn.hasToEnd();
                notNow(table.now());
            } else {
                turn.goesOn(now);
                admitReaders();
            }
        });
    }

    private static boolean isShared(@Nullable LockRequest request) {
        return request != null && request.isShared();
    }

    private void planAfterUse(LockBatch batch, long now) {
        boolean turnIsOver = turn.isOver(now);
        if (!turnIsOver && held == Held.EXCLUSIVE && passOn()) {
            return;
        }
        batch.add(LockOp.unlock(held == Held.SHARED), key, this::unlocked);
        if (turnIsOver) {
            planNextTurn(batch, now);
        } else if (!waiting.isEmpty()) {
            boolean shared = waiting.element().isShared();
            turn.passedOn();
            batch.add(LockOp.tryIn(shared), key, yes -> tried(shared, yes));
        }
    }

    /** First comes who waits elsewhere; but after a turn of those who want this key alone those who want several try once. */
    private void planNextTurn(LockBatch batch, long now) {
        long lasted = turn.lasted(now);
        LockRequest next = waiting.peek();
        if (several > 0 && !turn.isOfSeveral()) {
            if (next != null) {
                pace.leave(now, lasted);
            }
        } else if (next != null) {
            boolean shared = next.isShared();
            batch.add(LockOp.tryUnlessAwaited(shared), key, yes -> {
                turn.begin(table.now());
                tried(shared, yes);
                if (!yes) {
                    leave(lasted);
                }
            });
        } else if (several > 0) {
            batch.askWhetherAwaited(key, awaited -> {
                if (awaited) {
                    leave(lasted);
                }
            });
        }
    }

    private void leave(long lasted) {
        pace.leave(table.now(), lasted);
        severalPace.leave(table.now(), lasted);
    }

    /** From one writer to the next: of that the server need not know. */
    private boolean passOn() {
        if (!grantWriter()) {
            return false;
        }
        turn.passedOn();
        releasing.forEach(release -> table.released(release, CONFIRMED_WITHIN));
        releasing.clear();
        return true;
    }

    private void unlocked(boolean yes) {
        held = Held.NOTHING;
        downgradeRefused = false;
        if (yes) {
            released();
        } else {
            releasing.forEach(release -> release.lost(new Hold.Loss(
                    key
                            + ": was not held any more when it was to be released. Somebody called pg_advisory_unlock_all or"
                            + " DISCARD ALL on the session of this client.",
                    null)));
            releasing.clear();
        }
        table.freed(this);
    }

    private void released() {
        releasing.forEach(LockRelease::done);
        releasing.clear();
    }

    private void planToTake(LockBatch batch, long now) {
        if (!pace.isDue(now)) {
            return;
        }
        boolean again = !pace.isFresh();
        boolean shared = waiting.element().isShared();
        batch.add(LockOp.tryIn(shared), key, yes -> {
            turn.begin(table.now());
            tried(shared, yes);
        });
        if (again) {
            announce(batch);
        }
    }

    private void tried(boolean shared, boolean yes) {
        if (yes) {
            held = shared ? Held.SHARED : Held.EXCLUSIVE;
            pace.reset();
            if (shared) {
                admitReaders();
            } else {
                grantWriter();
            }
        } else {
            long now = table.now();
            waiting.removeIf(request -> {
                request.notNow(now);
                return request.isDone();
            });
            givenUp = 0;
            pace.refused(now);
        }
        table.changed(this);
    }

    /** The first in the queue, if it still wants the lock, and wants it for itself alone. */
    private boolean grantWriter() {
        while (!waiting.isEmpty() && !waiting.element().isShared()) {
            LockRequest next = waiting.remove();
            if (grant(next)) {
                downgradeRefused = false;
                grantToSameOwner(next);
                return true;
            }
        }
        return false;
    }

    /** All of them up to the first writer. */
    private void admitReaders() {
        while (isShared(waiting.peek())) {
            grant(waiting.remove());
        }
    }

    /** A thread waits for one thing at a time; other owners may have asked for more, which is theirs now. */
    private void grantToSameOwner(LockRequest granted) {
        if (!granted.ownedBy().isThread()) {
            waiting.removeIf(other -> !other.isDone() && other.ownedBy().equals(granted.ownedBy()) && grant(other));
        }
    }

    // ---- what happened to the session -------------------------------------------------------------------------------

    /** The server has granted it as one of several. */
    void takenWithOthers(ClientHold hold, long now) {
        held = hold.isShared() ? Held.SHARED : Held.EXCLUSIVE;
        severalPace.reset();
        turn.beginOfSeveral(now);
        holds.add(hold);
    }

    /** The session is gone. Whoever waits goes on waiting. */
    void lost(Hold.Loss why) {
        holds.all().forEach(hold -> hold.lose(why));
        holds.clear();
        releasing.forEach(release -> release.lost(why));
        releasing.clear();
        held = Held.NOTHING;
        announced = false;
        downgradeRefused = false;
        pace.reset();
        severalPace.reset();
    }

    /**
     * What the session really holds, after a statement that failed half-way.
     *
     * @return what of it belongs to this key
     */
    Set<LockLink.Found> found(Set<LockLink.Found> all, Hold.Loss why) {
        LockLink.Found exclusive = new LockLink.Found(key, false);
        LockLink.Found shared = new LockLink.Found(key, true);
        LockLink.Found announcement = new LockLink.Found(Sql.announcement(LockBatch.announcement(key)), true);
        Set<LockLink.Found> own = new HashSet<>();
        Held actual = Held.NOTHING;
        if (held == Held.EXCLUSIVE && all.contains(exclusive)) {
            own.add(exclusive);
            actual = Held.EXCLUSIVE;
        } else if (held != Held.NOTHING && all.contains(shared)) {
            own.add(shared);
            actual = Held.SHARED;
        }
        boolean stillAnnounced = announced && all.contains(announcement);
        if (stillAnnounced) {
            own.add(announcement);
        }
        if (actual == Held.NOTHING && held != Held.NOTHING) {
            if (holds.isEmpty()) {
                unlocked(true);
            } else {
                lost(why);
            }
        }
        held = actual;
        announced = stillAnnounced;
        table.changed(this);
        return own;
    }

    /** Forgets those at the head of the queue who want nothing any more. */
    void prune() {
        while (!waiting.isEmpty() && waiting.element().isDone()) {
            waiting.remove();
        }
    }

    /** Everybody who waits here. */
    void failAll(RuntimeException failure) {
        waiting.forEach(request -> request.fail(failure));
        waiting.clear();
    }

    /** Whoever would have been granted it next. */
    void failFirst(RuntimeException failure) {
        if (!waiting.isEmpty()) {
            waiting.remove().fail(failure);
        }
    }

    @Override
    public String toString() {
        return key + ": " + held + ", " + holds.all().size() + " holds, " + waiters() + " waiting";
    }
}
