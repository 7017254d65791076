// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import io.pglock.LockKey;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * A request for several keys: it gets all of them or none, in one statement, and holds nothing while it waits. So it never is
 * part of a deadlock, and never in the way of those who want one of them only; they do not queue behind it. In shared mode it
 * joins those of this client who read. Used by the client's thread only. Not API.
 */
final class LockSet {

    private final LockTable table;
    private final LockRequest request;
    private final List<LockQueue> queues;
    private final Pace pace = new Pace();

    /** As they were when they were looked at last. */
    private Parts parts;

    LockSet(LockTable table, LockRequest request) {
        this.table = table;
        this.request = request;
        this.queues = request.keys().stream().map(table::queue).toList();
        this.parts = Parts.of(request, queues);
        queues.forEach(queue -> queue.waitedForWithOthers(request, true));
    }

    boolean isDone() {
        return request.isDone();
    }

    /** Its keys are not waited for by it any more. */
    void end() {
        queues.forEach(queue -> queue.waitedForWithOthers(request, false));
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
        parts = Parts.of(request, queues);
        if (!parts.areFree()) {
            notNow();
        } else if (parts.taken().stream().anyMatch(queue -> queue.isLeft(now))) {
            pace.refused(now);
        } else if (parts.taken().isEmpty() && parts.areOpen(now)) {
            grant();
        } else {
            ask(batch, now);
        }
    }

    private void ask(LockBatch batch, long now) {
        parts.joined().stream()
                .filter(queue -> !queue.mayJoin(request, now))
                .forEach(queue -> queue.askWhetherReadersMayEnter(batch, now));
        batch.add(new LockBatch.Several(request, this::isFreeNow, () -> parts.keys(), yes -> {
            if (yes) {
                grant();
            } else {
                notNow();
            }
        }));
        if (!pace.isFresh()) {
            parts.taken().forEach(queue -> queue.announce(batch));
        }
    }

    /** Others who read may have taken some of them meanwhile, or the server has said that nobody else is to come in. */
    private boolean isFreeNow() {
        parts = Parts.of(request, queues);
        return parts.areFree() && parts.areOpen(table.now());
    }

    /**
     * What its owner does not hold already.
     *
     * @param taken what the server has to be asked for
     * @param joined what others of this client read
     */
    private record Parts(LockRequest request, List<LockQueue> taken, List<LockQueue> joined) {

        static Parts of(LockRequest request, List<LockQueue> queues) {
            Map<Boolean, List<LockQueue>> missing = queues.stream()
                    .filter(queue -> !queue.isHeldBy(request.ownedBy(), request.isShared()))
                    .collect(Collectors.partitioningBy(queue -> queue.isOpenTo(request)));
            return new Parts(request, missing.getOrDefault(false, List.of()), missing.getOrDefault(true, List.of()));
        }

        List<LockKey> keys() {
            return taken.stream().map(LockQueue::key).toList();
        }

        boolean areFree() {
            return taken.stream().allMatch(queue -> queue.held() == LockQueue.Held.NOTHING);
        }

        boolean areOpen(long now) {
            return joined.stream().allMatch(queue -> queue.mayJoin(request, now));
        }
    }

    private void grant() {
        ClientHold hold = table.hold(request);
        for (LockQueue queue : queues) {
            if (parts.taken().contains(queue)) {
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
