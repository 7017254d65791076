// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import io.pglock.LockKey;
import io.pglock.PgLockException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.Executor;

/**
 * Everything that one client holds and waits for. It says what to ask of the server and learns what that answered; it does no
 * I/O and has no clock. Used by the client's thread only. Not API.
 */
final class LockTable {

    private final int mostLocks;
    private final Executor executor;

    private final Map<LockKey, LockQueue> queues = new HashMap<>();
    private final Set<LockQueue> changed = new LinkedHashSet<>();
    private final Set<LockQueue> waiting = new HashSet<>();
    private final List<LockSet> sets = new ArrayList<>();
    private final Queue<LockBatch.Token> tokens = new ArrayDeque<>();
    private final List<LockRelease> unconfirmed = new ArrayList<>();
    private long confirmBy;
    private final Deadlines deadlines;
    private final Set<LockQueue> planned = new HashSet<>();
    private String slots = "";

    /** When the first of those who wait is due. */
    private long nextTick = System.nanoTime();

    private Hold.Loss lastLoss = new Hold.Loss("The lock is not held any more.", null);
    private boolean unreachable;
    private long now;

    /**
     * @param mostLocks how many keys at most may be held or waited for
     * @param patience for how long, in nanoseconds, an answer is waited for beyond the timeout of a request
     * @param executor on what a loss is told
     */
    LockTable(int mostLocks, long patience, Executor executor) {
        this.mostLocks = mostLocks;
        this.deadlines = new Deadlines(patience);
        this.executor = executor;
    }

    /** @param slots how many locks the server has room for, as a sentence */
    void connected(String slots) {
        this.slots = slots;
        this.unreachable = false;
    }

    /** There is no session to be had for now: an answer too, for those who do not wait for ever. */
    void unreachable() {
        unreachable = true;
        queues.values().forEach(queue -> queue.notNow(now));
        sets.forEach(set -> set.notNow(now));
    }

    /** The moment of what happens at present. */
    long now() {
        return now;
    }

    /** It is this late now. */
    void at(long moment) {
        now = moment;
    }

    ClientHold hold(LockRequest request) {
        return new ClientHold(request, executor);
    }

    LockQueue queue(LockKey key) {
        return queues.computeIfAbsent(key, absent -> new LockQueue(this, absent));
    }

    void changed(LockQueue queue) {
        changed.add(queue);
    }

    /** The first of those that have changed, which counts as seen now. */
    private LockQueue nextChanged() {
        Iterator<LockQueue> first = changed.iterator();
        LockQueue queue = first.next();
        first.remove();
        return queue;
    }

    /** The server has got it back: the moment for those who wait for several. */
    void freed(LockQueue queue) {
        for (LockSet set : sets) {
            set.freed(queue.key());
        }
        changed(queue);
    }

    // ---- what owners want -------------------------------------------------------------------------------------------

    /** @param watched whether a thread waits that sees by itself when its time is over */
    void request(LockRequest request, boolean watched) {
        if (wouldBeTooMany(request)) {
            queues.values().removeIf(LockQueue::isIdle); // released a moment ago
        }
        if (wouldBeTooMany(request)) {
            request.fail(new PgLockException(tooMany(request)));
            return;
        }
        if (queuesOf(request.keys()).stream()
                .anyMatch(queue -> queue.wouldUpgrade(request.ownedBy(), request.isShared()))) {
            refuseUpgrade(request);
            return;
        }
        if (request.keys().size() == 1) {
            queue(request.key()).request(request, now);
        } else {
            sets.add(new LockSet(this, request));
        }
        if (unreachable) {
            request.notNow(now);
        }
        if (!watched && request.isTimed() && !request.isDone()) {
            deadlines.add(request, now);
        }
    }

    private boolean wouldBeTooMany(LockRequest request) {
        return queues.size() + request.keys().size() - queuesOf(request.keys()).size() > mostLocks;
    }

