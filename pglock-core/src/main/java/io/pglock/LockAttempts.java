// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import io.pglock.LockPolicy.Priority;
import io.pglock.internal.PgSession;
import io.pglock.internal.UnitSignals;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import javax.sql.DataSource;

/**
 * A {@link LockPolicy} applied to one unit of work whose host runs the statements, on whatever connections the work takes: a
 * method. Where a {@link LockGuard} is one connection with timeouts and a piece of work to run, this is told step by step what
 * goes on, sets no timeout, and runs no statement of the work's.
 *
 * {@snippet :
 * try (LockAttempts attempts = LockAttempts.begin("Archive.run", policy, LockGuard.Messages.SYSTEM)) {
 *     SQLException failure;
 *     do {
 *         try (Connection connection = dataSource.getConnection()) {
 *             attempts.watch(connection, dataSource);
 *             try {
 *                 archive(connection); // in one transaction, which it rolls back when it fails
 *                 return;
 *             } finally {
 *                 attempts.endAttempt(); // before anybody else gets the connection
 *             }
 *         } catch (SQLException e) {
 *             failure = e;
 *         }
 *     } while (attempts.comesBack(failure)); // waits until another attempt makes sense
 *     attempts.failed(failure).ifPresent(log::warn);
 *     throw failure;
 * }
 * }
 *
 * <p>Each connection that an attempt uses is watched, by its session and not by what wraps it, until {@link #leave} or {@link
 * #endAttempt}. Since when somebody has been in the way, and what has been done about it, is remembered over all attempts and
 * connections. Between two attempts no connection is touched: it may be closed by then, or somebody else's.
 *
 * <p>Nothing that happens to a watch or to a connection fails the work, unless the policy says {@code monitorRequired}. To be
 * used by one thread at a time; messages may come from a watch's thread.
 *
 * @see <a href="https://www.postgresql.org/docs/current/explicit-locking.html">Explicit Locking</a>
 */
public final class LockAttempts implements AutoCloseable {

    static {
        UnitSignals.countedBy(attempts -> attempts.watch.signalsSent());
    }

    private final LockPolicy policy;
    private final LockGuard.Messages told;
    private final UnitWatch watch;
    private final UnitSessions sessions;
    private final UnitReport report;
    private final UnitRetry retry;
    private final UnitPauses pauses;
    private final Optional<Path> file;
    private Optional<Duration> pastAutovacuum = Optional.empty();
    private long begun;
    private boolean last;
    private boolean standsFast;
    private boolean going;
    private boolean closed;

    private LockAttempts(String unit, LockPolicy policy, LockGuard.Messages messages) {
        this.policy = policy.inForce();
        this.told = UnitMessages.about(unit, messages);
        this.watch = new UnitWatch(unit, this.policy, messages);
        this.sessions = new UnitSessions(watch);
        this.report = new UnitReport(unit);
        this.retry = new UnitRetry(this.policy, ThreadLocalRandom.current()::nextDouble);
        this.pauses = new UnitPauses(this.policy, told, watch, retry);
        this.file = this.policy.report().filter(wanted -> this.policy.enabled());
        attempt();
    }

    /**
     * The first attempt begins. No statement, no connection, no thread yet.
     *
     * @param unit what the messages call it: {@code com.acme.Archive.run}
     * @param policy what to do, besides the timeouts; one that is not enabled does nothing
     * @param messages where to say what is seen and done
     */
    public static LockAttempts begin(String unit, LockPolicy policy, LockGuard.Messages messages) {
        return new LockAttempts(unit, policy, UnitMessages.harmless(messages));
    }

    private void attempt() {
        begun = System.nanoTime();
        last = retry.isLast(begun);
        standsFast = false;
        going = true;
        watch.attempt(!last, lockTimeout());
    }

    // ---- while an attempt goes on -----------------------------------------------------------------------------------

    /**
     * Whether {@link #watch} will run no statement on this connection: nobody watches, or its session has been seen before. In a
     * transaction of {@code REPEATABLE READ} or {@code SERIALIZABLE} that has not begun yet, a statement would fix what it sees.
     */
    public boolean knows(Connection connection) {
        return watchesNobody() || sessions.knows(connection);
    }

    /**
     * The attempt uses this connection, too: from here on whoever blocks it is dealt with by the policy, and it gives way to
     * those who wait behind it if another attempt would follow. One statement for a session that pglock has never seen, else
     * none; again, and for a connection that is closed or between two attempts, it does nothing.
     *
     * @param side lends the side connection, unless the policy has a {@code monitorUrl}
     * @throws LockNotSupportedException when it is not PostgreSQL
     * @throws PgLockException when the side connection cannot be had and is required; otherwise that is a warning, once
     */
    public void watch(Connection connection, DataSource side) {
        if (!watchesNobody()) {
            sessions.join(connection, side);
        }
    }

    private boolean watchesNobody() {
        return !going || policy.prioritize() == Priority.OFF;
    }

    /**
     * The connection is not the attempt's any more: it has gone back to its pool. Nothing is done for its session, nor to it,
     * when this returns, until {@link #watch} is told of it again.
     */
    public void leave(Connection connection) {
        sessions.leave(connection);
    }

