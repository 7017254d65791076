// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import io.pglock.internal.Log;
import io.pglock.internal.PgSession;
import io.pglock.internal.UnitCalls;
import io.pglock.internal.UnseenDriver;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.SQLException;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;

/**
 * A {@link LockPolicy} applied to one unit of work: a migration, a changeset, a job. While it is open, the unit's connection
 * has the policy's timeouts, and a watch on a side connection sees who blocks it and does what {@code prioritize} says.
 * {@link #close()} ends the watch first and then puts the settings back exactly as they were.
 *
 * {@snippet :
 * LockPolicy policy = LockPolicy.parse(Map.of("prioritize", "terminate"));
 * try (LockGuard guard = LockGuard.open("add a note", connection, dataSource, policy, LockGuard.Messages.SYSTEM)) {
 *     guard.run(() -> statement.execute("alter table orders add column note text"), connection::rollback);
 *     connection.commit();
 * } catch (SQLException e) {
 *     // as the driver reported it; who was in the way has been said
 * }
 * }
 *
 * <p>{@link #run} tries the work again after a lock timeout (SQLSTATE 55P03), after a deadlock (40P01) and after it has given
 * way to those who waited behind it: it first undoes what was done, which frees every lock, and then waits outside
 * PostgreSQL's lock queue, where nobody has to wait behind it, until those who were in the way have let go. What is not run
 * through it is guarded just the same, once.
 *
 * <p>Opened inside a transaction, or with autocommit off, the timeouts are local to that transaction; in autocommit they are
 * the session's until it is closed. There a statement that says {@code CONCURRENTLY} waits by {@code concurrentLockTimeout},
 * if the host tells about its statements ({@link #beforeStatement}).
 *
 * <p>Nothing that happens to the watch fails the work: it goes on unwatched after one warning, unless {@code
 * monitorRequired}. To be used by one thread at a time, like the connection; messages may come from the watch's thread.
 *
 * @see <a href="https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-LOCK-TIMEOUT">lock_timeout</a>
 * @see <a href="https://www.postgresql.org/docs/current/explicit-locking.html">Explicit Locking</a>
 */
public final class LockGuard implements AutoCloseable {

    /** Where a guard says what it sees and does: the log of its host. */
    @FunctionalInterface
    public interface Messages {

        /** To {@link System.Logger} {@code io.pglock}. */
        Messages SYSTEM = Log::log;

        /**
         * Takes one message, on the thread of the unit or of the watch; what it throws is ignored.
         *
         * @param level {@code INFO} for what was seen and done, {@code WARNING} for what does not work
         * @param message one line, beginning with the name of the unit where it is about one
         */
        void message(Level level, String message);
    }

    /** Work that can be undone and run again. */
    @FunctionalInterface
    public interface Work<T extends @Nullable Object> {
        /** Does it; what the driver reports may come out in an unchecked exception, as libraries have it, with that as its cause. */
        T run() throws SQLException;
    }

    /** Undoes what an attempt has done, and so frees every lock that it took. */
    @FunctionalInterface
    public interface Undo {
        /**
         * Of a statement that undoes itself when it fails, as each does in autocommit. Inside a transaction, as after a {@code
         * BEGIN} of a script's own, none does: there {@link LockGuard#run} makes one attempt, which does not give way.
         */
        Undo NOTHING = () -> {};

        /** Does it. */
        void run() throws SQLException;
    }

    private final String unit;
    private final PgSession session;
    private final LockPolicy policy;
    private final Messages told;
    private final UnitTimeouts timeouts;
    private final UnitWatch watch;
    private final UnitBuild build;
    private final UnitReport report;
    private final UnitAttempts attempts;

    /** The latest statement said {@code CONCURRENTLY}; what is said of its failure is asked for after its end. */
    private boolean standsFast;

    private boolean closed;

    private LockGuard(
            String unit,
            PgSession session,
            LockPolicy policy,
            Messages messages,
            UnitTimeouts timeouts,
            UnitWatch watch) {
        this.unit = unit;
        this.session = session;
        this.policy = policy;
        this.told = UnitMessages.about(unit, messages);
        this.timeouts = timeouts;
        this.watch = watch;
        this.build = new UnitBuild(session, told);
        this.report = new UnitReport(unit);
        this.attempts = new UnitAttempts(session, policy, told, timeouts, watch, build, report);
    }

