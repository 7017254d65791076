// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import io.pglock.internal.PgSession;
import java.lang.ref.WeakReference;
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

    private final IdentityHashMap<BaseConnection, Member> known = new IdentityHashMap<>();

    /**
     * A session of the unit.
     *
     * @param scope empty for one that nobody can watch
     * @param wrapper in which the unit got it the last time; a pool closes that before it lends the session to somebody else
     */
    private record Member(Optional<PriorityScope> scope, WeakReference<Connection> wrapper) {

        static Member of(Optional<PriorityScope> scope, Connection wrapper) {
            return new Member(scope, new WeakReference<>(wrapper));
        }

        void leave() {
            scope.ifPresent(left -> left.guarded().apart());
        }
    }

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
        Member before = known.get(session.physical());
        if (before == null) {
            begin(session, side);
        } else {
            known.put(session.physical(), Member.of(before.scope(), connection));
            before.scope().filter(scope -> scope.guarded().isApart()).ifPresent(watch::together);
        }
    }

    private void begin(PgSession session, DataSource side) {
        if (session.inFailedTransaction() && !session.hasFacts()) {
            return;
        }
        forgetTheClosed();
        known.put(
                session.physical(), Member.of(watch.add(PgSession.of(session.physical()), side), session.connection()));
    }

    /** It is in other hands; its wrapper may have been closed before. */
    void leave(Connection connection) {
        Optional<PgSession> open = session(connection);
        if (open.isPresent()) {
            Optional.ofNullable(known.get(open.get().physical())).ifPresent(Member::leave);
        } else {
            known.values().stream()
                    .filter(member -> member.wrapper().get() == connection)
                    .forEach(Member::leave);
        }
    }

    /** Except those that show what the unit will have to wait for. */
    private void forgetTheClosed() {
        known.entrySet().removeIf(entry -> {
            Optional<PriorityScope> scope = entry.getValue().scope();
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