    /**
     * What the attempt that goes on is to wait for a lock: what the policy says or, once, when nothing but an autovacuum was in
     * the way, long enough for PostgreSQL to send that away. Empty: what the session has stays in force.
     */
    public Optional<Duration> lockTimeout() {
        return pastAutovacuum.or(policy::lockTimeout);
    }

    /**
     * The statements that come wait so long for a lock, as the work has set it itself; {@link #lockTimeout()} if it is never
     * told. So messages say "not locked within 2s" rightly. Ends {@link #standFast}.
     *
     * @param inForce empty for ever
     */
    public void lockTimeout(Optional<Duration> inForce) {
        if (standsFast || !inForce.equals(watch.lockTimeout())) {
            standsFast = false;
            watch.goesOn(going && !last, inForce);
        }
    }

    /**
     * The statement that comes is never cancelled to give way, as is right for one that says {@code CONCURRENTLY}; until {@link
     * #lockTimeout(Optional)} is told of the next.
     *
     * @param itsLockTimeout how long it waits for a lock; empty for ever
     */
    public void standFast(Optional<Duration> itsLockTimeout) {
        standsFast = true;
        watch.standFast(itsLockTimeout);
    }

    /**
     * Something that the attempt has done stays, whatever comes: a commit, a statement in autocommit. It will not be made
     * again, so it does not give way from here on.
     */
    public void takesEffect() {
        if (!last) {
            last = true;
            watch.goesOn(false, watch.lockTimeout());
        }
    }

    /**
     * Takes note, for the {@code report}, of the locks that this connection's transaction holds, before it ends; one statement,
     * and none without a report. Whatever goes wrong is at most a warning, and leaves the transaction as it was.
     */
    public void noteLocks(Connection connection) {
        if (file.isEmpty() || !going) {
            return;
        }
        PgSession session;
        try {
            session = PgSession.of(connection);
        } catch (PgLockException e) {
            return; // it holds nothing any more, or nothing of PostgreSQL's
        }
        report.takeLocks(session, told);
    }

    // ---- when it has ended ------------------------------------------------------------------------------------------

    /**
     * The attempt has ended, well or not, and no connection is its own any more. When this returns, nothing that was meant for
     * it can hit what comes next. To be called before anything is undone, committed or given back. Again, it does nothing.
     */
    public void endAttempt() {
        if (going) {
            going = false;
            watch.apart();
        }
    }

    /**
     * Whether {@link #comesBack} would try again: PostgreSQL ended a wait for a lock (55P03) or a deadlock (40P01), or the
     * statement was cancelled from here to give way, and the policy allows another attempt.
     */
    public boolean mayComeBack(SQLException failure) {
        return !last && !closed && cause(failure).isPresent();
    }

    private Optional<UnitRetry.Cause> cause(SQLException failure) {
        return UnitRetry.cause(failure, watch.gaveWay());
    }

    /**
     * Everything that the attempt has done is undone, and none of its connections is in a transaction: waits outside
     * PostgreSQL's lock queue, where nobody has to wait behind it, until another attempt makes sense, and begins that. Its
     * connections may be others.
     *
     * @return false, at once, where {@link #mayComeBack} is false; false when the thread is interrupted, whose flag is kept and
     *     which is suppressed in the failure
     */
    public boolean comesBack(SQLException failure) {
        endAttempt();
        if (!mayComeBack(failure)) {
            return false;
        }
        UnitRetry.Cause cause = cause(failure).orElseThrow();
        long failedAt = System.nanoTime();
        retry.failed(failedAt);
        try {
            pastAutovacuum = pauses.await(failure, cause, this::deadlockTimeout);
        } catch (InterruptedException e) {
            failure.addSuppressed(e);
            Thread.currentThread().interrupt();
            return false;
        } catch (SQLException e) {
            throw new IllegalStateException("No statement is run in a pause", e);
        }
        report.attempt(cause, begun, failedAt, System.nanoTime());
        retry.next();
        attempt();
        return true;
    }

    private Optional<Duration> deadlockTimeout() {
        return watch.lockTimeout().equals(lockTimeout()) ? watch.deadlockTimeout() : Optional.empty();
    }

    /**
     * The unit has failed in the end: what to say, before {@link #close()}. No statement is run.
     *
     * @param failure what the driver reported
     * @return for a lock timeout or a deadlock: that, who was in the way, what was done and what to do; for any other failure
     *     who was in the way, if anybody was in the latest attempt
     */
    public Optional<String> failed(SQLException failure) {
        return report.failed(watch, failure);
    }

    /** As {@link #failed(SQLException)}, where it was not a statement that failed: who was in the way, if anybody was. */
    public Optional<String> failed() {
        return report.failed(watch);
    }

    /**
     * Ends every watch, waiting until it has taken notice (nothing is signalled after this returns), and writes the {@code
     * report}. Closing again is harmless. Never throws.
     */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        going = false;
        watch.close();
        report.end(watch, file, told);
    }
}
