// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import io.pglock.internal.PgSession;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.IdentityHashMap;
import java.util.Optional;
import javax.sql.DataSource;
import org.postgresql.core.BaseConnection;

/**
 * The sessions that one unit uses, at once or one after the other, each watched while it is the unit's. They are the driver's
 * own connections: what wraps them is another for each borrower of a pool. Used by the unit's thread.
 */
final class UnitSessions {

    private final UnitWatch watch;

    /** Empty for one that nobody can watch. */
    private final IdentityHashMap<BaseConnection, Optional<PriorityScope>> known = new IdentityHashMap<>();

    UnitSessions(UnitWatch watch) {
        this.watch = watch;
    }

    /** Whether {@link #join} runs no statement on it. */
    boolean knows(Connection connection) {
        return session(connection)
                .filter(session -> !known.containsKey(session.physical()) && !session.hasFacts())
                .isEmpty();
    }

    /**
     * It is the unit's from here on. Nothing happens with one that is closed, or cannot be asked in its failed transaction.
     *
     * @throws LockNotSupportedException when it is not PostgreSQL's
     */
    void join(Connection connection, DataSource side) {
        PgSession session;
        try {
            session = PgSession.of(connection);
        } catch (LockNotSupportedException e) {
            throw e;
        } catch (PgLockException closed) {
            return;
        }
        Optional<PriorityScope> before = known.get(session.physical());
        if (before == null) {
            begin(session, side);
        } else {
            before.filter(scope -> scope.guarded().isApart()).ifPresent(watch::together);
        }
    }

    private void begin(PgSession session, DataSource side) {
        if (session.inFailedTransaction() && !session.hasFacts()) {
            return;
        }
        forgetTheClosed();
        known.put(session.physical(), watch.add(PgSession.of(session.physical()), side));
    }

    /** It is in other hands. */
    void leave(Connection connection) {
        session(connection)
                .flatMap(session -> known.getOrDefault(session.physical(), Optional.empty()))
                .ifPresent(scope -> scope.guarded().apart());
    }

    /** Except those that show what the unit will have to wait for. */
    private void forgetTheClosed() {
        known.entrySet().removeIf(entry -> {
            Optional<PriorityScope> scope = entry.getValue();
            boolean over = isClosed(entry.getKey())
                    && scope.filter(seen ->
                                    seen.guarded().gaveWay() || seen.guarded().isBlocked())
                            .isEmpty();
            if (over) {
                scope.ifPresent(watch::drop);
            }
            return over;
        });
    }

    private static boolean isClosed(Connection connection) {
        try {
            return connection.isClosed();
        } catch (SQLException e) {
            return true;
        }
    }

    /** Empty where there is none any more, or it is not PostgreSQL's. */
    private static Optional<PgSession> session(Connection connection) {
        try {
            return Optional.of(PgSession.of(connection));
        } catch (PgLockException e) {
            return Optional.empty();
        }
    }
}
