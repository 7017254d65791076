// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import io.pglock.internal.Failures;
import io.pglock.internal.Pause;
import io.pglock.internal.PgSession;
import io.pglock.internal.SqlState;
import io.pglock.internal.Text;
import io.pglock.internal.UnitCalls;
import java.lang.System.Logger.Level;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The attempts of one unit: each undone if it failed for a lock, followed by a pause outside PostgreSQL's lock queue, and made
 * again. As thread-safe as the connection.
 */
final class UnitAttempts {

    private final PgSession session;
    private final LockPolicy policy;
    private final LockGuard.Messages told;
    private final UnitTimeouts timeouts;
    private final UnitWatch watch;
    private final UnitBuild build;
    private final UnitReport report;
    private final UnitRetry retry;
    private final UnitPauses pauses;
    private Optional<Duration> pastAutovacuum = Optional.empty();
    private boolean last;
    private boolean going;

    /** The work is part of a transaction, or begins one, that is lost when it fails. */
    private boolean once;

    private boolean hasRun;

    /** The transaction holds locks from before this run, and has done something that is not to be undone with it. */
    private boolean heldBefore;

    /** @param told already says which unit it is about */
    UnitAttempts(
            PgSession session,
            LockPolicy policy,
            LockGuard.Messages told,
            UnitTimeouts timeouts,
            UnitWatch watch,
            UnitBuild build,
            UnitReport report) {
        this.session = session;
        this.policy = policy;
        this.told = told;
        this.timeouts = timeouts;
        this.watch = watch;
        this.build = build;
        this.report = report;
        this.retry = new UnitRetry(policy, ThreadLocalRandom.current()::nextDouble);
        this.pauses = new UnitPauses(policy, told, watch, retry);
        this.last = retry.isLast(System.nanoTime());
    }

    /** Whether an attempt that begins, or goes on, is the last one. */
    boolean isLast() {
        return last;
    }

    /** Whether an attempt goes on that waits longer for a lock than the policy says. */
    boolean waitsLonger() {
        return pastAutovacuum.isPresent();
    }

    /** See {@link LockGuard#run}. */
    <T extends @Nullable Object> T run(LockGuard.Work<T> work, LockGuard.Undo undo) throws SQLException {
        build.anotherPieceOfWork();
        report.failed(true); // until it is through
        once = undo == LockGuard.Undo.NOTHING && session.transactional();
        heldBefore = !once && !retry.isLast(System.nanoTime()) && timeouts.holdsLocksFromBefore(hasRun);
        hasRun = true;
        while (true) {
            long begun = System.nanoTime();
            begin();
            Exception thrown;
            try {
                T result = work.run();
                report.failed(false);
                build.anotherPieceOfWork(); // not what goes on: a host may have left the last attempt at it to others
                if (!session.transactional()) {
                    retry.reset();
                }
                last = retry.isLast(System.nanoTime());
                return result;
            } catch (SQLException | RuntimeException e) {
                thrown = e;
            } finally {
                end();
            }
            Optional<SQLException> failure = Failures.sqlIn(thrown);
            if (failure.isEmpty() || !comesBack(failure.get(), undo, begun)) {
                if (thrown instanceof RuntimeException unchecked) {
                    throw unchecked;
                }
                throw (SQLException) thrown;
            }
        }
    }

    /** See {@link LockGuard#repeat}. */
    static <T extends @Nullable Object> T repeat(
            LockPolicy policy,
            LockGuard.Messages told,
            Supplier<T> work,
            Function<RuntimeException, Optional<SQLException>> failures) {
        UnitRetry retry = new UnitRetry(policy, ThreadLocalRandom.current()::nextDouble);
        while (true) {
            boolean last = !policy.enabled() || retry.isLast(System.nanoTime());
            try {
                return work.get();
            } catch (RuntimeException e) {
                Optional<UnitRetry.Cause> cause = failures.apply(e).flatMap(sql -> UnitRetry.cause(sql, false));
                if (last || cause.isEmpty()) {
                    throw e;
                }
                long now = System.nanoTime();
                retry.failed(now);
                Duration delay = retry.delay();
                told.message(
                        Level.WARNING,
                        "failed (" + cause.get() + "), and is repeated in " + Text.age(delay) + " (attempt "
                                + (retry.attempt() + 1) + ").");
                try {
                    TimeUnit.NANOSECONDS.sleep(
                            Math.min(delay.toNanos(), retry.left(now).toNanos()));
                } catch (InterruptedException interrupted) {
                    Thread.currentThread().interrupt();
                    throw e;
                }
                retry.next();
            }
        }
    }