    private String tooMany(LockRequest request) {
        return request.key() + ": not acquired. This client holds or waits for " + queues.size()
                + " locks, and may have " + mostLocks + " (LockClient.Options.maxLocks). " + slots;
    }

    private void refuseUpgrade(LockRequest request) {
        if (request.isTry()) {
            request.notNow(now);
        } else {
            request.fail(
                    new IllegalStateException(request.key() + ": its owner holds it in shared mode, and would wait for"
                            + " himself to get it in exclusive mode. Release the shared lock first."));
        }
    }

    void givenUp(LockRequest request) {
        if (request.keys().size() == 1) {
            LockQueue queue = queues.get(request.key());
            if (queue != null) {
                queue.givenUp();
            }
        }
    }

    void release(ClientHold hold, LockRelease release) {
        for (LockKey key : hold.keys()) {
            queue(key).release(hold, release);
        }
    }

    /**
     * What is released inside this JVM only is so when the server has been heard of since: until then the session, and the lock,
     * may turn out to be gone.
     *
     * @param within how long the one who releases it may wait for that, in nanoseconds, so that it goes along with something else
     */
    void released(LockRelease release, long within) {
        long by = now + within;
        confirmBy = unconfirmed.isEmpty() ? by : earlier(confirmBy, by);
        unconfirmed.add(release);
    }

    /** The server was asked something after all that came before, and has answered. */
    void confirmed() {
        unconfirmed.forEach(LockRelease::done);
        unconfirmed.clear();
    }

    private static IllegalStateException notHeld() {
        return new IllegalStateException("The lock is not held any more.");
    }

    void token(LockBatch.Token token) {
        if (token.hold().isHeld()) {
            tokens.add(token);
        } else {
            token.reply().completeExceptionally(notHeld());
        }
    }

    // ---- what to ask of the server ----------------------------------------------------------------------------------

    /** Whether a session is needed. */
    boolean needsServer() {
        return !waiting.isEmpty() || !sets.isEmpty();
    }

    /** Where there is no session: keeps only what somebody waits for. */
    void prune() {
        while (!changed.isEmpty()) {
            LockQueue queue = nextChanged();
            queue.prune();
            settle(queue);
        }
        endSets();
    }

    /** Those that nobody waits for any more. */
    private void endSets() {
        sets.removeIf(set -> {
            boolean done = set.isDone(); // once: somebody may give up in between
            if (done) {
                set.end();
            }
            return done;
        });
    }

    /** What is to be done now; its answers come back here, before anything else. */
    LockBatch plan() {
        LockBatch batch = new LockBatch();
        planned.clear();
        for (int left = changed.size(); left > 0 && !batch.isFull(); left--) {
            plan(nextChanged(), batch);
        }
        if (!waiting.isEmpty() && nextTick - now <= 0) {
            planWaiting(batch);
        }
        endSets();
        sets.forEach(set -> set.plan(batch, now));
        planTokens(batch);
        if (batch.isEmpty() && !unconfirmed.isEmpty() && confirmBy - now <= 0) {
            batch.askForASignOfLife();
        }
        return batch;
    }

    /** One tick for all of them. */
    private void planWaiting(LockBatch batch) {
        nextTick = now + Pace.LONGEST_PAUSE;
        for (LockQueue queue : List.copyOf(waiting)) {
            if (queue.pace().isDue(now) && !batch.isFull()) {
                plan(queue, batch);
            } else {
                nextTick = earlier(nextTick, queue.pace().next(now));
            }
        }
    }

    private void plan(LockQueue queue, LockBatch batch) {
        if (planned.add(queue)) {
            queue.plan(batch, now);
        }
        settle(queue);
    }

    private void settle(LockQueue queue) {
        if (queue.waitsForServer()) {
            waiting.add(queue);
            nextTick = earlier(nextTick, queue.pace().next(now));
        } else {
            waiting.remove(queue);
        }
        if (queue.isIdle()) {
            queues.remove(queue.key(), queue);
        }
    }

