// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.watch;

import io.pglock.Backend;
import io.pglock.LockInfo;
import io.pglock.LockTree;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * What was seen at one moment. Immutable.
 *
 * @param tree who waited for whom
 * @param at when, by this machine's clock
 * @param locks the locks of the session whose details were looked at then
 */
record Sight(LockTree tree, Instant at, List<LockInfo> locks) {

    Sight {
        locks = List.copyOf(locks);
    }

    /** The same, with these locks. */
    Sight with(List<LockInfo> details) {
        return new Sight(tree, at, details);
    }

    /** Those of them that are this session's, or a parallel worker's of it: the details may be of somebody else by now. */
    List<LockInfo> locksOf(Backend session) {
        return locks.stream().filter(lock -> isOf(session, lock.backend())).toList();
    }

    private static boolean isOf(Backend session, Backend owner) {
        return Id.of(owner).equals(Id.of(session)) || owner.leaderPid().equals(Optional.of(session.pid()));
    }

    int waiting() {
        return (int) tree.stream().filter(node -> node.waitingFor().isPresent()).count();
    }

    boolean hasDeadlock() {
        return tree.stream().anyMatch(LockTree.Node::deadlocked);
    }

    /**
     * Which session it is, whatever it does meanwhile; or which prepared transaction.
     *
     * @param pid 0 for a prepared transaction
     * @param gid empty for a session
     */
    record Id(int pid, String gid) {

        static Id of(Backend session) {
            return new Id(session.pid(), session.preparedGid().orElse(""));
        }

        @Override
        public String toString() {
            return gid.isEmpty() ? "pid " + pid : "prepared transaction " + gid;
        }
    }
}
