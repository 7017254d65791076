// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import io.pglock.LockKey;
import java.util.List;

/**
 * A request for several keys: it gets all of them or none, in one statement, and holds nothing while it waits. So it never is
 * part of a deadlock, and never in the way of those who want one of them only; they do not queue behind it. Used by the client's
 * thread only. Not API.
 */
final class LockSet {

    private final LockTable table;
    private final LockRequest request;
    private final List<LockQueue> queues;
    private final Pace pace = new Pace();

    LockSet(LockTable table, LockRequest request) {
        this.table = table;
        this.request = request;
        this.queues = request.keys().stream().map(table::queue).toList();
        queues.forEach(queue -> queue.waitedForWithOthers(true));
    }

    boolean isDone() {
        return request.isDone();
    }

    /** Its keys are not waited for by it any more. */
    void end() {
        queues.forEach(queue -> queue.waitedForWithOthers(false));
    }

    void fail(RuntimeException failure) {
        request.fail(failure);
    }

    /** Waits for the first answer no longer than it said. */
    void notNow(long now) {
        request.notNow(now);
    }

    /** As if it had not been tried yet. */
    void reset() {
        pace.reset();
    }

    void freed(LockKey key) {
        if (request.keys().contains(key)) {
            pace.reset();
        }
    }

    /** When the server is to be asked for them. */
    Pace pace() {
        return pace;
    }

    void plan(LockBatch batch, long now) {
        if (!pace.isDue(now)) {
            return;
        }
        List<LockQueue> missing = queues.stream()
                .filter(queue -> !queue.isHeldBy(request.ownedBy(), request.isShared()))
                .toList();
        if (missing.isEmpty()) {
            grant(missing);
        } else if (!areFree(missing)) {
            notNow();
        } else {
            List<LockKey> keys = missing.stream().map(LockQueue::key).toList();
            batch.add(new LockBatch.Several(request, keys, () -> areFree(missing), yes -> {
                if (yes) {
                    grant(missing);
                } else {
                    notNow();
                }
            }));
            if (!pace.isFresh()) {
                missing.forEach(queue -> queue.announce(batch));
            }
        }
    }

    private static boolean areFree(List<LockQueue> queues) {
        return queues.stream().allMatch(queue -> queue.held() == LockQueue.Held.NOTHING);
    }

    private void grant(List<LockQueue> taken) {
        ClientHold hold = table.hold(request);
        for (LockQueue queue : queues) {
            if (taken.contains(queue)) {
                queue.takenWithOthers(hold, table.now());
            } else {
                queue.holds().add(hold);
            }
        }
        if (!request.grant(hold)) {
            hold.release();
            table.release(hold, new LockRelease(hold.keys().size()));
        }
    }

    private void notNow() {
        long now = table.now();
        request.notNow(now);
        pace.refused(now);
    }
}