    /**
     * Whether PostgreSQL itself, 10 or newer, is at the other end: not H2, and not one of the databases that speak its
     * protocol and have other locks (CockroachDB, YugabyteDB, Redshift). No round trip. On a PostgreSQL whose driver pglock does
     * not see, as in another class loader, there is one warning.
     */
    public static boolean serves(Connection connection) {
        try {
            if (connection.isClosed()) {
                return false;
            }
            if (!connection.isWrapperFor(PGConnection.class)) {
                UnseenDriver.warn(connection);
                return false;
            }
            return isPostgres(connection);
        } catch (SQLException e) {
            return false;
        } catch (LinkageError e) { // no pgjdbc where pglock is, or a driver from before there were wrappers
            UnseenDriver.warn(connection);
            return false;
        }
    }

    private static boolean isPostgres(Connection connection) throws SQLException {
        PGConnection driver = connection.unwrap(PGConnection.class);
        try {
            String version = Optional.ofNullable(driver.getParameterStatus("server_version"))
                    .orElse("");
            return driver.getParameterStatus("crdb_version") == null
                    && !version.contains("-YB-")
                    && version.matches("[1-9]\\d.*");
        } catch (NoSuchMethodError e) { // a driver before 42.2.6 tells only the version
            DatabaseMetaData database = connection.getMetaData();
            return database.getDatabaseMajorVersion() >= 10
                    && !database.getDatabaseProductVersion().contains("-YB-");
        }
    }

    /**
     * Sets the timeouts and begins to watch, in at most one round trip; on a connection that pglock has not seen before one
     * more, and in autocommit one more where the policy has no {@code lockTimeout}.
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
        return open(unit, connection, side, policy, messages, UnitTimeouts::open, false);
    }

    /**
     * As {@link #open}, with a savepoint where the policy tries again and the connection is in a transaction or has autocommit
     * off: {@link #rollBackToSavepoint} goes back to it, and {@link #close} releases it. For a host that cannot roll the
     * transaction back itself. It shares the round trip of the timeouts; in a transaction that has begun already there is one
     * more, for where that holds locks which others may wait for no attempt gives way: it could not come back.
     */
    public static LockGuard openWithSavepoint(
            String unit, Connection connection, DataSource side, LockPolicy policy, Messages messages) {
        return open(unit, connection, side, policy, messages, UnitTimeouts::open, true);
    }

    /**
     * As {@link #openWithSavepoint}, for a host that says when a unit begins, and begins and ends its transactions itself
     * afterwards: the timeouts are set, and the savepoint is made, before the first statement that {@link #beforeStatement} is
     * told of, and anew whenever the transaction that they were local to has ended by then. No round trip, but for the one on
     * a connection that pglock has not seen before.
     */
    public static LockGuard openAhead(
            String unit, Connection connection, DataSource side, LockPolicy policy, Messages messages) {
        return open(unit, connection, side, policy, messages, UnitTimeouts::ahead, true);
    }

    /** When a unit's timeouts are set. */
    @FunctionalInterface
    private interface Timeouts {
        UnitTimeouts of(PgSession session, LockPolicy policy, boolean withSavepoint);
    }

    private static LockGuard open(
            String unit,
            Connection connection,
            DataSource side,
            LockPolicy policy,
            Messages messages,
            Timeouts opening,
            boolean withSavepoint) {
        PgSession session = PgSession.of(connection);
        LockPolicy effective = policy.inForce();
        boolean triesAgain = !new UnitRetry(effective, () -> 0).isLast(System.nanoTime());
        UnitTimeouts timeouts = opening.of(session, effective, withSavepoint && triesAgain);
        try {
            Messages safe = UnitMessages.harmless(messages);
            UnitWatch watch = UnitWatch.start(unit, session, side, effective, safe);
            return new LockGuard(unit, session, effective, safe, timeouts, watch);
        } catch (RuntimeException | Error e) {
            timeouts.close();
            throw e;
        }
    }

