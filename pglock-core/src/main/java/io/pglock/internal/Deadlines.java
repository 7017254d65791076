// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.Queue;

/** When the time of those is over who have no thread to notice it. Used by the client's thread only. Not API. */
final class Deadlines {

    /** So few are not worth to be looked through. */
    private static final int FEW = 64;

    private final long patience;
    private final Queue<Deadline> queue =
            new PriorityQueue<>(Comparator.comparing(Deadline::at, (a, b) -> Long.signum(a - b)));

    /** When there are so many, those are left out that have ended before their time was over. */
    private int many = FEW;

    private record Deadline(LockRequest request, long at) {}

    /** @param patience for how long, in nanoseconds, the first answer is waited for beyond the timeout of a request */
    Deadlines(long patience) {
        this.patience = patience;
    }

    void add(LockRequest request, long now) {
        if (queue.size() >= many) {
            queue.removeIf(each -> each.request().isDone());
            many = Math.max(FEW, 2 * queue.size());
        }
        queue.add(new Deadline(request, now + request.left(now)));
    }

    /** Ends those whose time is over, and says which these are. */
    List<LockRequest> expired(long now) {
        List<LockRequest> expired = new ArrayList<>();
        while (!queue.isEmpty() && queue.element().at() - now <= 0) {
            LockRequest request = queue.remove().request();
            if (request.expire(now, patience)) {
                expired.add(request);
            } else if (!request.isDone()) {
                queue.add(new Deadline(request, now + patience));
            }
        }
        return expired;
    }

    /** How long it is until the next one, in nanoseconds. */
    long idleFor(long now) {
        return queue.isEmpty() ? Long.MAX_VALUE : queue.element().at() - now;
    }
}
