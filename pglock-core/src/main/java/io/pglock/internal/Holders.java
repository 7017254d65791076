// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** Who holds what a client has not got, and what it is like as a whole: for people. Used by the client's thread only. Not API. */
final class Holders {

    private static final int SHOWN = 5;

    private Holders() {}

    /** The end of "not acquired within 2s": who is in the way, in this JVM or elsewhere, and what to do. */
    static String inTheWayOf(LockRequest request, LockTable table, Optional<LockLink> link) {
        for (LockQueue queue : table.queuesOf(request.keys())) {
            if (!queue.holds().isEmpty() && !isItsOwn(request, queue)) {
                return ", " + onKey(request, queue) + "held in this JVM by "
                        + names(queue.holds().owners())
                        + (queue.waiters() > 0 ? ", with " + queue.waiters() + " waiting" : "")
                        + ". Try again when it is released, or wait longer.";
            }
        }
        if (link.isEmpty()) {
            return ": the client is not connected at present, and tries again for as long as somebody waits.";
        }
        List<LockQueue> itsOwn = table.queuesOf(request.keys()).stream()
                .filter(queue -> isItsOwn(request, queue))
                .toList();
        return request.keys().stream()
                .filter(key -> itsOwn.stream().noneMatch(queue -> queue.key().equals(key)))
                .map(key -> Blockers.ofKey(link.get().session(), key, request.isShared()))
                .filter(who -> request.keys().size() == 1 || !who.startsWith(". "))
                .findFirst()
                .orElse(". Nobody holds them any more: try again.");
    }

    /** Of several keys its owner may have some already. */
    private static boolean isItsOwn(LockRequest request, LockQueue queue) {
        return queue.isHeldBy(request.ownedBy(), request.isShared());
    }

    private static String onKey(LockRequest request, LockQueue queue) {
        return request.keys().size() == 1 ? "" : queue.key() + " is ";
    }

    /** {@code pglock-1, pid 4711: holds 2 of at most 1000 (a (1), b (2)), 1 waiting}. */
    static String describe(LockTable table, int mostLocks) {
        List<LockQueue> held = table.queues().stream()
                .filter(queue -> !queue.holds().isEmpty())
                .limit(SHOWN + 1)
                .toList();
        String some = held.stream()
                .limit(SHOWN)
                .map(queue -> queue.key() + " by " + names(queue.holds().owners()))
                .collect(Collectors.joining("; "));
        return "holds " + table.locks() + " of at most " + mostLocks
                + (held.isEmpty() ? "" : " (" + some + (held.size() > SHOWN ? "; ..." : "") + ")")
                + ", " + table.waiters() + " waiting";
    }

    private static String names(List<Owner> owners) {
        String names = owners.stream().limit(SHOWN).map(Owner::toString).collect(Collectors.joining(", "));
        return owners.size() > SHOWN ? names + " and " + (owners.size() - SHOWN) + " more" : names;
    }
}