    private void begin() {
        last = once || retry.isLast(System.nanoTime());
        going = true;
        watch.attempt(mayGiveWay() && !build.isConcurrent(), lockTimeout());
    }

    private boolean mayGiveWay() {
        return !last && !heldBefore;
    }

    /** After a statement with a rule of its own, by that of the attempt again; by none where no attempt goes on. */
    void goesOn() {
        watch.goesOn(going && mayGiveWay(), lockTimeout());
    }

    /** See {@link LockGuard#takesEffect}. */
    void takesEffect() {
        if (!last) {
            last = true;
            goesOn();
        }
    }

    /** From here on nothing that was meant for the attempt can hit what comes next. */
    private void end() {
        going = false;
        watch.attemptEnded();
        pastAutovacuum = Optional.empty();
        timeouts.attemptEnded();
    }

    private Optional<Duration> lockTimeout() {
        return pastAutovacuum.or(() -> build.isConcurrent() ? policy.concurrentLockTimeout() : policy.lockTimeout());
    }

    /**
     * Undoes, waits outside the queue, and is ready for the next attempt; false if there is none.
     *
     * @throws SQLException only when the connection has been lost meanwhile: then that is why it failed in the end
     */
    private boolean comesBack(SQLException failure, LockGuard.Undo undo, long begun) throws SQLException {
        Optional<UnitRetry.Cause> cause = UnitRetry.cause(failure, watch.gaveWay());
        if (last || cause.isEmpty()) {
            return false;
        }
        long failedAt = System.nanoTime();
        retry.failed(failedAt);
        try {
            undo.run();
            boolean ready = pauses(failure, cause.get());
            while (ready) {
                report.attempt(cause.get(), begun, failedAt, System.nanoTime());
                retry.next();
                timeouts.renew();
                begun = System.nanoTime();
                if (build.clear(watch, lockTimeout())) {
                    if (pastAutovacuum.isPresent()) {
                        timeouts.attempt(pastAutovacuum.get());
                    }
                    return true;
                }
                failedAt = System.nanoTime();
                ready = !retry.isLast(failedAt) && pauses(failure, UnitRetry.Cause.LOCK_TIMEOUT);
            }
        } catch (SQLException | RuntimeException e) {
            Optional<SQLException> lost = connectionLost(e);
            if (lost.isPresent()) {
                lost.get().addSuppressed(failure);
                throw lost.get();
            }
            failure.addSuppressed(e);
        } catch (InterruptedException e) {
            failure.addSuppressed(e);
            Thread.currentThread().interrupt();
        }
        return false;
    }

    private static Optional<SQLException> connectionLost(Exception e) {
        Throwable cause = e instanceof PgLockException ? e.getCause() : e;
        return cause instanceof SQLException sql && SqlState.isConnectionLost(sql)
                ? Optional.of(sql)
                : Optional.empty();
    }

    /** False where pausing would make others wait, and where more was undone than will be run again. */
    private boolean pauses(SQLException failure, UnitRetry.Cause cause) throws SQLException, InterruptedException {
        Pause pause = Pause.begin(session);
        boolean interrupted = false;
        try {
            if (pause.held().isPresent()) {
                told.message(
                        Level.WARNING,
                        "not tried again: its transaction holds locks from before, and pausing with those would make others"
                                + " wait (" + pause.held().get() + ").");
                return false;
            }
            if (heldBefore) {
                told.message(
                        Level.WARNING,
                        "not tried again: undoing it has undone what its transaction had done before, too, and that would be"
                                + " missing. Do all of it in one run, or commit before.");
                return false;
            }
            pastAutovacuum = pauses.await(failure, cause, this::deadlockTimeout);
            return true;
        } catch (InterruptedException e) {
            interrupted = true;
            throw e;
        } finally {
            try {
                pause.end();
            } finally {
                if (interrupted) { // also where that fails; not before, for it would close the socket of a virtual
                    // thread
                    Thread.currentThread().interrupt();
                }
            }
        }
    }

    private Optional<Duration> deadlockTimeout() throws SQLException {
        return build.isConcurrent() || timeouts.unitHasItsOwnLockTimeout()
                ? Optional.empty()
                : Optional.of(UnitCalls.deadlockTimeout(session));
    }
}
