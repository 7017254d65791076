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

    /**
     * To be called when everything is undone, before nothing is done for a while.
     *
     * @return what is still held that others may have to wait for; empty if nothing is
     */
    public static Optional<String> beginPause(PgSession session) throws SQLException {
        if (!session.inTransaction()) {
            return Optional.empty();
        }
        List<Optional<String>> held =
                Pipeline.query(session, Sql.PAUSE_BEGIN, Pipeline.NOTHING, row -> Optional.ofNullable(row.getString(1)));
        return held.get(0);
    }

    public static void endPause(PgSession session) throws SQLException {
        if (session.inTransaction()) {
            Pipeline.run(session, Sql.PAUSE_END, Pipeline.NOTHING);
        }
    }

    public static Duration deadlockTimeout(PgSession session) throws SQLException {
        return Pipeline.query(
                        session, Sql.DEADLOCK_TIMEOUT, Pipeline.NOTHING, row -> Duration.ofMillis(row.getLong(1)))
                .get(0);
    }

    /** Inside a healthy transaction only; elsewhere there is nothing to see. */
    public static List<Taken> locksTaken(PgSession session) throws SQLException {
        return session.inTransaction() && !session.inFailedTransaction()
                ? Pipeline.query(session, Sql.LOCKS_TAKEN, Pipeline.NOTHING, Taken::of)
                : List.of();
    }
}