    /**
     * Runs the work, and again for as long as the policy says while it fails for a lock: PostgreSQL ended its wait (55P03) or a
     * deadlock (40P01), or it was cancelled from here to give way. Before each pause what was done is undone.
     *
     * <p>An attempt that can be followed by another gives way: before others have lost more than {@code maxBlockedTime} to it and
     * to those shortly before, at once behind a transaction that is older than that, or when they are more than {@code
     * maxVictims}, its waiting statement is cancelled. The last one does not.
     *
     * <p>What the transaction has done before, in the caller's own statements or an earlier run, is not run again: where it holds
     * locks from that, there is one attempt, which does not give way. That is asked when this begins, in one round trip, if the
     * transaction had begun before {@link #open} or something was run in it; what the caller does between the two in a new
     * transaction is not seen. With {@link #openWithSavepoint} it is what was done before the savepoint.
     *
     * @param work can be undone; in autocommit, a single statement that is {@linkplain SqlCommand#isAtomic atomic}
     * @param undo undoes it, for instance {@code connection::rollback}, and frees every lock that it took
     * @return what the work returned
     * @throws SQLException as the work threw it, when that was for another reason, in the last attempt, or where the transaction
     *     holds locks from before that others may wait for: waiting with those is no retry, nor is undoing
     *     what took them; the loss of the connection when that is found out between two attempts. What else went wrong with the undo or in the pause, an interrupt for one, is
     *     suppressed in it
     */
    public <T extends @Nullable Object> T run(Work<T> work, Undo undo) throws SQLException {
        return attempts.run(work, undo);
    }

    /**
     * Repeats work that opens, and ends, its own connections and transactions: by the policy, with pauses in which nothing is
     * held. Nobody is watched or signalled on its account, and it does not give way.
     *
     * @param unit what the messages call it
     * @param failures the lock timeout or deadlock behind what the work threw, if it may be done again; else empty
     * @return what the work returned
     * @throws RuntimeException as the work threw it in the end
     */
    public static <T extends @Nullable Object> T repeat(
            String unit,
            LockPolicy policy,
            Messages messages,
            Supplier<T> work,
            Function<RuntimeException, Optional<SQLException>> failures) {
        return UnitAttempts.repeat(policy, UnitMessages.about(unit, messages), work, failures);
    }

    /** Whether the attempt that is going on would be followed by another one, should it fail for a lock. */
    public boolean triesAgain() {
        return !attempts.isLast();
    }

    /**
     * Whether the attempt that is going on waits longer for a lock than the policy says, as one does when nothing but an
     * autovacuum was in the way: for a host that otherwise leaves the last one to others, who would wait no longer than ever.
     */
    public boolean waitsLonger() {
        return attempts.waitsLonger();
    }

    /** Whether {@link #run} would try again if its work threw this now: for a host that has to undo it in its own way before. */
    public boolean triesAgainAfter(SQLException failure) {
        return triesAgain() && UnitRetry.cause(failure, watch.gaveWay()).isPresent();
    }

    /**
     * Back to the savepoint of {@link #openWithSavepoint}: undoes what was done since, and frees every lock that was taken since.
     *
     * @throws IllegalStateException when there is none
     * @throws SQLException when the unit has ended its transaction itself
     */
    public void rollBackToSavepoint() throws SQLException {
        if (!timeouts.hasSavepoint()) {
            throw new IllegalStateException(unit + ": there is no savepoint");
        }
        UnitCalls.rollBack(session);
    }

    /**
     * As {@link #rollBackToSavepoint}, where it may be that there is nothing to go back to.
     *
     * @return whether all that was done is undone; false without a savepoint, and when the unit has ended its transaction
     *     itself, for what it did before stays done
     */
    public boolean tryRollBackToSavepoint() {
        if (timeouts.hasSavepoint()) {
            try {
                UnitCalls.rollBack(session);
                return true;
            } catch (SQLException gone) {
                // with the transaction that it was made in
            }
        }
        return false;
    }

    /**
     * Releases the savepoint of {@link #openWithSavepoint}, as {@link #close} does: for a host that has to know whether all that
     * a unit has done will be undone with the transaction that it began in. The transaction goes on as it is.
     *
     * @return false without a savepoint, and when the unit has ended its transaction itself
     */
    public boolean tryReleaseSavepoint() {
        boolean released = timeouts.hasSavepoint() && UnitCalls.release(session);
        timeouts.forgetSavepoint();
        return released;
    }

    /** Whether there is a savepoint to go back to. */
    public boolean hasSavepoint() {
        return timeouts.hasSavepoint();
    }

    /**
     * Something that the unit has done, or is about to do, stays, whatever comes, or cannot be done again: the attempt of {@link
     * #run} that is going on is the last one, and does not give way from here on.
     */
    public void takesEffect() {
        attempts.takesEffect();
    }

