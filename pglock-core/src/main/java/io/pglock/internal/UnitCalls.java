// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import io.pglock.LockMode;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** What a guard asks and does on the connection of its unit, besides timeouts. Stateless. Not API. */
public final class UnitCalls {

    /** A lock that the unit took. */
    public record Taken(String relation, String mode) {

        static Taken of(ResultSet row) throws SQLException {
            String mode = row.getString(2);
            return new Taken(
                    row.getString(1),
                    LockMode.ofPgLocks(mode).map(LockMode::sql).orElse(mode));
        }
    }

    private UnitCalls() {}

    /** Back to {@link Sql#UNIT_SAVEPOINT}: undoes what was done since, and frees every lock that was taken since. */
    public static void rollBack(PgSession session) throws SQLException {
        Pipeline.run(session, Sql.UNIT_ROLLBACK, Pipeline.NOTHING);
    }

    /** Releases {@link Sql#UNIT_SAVEPOINT}; false where there is none any more, and then no harm is done. */
    public static boolean release(PgSession session) {
        if (!session.inTransaction() || session.inFailedTransaction()) {
            return false;
        }
        try {
            Pipeline.run(session, Sql.trying(Sql.UNIT_RELEASE), Pipeline.NOTHING);
            return true;
        } catch (SQLException e) {
            Failures.makeUpFor(e, () -> Failures.rollBackToSavepoint(session));
            return false;
        }
    }

    /** Whether the transaction that goes on holds what others may have to wait for, and would during a pause; one round trip. */
    public static boolean holdsLocks(PgSession session) throws SQLException {
        return Pipeline.query(
                        session, Sql.HELD_FROM_BEFORE, Pipeline.NOTHING, row -> Optional.ofNullable(row.getString(1)))
                .get(0)
                .isPresent();
    }

    public static Duration deadlockTimeout(PgSession session) throws SQLException {
        return session.withoutTransaction(() -> Pipeline.query(
                        session, Sql.DEADLOCK_TIMEOUT, Pipeline.NOTHING, row -> Duration.ofMillis(row.getLong(1)))
                .get(0));
    }

    /** Inside a healthy transaction only, which stays healthy; elsewhere there is nothing to see. */
    public static List<Taken> locksTaken(PgSession session) throws SQLException {
        if (!session.inTransaction() || session.inFailedTransaction()) {
            return List.of();
        }
        try {
            return Pipeline.query(session, Sql.undone(Sql.LOCKS_TAKEN), Pipeline.NOTHING, Taken::of);
        } catch (SQLException e) {
            Failures.makeUpFor(e, () -> Failures.rollBackToSavepoint(session));
            throw e;
        }
    }
}