    /** They stay here until they are answered, whatever becomes of the batch. */
    private void planTokens(LockBatch batch) {
        tokens.removeIf(token -> token.reply().isDone());
        for (LockBatch.Token token : tokens) {
            if (token.hold().isHeld()) {
                batch.add(token);
            } else {
                token.reply().completeExceptionally(notHeld());
            }
        }
    }

    /** Ends what was to end by now. */
    void expire() {
        deadlines.expired(now).forEach(this::givenUp);
    }

    /** When there is something to do, if nothing happens before; in nanoseconds from now. */
    long idleFor(long atMost, boolean connected) {
        long until = now + atMost;
        if (connected) {
            if (!changed.isEmpty() || !tokens.isEmpty()) {
                return 0;
            }
            if (!waiting.isEmpty()) {
                until = earlier(until, nextTick);
            }
            for (LockSet set : sets) {
                until = earlier(until, set.pace().next(now));
            }
        }
        if (!unconfirmed.isEmpty()) {
            until = earlier(until, confirmBy);
        }
        return Math.max(0, Math.min(until - now, deadlines.idleFor(now)));
    }

    private static long earlier(long one, long other) {
        return other - one < 0 ? other : one;
    }

    // ---- what happened to the session -------------------------------------------------------------------------------

    /** The session is gone: every lock is lost, and whoever waits goes on waiting. */
    void lost(Hold.Loss why) {
        lastLoss = why;
        for (LockQueue queue : List.copyOf(queues.values())) {
            queue.lost(why);
            changed(queue);
        }
        sets.forEach(LockSet::reset);
        tokens.forEach(token -> token.reply().completeExceptionally(notHeld()));
        tokens.clear();
        unconfirmed.forEach(release -> release.lost(why));
        unconfirmed.clear();
    }

    /** Why what is not here any more was lost. */
    Hold.Loss lastLoss() {
        return lastLoss;
    }

    /**
     * Takes over what the session really holds, after a statement that failed half-way.
     *
     * @param found what it holds
     * @param why what those are told whose lock is gone
     * @return what it holds for nobody, to be unlocked
     */
    LockBatch reconcile(Set<LockLink.Found> found, Hold.Loss why) {
        lastLoss = why;
        Set<LockLink.Found> superfluous = new HashSet<>(found);
        for (LockQueue queue : List.copyOf(queues.values())) {
            superfluous.removeAll(queue.found(found, why));
        }
        LockBatch unlocking = new LockBatch();
        for (LockLink.Found each : superfluous) {
            unlocking.add(LockOp.unlock(each.shared()), each.key(), yes -> {});
        }
        return unlocking;
    }

    /** Those who were to get it next, where it was asked for: one for each time. */
    void failFirst(Collection<LockBatch.Entry> failed, RuntimeException failure) {
        for (LockBatch.Entry entry : failed) {
            LockQueue queue = queues.get(entry.key());
            if (entry.op().isTry() && queue != null && queue.held() == LockQueue.Held.NOTHING) {
                queue.failFirst(failure);
                changed(queue);
            }
        }
    }

    /** Nobody who waits can be helped. */
    void failAll(RuntimeException failure) {
        for (LockQueue queue : List.copyOf(queues.values())) {
            queue.failAll(failure);
            changed(queue);
        }
        sets.forEach(set -> set.fail(failure));
    }

    /** The queues that are in use, for whoever wants to know. */
    Collection<LockQueue> queues() {
        return queues.values();
    }

    /** Those of these that are in use. */
    List<LockQueue> queuesOf(List<LockKey> keys) {
        return keys.stream().filter(queues::containsKey).map(queues::get).toList();
    }

    /** How many keys are held. */
    int locks() {
        return (int) queues.values().stream()
                .filter(queue -> !queue.holds().isEmpty())
                .count();
    }

    /** How many wait. */
    int waiters() {
        return queues.values().stream().mapToInt(LockQueue::waiters).sum() + sets.size();
    }
}
