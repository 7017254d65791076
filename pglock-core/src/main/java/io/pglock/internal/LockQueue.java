// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import io.pglock.LockKey;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ThreadLocalRandom;
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

    /** Passed on inside the JVM so many times, or for so long, before the server gets it back. */
    static final int MOST_PASSES = 8;

    static final long LONGEST_TURN = TimeUnit.MILLISECONDS.toNanos(50);

    static final long SHORTEST_PAUSE = TimeUnit.MILLISECONDS.toNanos(1);
    static final long LONGEST_PAUSE = TimeUnit.MILLISECONDS.toNanos(50);

    /** So long it may take until whoever has released a lock that was passed on knows that it was held until then. */
    private static final long CONFIRMED_WITHIN = TimeUnit.MILLISECONDS.toNanos(1);

    /** For how long readers are let in at most before it is asked again whether a writer waits elsewhere. */
    private static final long LONGEST_UNASKED = TimeUnit.SECONDS.toNanos(1);

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

    private final List<ClientHold> writer = new ArrayList<>(1);
    private final Map<Object, List<ClientHold>> readers = new HashMap<>(2);
    private final Queue<LockRequest> waiting = new ArrayDeque<>(2);
    private final List<LockRelease> releasing = new ArrayList<>(1);

    /** Of those who wait, how many do so no more, at most. */
    private int givenUp;

    /** Requests for several keys, this one among them. */
    private int several;

    private long turnBegan;
    private long readersMayEnterFor = LONGEST_TURN;
    private int passes;
    private boolean downgradeRefused;
    private boolean mustDrain;

    private long nextTry;
    private long pause;

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

    boolean isAnnounced() {
        return announced;
    }

    boolean isIdle() {
        return held == Held.NOTHING && !announced && waiting.isEmpty() && several == 0 && releasing.isEmpty();
    }

    /** Somebody waits, and it is for the server to grant it. */
    boolean waitsForServer() {
        return held == Held.NOTHING && !waiting.isEmpty();
    }

    /** When the server is to be asked next, as {@link System#nanoTime()} counts. */
    long nextTry(long now) {
        return pause == 0 ? now : nextTry;
    }

    /** Those that are nearly due come along with those that are. */
    boolean isDue(long now) {
        return pause == 0 || nextTry - now <= pause / 4;
    }

    int waiters() {
        return (int) waiting.stream().filter(request -> !request.isDone()).count();
    }

    boolean isHeldLocally() {
        return !writer.isEmpty() || !readers.isEmpty();
    }

    /** Who holds it here, for a message. */
    List<Object> owners() {
        List<Object> owners = new ArrayList<>(readers.keySet());
        writer.stream().limit(1).map(ClientHold::owner).forEach(owners::add);
        return owners;
    }

    List<ClientHold> holds() {
        List<ClientHold> holds = new ArrayList<>(writer);
        readers.values().forEach(holds::addAll);
        return holds;
    }

    // ---- requests ---------------------------------------------------------------------------------------------------

    /** Whether this owner needs nothing of the server for it, because he holds it already. */
    boolean isHeldBy(Object owner, boolean shared) {
        return isWriter(owner) || shared && readers.containsKey(owner);
    }

    private boolean isWriter(Object owner) {
        return !writer.isEmpty() && writer.get(0).owner().equals(owner);
    }

    /** A reader that wants to become the writer would wait for itself. */
    boolean wouldUpgrade(Object owner, boolean shared) {
        return !shared && !isWriter(owner) && readers.containsKey(owner);
    }

    void request(LockRequest request, long now) {
        if (isHeldBy(request.owner(), request.isShared()) || mayJoin(request, now)) {
            grant(request);
            return;
        }
        if (isHeldLocally() || waiting.stream().anyMatch(other -> !other.isDone())) {
            request.notNow(now);
        }
        if (!request.isDone()) {
            waiting.add(request);
        }
        table.changed(this);
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

    private boolean mayJoin(LockRequest request, long now) {
        return request.isShared()
                && !readers.isEmpty()
                && writer.isEmpty()
                && waiting.isEmpty()
                && !mustDrain
                && readersMayEnter(now);
    }

    /** @return false when nobody wants it any more */
    private boolean grant(LockRequest request) {
        ClientHold hold = table.hold(request);
        add(hold);
        if (request.grant(hold)) {
            return true;
        }
        remove(hold);
        return false;
    }

    void add(ClientHold hold) {
        if (hold.isShared()) {
            readers.computeIfAbsent(hold.owner(), owner -> new ArrayList<>(1)).add(hold);
        } else {
            writer.add(hold);
        }
    }

    /** @return whether it was there */
    private boolean remove(ClientHold hold) {
        if (!hold.isShared()) {
            return writer.remove(hold);
        }
        List<ClientHold> holds = readers.getOrDefault(hold.owner(), List.of());
        boolean removed = !holds.isEmpty() && holds.remove(hold);
        if (removed && holds.isEmpty()) {
            readers.remove(hold.owner());
        }
        return removed;
    }

    void release(ClientHold hold, LockRelease release) {
        if (!remove(hold)) {
            release.lost(table.lastLoss());
        } else if (isHeldBy(hold.owner(), true)) {
            release.done(); // he hears of a loss when he releases the last of them
        } else if (isHeldLocally()) {
            table.released(release, 0);
        } else {
            releasing.add(release);
        }
        table.changed(this);
    }

    /** A request for several keys waits for this one, or does so no more. */
    void waitedForWithOthers(boolean waits) {
        several += waits ? 1 : -1;
        table.changed(this);
    }

    // ---- what to ask of the server ----------------------------------------------------------------------------------

    /** Adds to the batch what is to be done for this key now, if anything. */
    void plan(LockBatch batch, long now) {
        prune();
        if (isHeldLocally()) {
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
        if (held == Held.EXCLUSIVE && writer.isEmpty() && !downgradeRefused) {
            batch.add(LockOp.DOWNGRADE, key, yes -> {
                if (yes) {
                    held = Held.SHARED;
                    admitReaders();
                } else {
                    downgradeRefused = true;
                }
            });
        } else if (writer.isEmpty() && isShared(waiting.peek()) && !mustDrain) {
            if (readersMayEnter(now)) {
                admitReaders();
            } else {
                planToAskForWriters(batch, now);
            }
        }
    }

    private boolean readersMayEnter(long now) {
        return now - turnBegan < readersMayEnterFor;
    }

    private void planToAskForWriters(LockBatch batch, long now) {
        batch.add(LockOp.IS_AWAITED, key, awaited -> {
            if (awaited || several > 0) {
                mustDrain = true;
            } else {
                turnBegan = now;
                readersMayEnterFor = Math.min(2 * readersMayEnterFor, LONGEST_UNASKED);
                admitReaders();
            }
        });
    }

    private static boolean isShared(@Nullable LockRequest request) {
        return request != null && request.isShared();
    }

    private void planAfterUse(LockBatch batch, long now) {
        boolean turnIsOver = mustDrain || passes >= MOST_PASSES || now - turnBegan >= LONGEST_TURN;
        if (!turnIsOver && held == Held.EXCLUSIVE && passOn()) {
            return;
        }
        LockRequest next = waiting.peek();
        batch.add(LockOp.unlock(held == Held.SHARED), key, this::unlocked);
        if (next == null) {
            return;
        }
        boolean shared = next.isShared();
        if (!turnIsOver) {
            passes++;
            batch.add(LockOp.tryIn(shared), key, yes -> tried(shared, yes, turnBegan));
        } else if (several == 0) {
            long lasted = now - turnBegan;
            batch.add(LockOp.tryUnlessAwaited(shared), key, yes -> {
                if (yes) {
                    beginTurn(table.now());
                }
                tried(shared, yes, turnBegan);
                if (!yes) {
                    leaveToOthers(lasted);
                }
            });
        } else {
            leaveToOthers(now - turnBegan);
        }
    }

    /** From one writer to the next: of that the server need not know. */
    private boolean passOn() {
        if (!grantWriter()) {
            return false;
        }
        passes++;
        releasing.forEach(release -> table.released(release, CONFIRMED_WITHIN));
        releasing.clear();
        return true;
    }

    private void unlocked(boolean yes) {
        held = Held.NOTHING;
        downgradeRefused = false;
        mustDrain = false;
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

    /** About as long as the turn was: whoever waits elsewhere looks that often by now. */
    private void leaveToOthers(long lasted) {
        long about = Math.min(LONGEST_PAUSE, Math.max(2 * SHORTEST_PAUSE, lasted));
        nextTry = table.now() + about + ThreadLocalRandom.current().nextLong(about / 2);
        pause = SHORTEST_PAUSE;
    }

    private void planToTake(LockBatch batch, long now) {
        if (!isDue(now)) {
            return;
        }
        boolean again = pause > 0;
        boolean shared = waiting.element().isShared();
        batch.add(LockOp.tryIn(shared), key, yes -> {
            if (yes) {
                beginTurn(table.now());
            }
            tried(shared, yes, turnBegan);
        });
        if (again) {
            announce(batch);
        }
    }

    private void beginTurn(long now) {
        turnBegan = now;
        passes = 0;
        readersMayEnterFor = LONGEST_TURN;
    }

    private void tried(boolean shared, boolean yes, long began) {
        if (yes) {
            turnBegan = began;
            held = shared ? Held.SHARED : Held.EXCLUSIVE;
            nextTry = 0;
            pause = 0;
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
            pause = Math.min(LONGEST_PAUSE, Math.max(SHORTEST_PAUSE, 2 * pause));
            nextTry = now + pause / 2 + ThreadLocalRandom.current().nextLong(pause / 2 + 1);
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
        if (!(granted.owner() instanceof Thread)) {
            waiting.removeIf(other -> !other.isDone() && other.owner().equals(granted.owner()) && grant(other));
        }
    }

    // ---- what happened to the session -------------------------------------------------------------------------------

    /** The server has granted it as one of several. */
    void takenWithOthers(ClientHold hold, long now) {
        held = hold.isShared() ? Held.SHARED : Held.EXCLUSIVE;
        beginTurn(now);
        add(hold);
    }

    /** The session is gone. Whoever waits goes on waiting. */
    void lost(Hold.Loss why) {
        for (ClientHold hold : holds()) {
            hold.lose(why);
        }
        writer.clear();
        readers.clear();
        releasing.forEach(release -> release.lost(why));
        releasing.clear();
        held = Held.NOTHING;
        announced = false;
        downgradeRefused = false;
        mustDrain = false;
        pause = 0;
        nextTry = 0;
    }

    /** What the server says after a statement that failed half-way. */
    void found(Held actual, boolean stillAnnounced, Hold.Loss why) {
        if (actual == Held.NOTHING && held != Held.NOTHING) {
            if (isHeldLocally()) {
                lost(why);
            } else {
                unlocked(true);
            }
        }
        held = actual;
        announced = stillAnnounced;
        table.changed(this);
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
        return key + ": " + held + ", " + holds().size() + " holds, " + waiters() + " waiting";
    }
}