    /**
     * The unit has worked on the connection unseen, as one in Java does, whose statements nobody is told of: asks whether the
     * transaction is still the one that the timeouts were local to. Where it is not, and where that cannot be told because the
     * policy has no timeouts, {@link #hasEndedItsTransaction} says so from here on, and the timeouts are set again before the
     * unit's next statement. One round trip inside a transaction; elsewhere without effect.
     *
     * @throws PgLockException when the connection does not work
     */
    public void afterUnseenWork() {
        asking(() -> {
            timeouts.afterUnseenWork();
            return true;
        });
    }

    /**
     * Whether the unit has ended the transaction itself, as far as {@link #beforeStatement} or {@link #afterUnseenWork} has seen:
     * what it did before stays.
     */
    public boolean hasEndedItsTransaction() {
        return timeouts.hasSeenItsTransactionEnd();
    }

    /** The unit is about to end the transaction, or to use savepoints, itself: this guard's savepoint is not touched any more. */
    public void forgetSavepoint() {
        timeouts.forgetSavepoint();
    }

    /**
     * The host is about to run a statement of its own between those of the unit, and that may begin a transaction: if the one
     * that the timeouts were local to has ended, they are set again before the unit's next statement. No round trip.
     */
    public void beforeForeignStatement() {
        timeouts.beforeForeignStatement();
    }

    /** Whether {@link #beforeStatement} has anything to do for this statement; no round trip. */
    public boolean concerns(String sql) {
        return standsFast || asking(() -> timeouts.concerns(sql));
    }

    /**
     * The unit is about to run this statement. If it has ended the transaction that the timeouts were local to, they are set
     * again. One that says {@code CONCURRENTLY} outside a transaction gets {@code
     * concurrentLockTimeout} until {@link #afterStatement}, unless the unit has set a {@code lock_timeout} itself; it is never
     * cancelled to give way; and what it leaves behind when it fails will be named ({@link #failed}): a partition that is
     * half detached, or an invalid index, which is dropped before another attempt of {@link #run}. To be told around {@link
     * #run}, or within its work.
     *
     * @throws PgLockException when the connection does not work, or {@code CREATE INDEX CONCURRENTLY IF NOT EXISTS} would take
     *     an invalid index for a success
     */
    public void beforeStatement(String sql) {
        asking(() -> {
            timeouts.beforeStatement(sql);
            Optional<String> hidden = policy.enabled() ? build.before(sql) : Optional.empty();
            if (hidden.isPresent()) {
                afterStatement();
                throw new PgLockException(unit + ": " + UnitMessages.hidden(hidden.get()));
            }
            if (build.isConcurrent()) {
                watch.standFast(policy.concurrentLockTimeout());
            } else if (standsFast) {
                attempts.goesOn();
            }
            standsFast = build.isConcurrent();
            return true;
        });
    }

    /** The statement has ended, well or not. */
    public void afterStatement() {
        build.after();
        timeouts.afterStatement();
    }

    /** Whether {@link #beforeStatement} changed something that {@link #afterStatement} puts back. */
    public boolean insideStatement() {
        return timeouts.insideStatement();
    }

    /**
     * What to say when the unit has failed, before {@link #close()}; no SQL runs in a transaction.
     *
     * @param failure what the driver reported
     * @return for a lock timeout or a deadlock: that, who was in the way, what was done and what to do; for any other failure
     *     who was in the way, if anybody was in the latest attempt
     */
    public Optional<String> failed(SQLException failure) {
        return withLeftBehind(report.failed(watch, failure));
    }

    /** As {@link #failed(SQLException)}, where the host does not say what the failure was: who was in the way, if anybody was. */
    public Optional<String> failed() {
        return withLeftBehind(report.failed(watch));
    }

    private Optional<String> withLeftBehind(Optional<String> explained) {
        return Stream.of(explained, build.leftBehind())
                .flatMap(Optional::stream)
                .reduce((text, more) -> text + " " + more);
    }

    /**
     * Ends the watch, waiting until it has taken notice (nothing is signalled after this returns), then puts the settings
     * back, and writes the {@code report}. Closing again is harmless; where the session has ended there is nothing to put back.
     *
     * @throws PgLockException when the server refuses; and when a pooled connection was closed first, in autocommit
     */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        Optional<Path> file = policy.report().filter(wanted -> policy.enabled());
        file.ifPresent(path -> report.takeLocks(session, told)); // while it still has them
        try {
            watch.close();
        } finally {
            try {
                timeouts.close();
            } finally {
                report.end(watch, file, told);
            }
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
