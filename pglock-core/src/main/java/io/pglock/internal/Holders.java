// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import io.pglock.LockKey;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** Who holds what a client has not got, and what it is like as a whole: for people. Used by the client's thread only. Not API. */
final class Holders {

    /** The same where there is no server to ask. */
    static final String NOT_CONNECTED =
            ": the client is not connected at present, and tries again for as long as somebody waits.";

    private static final int SHOWN = 5;

    private Holders() {}

    /** The end of "not acquired within 2s", as far as it can be told without the server: who in this JVM is in the way, and what to do. */
    static Optional<String> inTheWayHere(LockRequest request, LockTable table) {
        return table.queuesOf(request.keys()).stream()
                .filter(queue -> !queue.holds().isEmpty() && !isItsOwn(request, queue) && !queue.isOpenTo(request))
                .map(queue -> ", " + onKey(request, queue) + "held in this JVM by "
                        + names(queue.holds().owners())
                        + (queue.waiters() > 0 ? ", with " + queue.waiters() + " waiting" : "")
                        + ". Try again when it is released, or wait longer.")
                .findFirst();
    }

    /** The keys of which the server has to say who is in the way. */
    static List<LockKey> elsewhere(LockRequest request, LockTable table) {
        List<LockKey> itsOwn = table.queuesOf(request.keys()).stream()
                .filter(queue -> isItsOwn(request, queue))
                .map(LockQueue::key)
                .toList();
        return request.keys().stream().filter(key -> !itsOwn.contains(key)).toList();
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
