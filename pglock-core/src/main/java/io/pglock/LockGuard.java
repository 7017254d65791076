// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import io.pglock.internal.PgSession;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Optional;
import javax.sql.DataSource;
import org.postgresql.PGConnection;

/**
 * A {@link LockPolicy} applied to one unit of work: a migration, a changeset, a job. While it is open, the unit's connection
 * has the policy's timeouts, and a watch on a side connection sees who blocks it and does what {@code prioritize} says.
 * {@link #close()} ends the watch first and then puts the settings back exactly as they were.
 *
 * {@snippet :
 * LockPolicy policy = LockPolicy.parse(Map.of("prioritize", "terminate"));
 * try (LockGuard guard = LockGuard.open("add a note", connection, dataSource, policy, LockGuard.Messages.SYSTEM)) {
 *     try {
 *         statement.execute("alter table orders add column note text");
 *     } catch (SQLException e) {
 *         throw guard.failed(e).map(text -> new SQLException(text, e.getSQLState(), e)).orElse(e);
 *     }
 * }
 * }
 *
 * <p>Opened inside a transaction, or with autocommit off, the timeouts are local to that transaction; in autocommit they are
 * the session's until it is closed. There a statement that says {@code CONCURRENTLY} waits by {@code concurrentLockTimeout},
 * if the host tells about its statements ({@link #beforeStatement}).
 *
 * <p>Nothing that happens to the watch fails the work: it goes on unwatched after one warning, unless {@code
 * monitorRequired}. To be used by one thread at a time, like the connection; messages may come from the watch's thread.
 *
 * @see <a href="https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-LOCK-TIMEOUT">lock_timeout</a>
 */
public final class LockGuard implements AutoCloseable {

    /** Where a guard says what it sees and does: the log of its host. */
    @FunctionalInterface
    public interface Messages {

        /** To {@link System.Logger} {@code io.pglock}. */
        Messages SYSTEM = (level, message) -> System.getLogger("io.pglock").log(level, message);

        /**
         * Takes one message, on the thread of the unit or of the watch; what it throws is ignored.
         *
         * @param level {@code INFO} for what was seen and done, {@code WARNING} for what does not work
         * @param message one line, beginning with the name of the unit where it is about one
         */
        void message(System.Logger.Level level, String message);
    }

    private final UnitTimeouts timeouts;
    private final UnitWatch watch;

    private LockGuard(UnitTimeouts timeouts, UnitWatch watch) {
        this.timeouts = timeouts;
        this.watch = watch;
    }

    /**
     * Whether PostgreSQL itself, 10 or newer, is at the other end: not H2, and not one of the databases that speak its
     * protocol and have other locks (CockroachDB, YugabyteDB, Redshift). No round trip.
     */
    public static boolean serves(Connection connection) {
        try {
            if (connection.isClosed() || !connection.isWrapperFor(PGConnection.class)) {
                return false;
            }
            PGConnection driver = connection.unwrap(PGConnection.class);
            String version = Optional.ofNullable(driver.getParameterStatus("server_version"))
                    .orElse("");
            return driver.getParameterStatus("crdb_version") == null
                    && !version.contains("-YB-")
                    && version.matches("[1-9]\\d.*");
        } catch (SQLException e) {
            return false;
        }
    }

    /**
     * Sets the timeouts and begins to watch, in at most one round trip for each timeout that the policy has.
     *
     * @param unit what the messages call it: {@code V2__add_note.sql}
     * @param connection the one that runs the unit; not failed
     * @param side lends the side connection, unless the policy has a {@code monitorUrl}
     * @param policy what to do; one that is not enabled does nothing
     * @param messages where to say what is seen and done
     * @throws LockNotSupportedException when it is not PostgreSQL, or settings would not last because a pooler is in between
     * @throws PgLockException when the connection does not work, or the side connection does not and is required
     */
    public static LockGuard open(
            String unit, Connection connection, DataSource side, LockPolicy policy, Messages messages) {
        PgSession session = PgSession.of(connection);
        LockPolicy effective = policy.enabled()
                ? policy
                : policy.noLockTimeout().noStatementTimeout().prioritize(LockPolicy.Priority.OFF);
        try {
            UnitTimeouts timeouts = UnitTimeouts.open(session, effective);
            try {
                return new LockGuard(timeouts, UnitWatch.start(unit, session, side, effective, messages));
            } catch (RuntimeException e) {
                timeouts.close();
                throw e;
            }
        } catch (SQLException e) {
            throw new PgLockException(unit + ": " + e.getMessage(), e);
        }
    }

    /** Whether {@link #beforeStatement} has anything to do for this statement; no round trip. */
    public boolean concerns(String sql) {
        return asking(() -> timeouts.concerns(sql));
    }

    /**
     * The unit is about to run this statement. One that says {@code CONCURRENTLY} outside a transaction gets {@code
     * concurrentLockTimeout} until {@link #afterStatement}, unless the unit has set a {@code lock_timeout} itself.
     *
     * @throws PgLockException when the connection does not work
     */
    public void beforeStatement(String sql) {
        asking(() -> {
            timeouts.beforeStatement(sql);
            return true;
        });
    }

    /** The statement has ended, well or not. */
    public void afterStatement() {
        timeouts.afterStatement();
    }

    /** Whether {@link #beforeStatement} changed something that {@link #afterStatement} puts back. */
    public boolean insideStatement() {
        return timeouts.insideStatement();
    }

    /**
     * What to say when the unit has failed, before {@link #close()}; no SQL runs.
     *
     * @param failure what the driver reported
     * @return for a lock timeout or a deadlock: that, who was in the way, what was done and what to do; for any other failure
     *     who was in the way, if anybody was
     */
    public Optional<String> failed(SQLException failure) {
        return watch.explain(failure);
    }

    /** As {@link #failed(SQLException)}, where the host does not say what the failure was: who was in the way, if anybody was. */
    public Optional<String> failed() {
        return watch.explain();
    }

    /**
     * Ends the watch, waiting until it has taken notice (nothing is signalled after this returns), then puts the settings
     * back. Closing again is harmless; on a closed connection there is nothing to put back.
     *
     * @throws PgLockException when the server refuses
     */
    @Override
    public void close() {
        try {
            watch.close();
        } finally {
            timeouts.close();
        }
    }

    private static <T> T asking(PgSession.Work<T> work) {
        try {
            return work.run();
        } catch (SQLException e) {
            throw new PgLockException("The connection cannot be used: " + e.getMessage(), e);
        }
    }
}
