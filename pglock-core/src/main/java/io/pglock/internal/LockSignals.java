// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import io.pglock.Backend;
import io.pglock.BlockedLock;
import io.pglock.Blocker;
import io.pglock.LockPolicy;
import io.pglock.Signal;
import io.pglock.Signalled;
import io.pglock.Signalled.Outcome;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Signals to what a {@link io.pglock.LockQuery} has found, in one reading or in several, from the session that asked. Not API. */
public final class LockSignals {

    /** A blocker, and who waits for it. */
    private record Target(Backend blocker, Set<Integer> waiters) {

        Target(Backend blocker) {
            this(blocker, new LinkedHashSet<>());
        }
    }

    private LockSignals() {}

    /** How one session is signalled. */
    @FunctionalInterface
    private interface Sending {
        Signalled send(Connection side, Signal how, Backend seen) throws SQLException;
    }

    /** To each of these, whom somebody has named. */
    public static List<Signalled> toSessions(PgSession session, Signal how, Collection<Backend> seen) {
        return toEach(session, how, seen, Signals::toSession);
    }

    /** To each of these, who hold or await a lock that is meant. */
    public static List<Signalled> toOwners(PgSession session, Signal how, Collection<Backend> seen) {
        return toEach(session, how, seen, Signals::toOwner);
    }

    /** To each session once, whatever number of its locks were found: a second cancel might hit its next statement. */
    private static List<Signalled> toEach(PgSession session, Signal how, Collection<Backend> seen, Sending sending) {
        Map<BlockerKey, Backend> sessions = new LinkedHashMap<>();
        seen.forEach(backend -> sessions.putIfAbsent(BlockerKey.of(backend), backend));
        try {
            List<Signalled> done = new ArrayList<>();
            for (Backend backend : sessions.values()) {
                done.add(sending.send(session.connection(), how, backend));
            }
            return List.copyOf(done);
        } catch (SQLException e) {
            throw Failures.exception("signalling", e);
        }
    }

    /** To each hard blocker once, on account of the first of those who still wait for it. */
    public static List<Signalled> toBlockers(PgSession session, Signal how, Collection<BlockedLock> blocked) {
        Map<BlockerKey, Target> targets = new LinkedHashMap<>();
        for (BlockedLock wait : blocked) {
            Backend waiter = wait.waiting().backend();
            for (Blocker blocker : wait.hardBlockers()) {
                targets.computeIfAbsent(BlockerKey.of(blocker.backend()), key -> new Target(blocker.backend()))
                        .waiters()
                        .add(waiter.leaderPid().orElse(waiter.pid()));
            }
        }
        try {
            Spared spared = spared(session, targets.values());
            List<Signalled> done = new ArrayList<>();
            for (Target target : targets.values()) {
                done.add(toBlocker(session, how, target, spared));
            }
            return List.copyOf(done);
        } catch (SQLException e) {
            throw Failures.exception("signalling", e);
        }
    }

    /** As where a watch signals: backups, and this JVM's own sessions as far as that can be told; in doubt they are its own. */
    private static Spared spared(PgSession session, Collection<Target> targets) throws SQLException {
        Set<Integer> own = new HashSet<>(OwnSessions.pids(session.facts().serverStart()));
        for (Target target : targets) {
            target.blocker()
                    .clientAddress()
                    .filter(client -> OwnSockets.contains(client) != OwnSockets.Answer.NOT_OURS)
                    .ifPresent(client -> own.add(target.blocker().pid()));
        }
        return new Spared(Set.copyOf(LockPolicy.defaults().protect()), own);
    }

    private static Signalled toBlocker(PgSession session, Signal how, Target target, Spared spared)
            throws SQLException {
        Signalled last = null;
        for (int waiter : target.waiters()) {
            last = Signals.toBlocker(session.connection(), how, target.blocker(), waiter, spared);
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
