// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import io.pglock.Backend;
import io.pglock.BlockedLock;
import io.pglock.Blocker;
import io.pglock.Signal;
import io.pglock.Signalled;
import io.pglock.Signalled.Outcome;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Signals to what a {@link io.pglock.LockQuery} has found, from the session that asked. Not API. */
public final class LockSignals {

    private LockSignals() {}

    /** To each session once, whatever number of its locks were found. */
    public static List<Signalled> toSessions(PgSession session, Signal how, Collection<Backend> seen) {
        try {
            List<Signalled> done = new ArrayList<>();
            for (Backend backend : new LinkedHashSet<>(seen)) {
                done.add(Signals.toSession(session.connection(), how, backend));
            }
            return List.copyOf(done);
        } catch (SQLException e) {
            throw Failures.exception("signalling", e);
        }
    }

    /** To each hard blocker once, on account of the first of those who still wait for it. */
    public static List<Signalled> toBlockers(PgSession session, Signal how, Collection<BlockedLock> blocked) {
        Map<Backend, Set<Integer>> waiters = new LinkedHashMap<>();
        for (BlockedLock wait : blocked) {
            Backend waiter = wait.waiting().backend();
            for (Blocker blocker : wait.hardBlockers()) {
                waiters.computeIfAbsent(blocker.backend(), backend -> new LinkedHashSet<>())
                        .add(waiter.leaderPid().orElse(waiter.pid()));
            }
        }
        try {
            Spared spared =
                    new Spared(Set.of(), OwnSessions.pids(session.facts().serverStart()));
            List<Signalled> done = new ArrayList<>();
            for (Map.Entry<Backend, Set<Integer>> blocker : waiters.entrySet()) {
                done.add(toBlocker(session, how, blocker.getKey(), blocker.getValue(), spared));
            }
            return List.copyOf(done);
        } catch (SQLException e) {
            throw Failures.exception("signalling", e);
        }
    }

    private static Signalled toBlocker(
            PgSession session, Signal how, Backend blocker, Set<Integer> waiters, Spared spared) throws SQLException {
        Signalled last = null;
        for (int waiter : waiters) {
            last = Signals.toBlocker(session.connection(), how, blocker, waiter, spared);
            if (last.outcome() != Outcome.GONE) {
                return last;
            }
        }
        if (last == null) {
            throw new IllegalStateException("a blocker blocks somebody");
        }
        return last;
    }
}
