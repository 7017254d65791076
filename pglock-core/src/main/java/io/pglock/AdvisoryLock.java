// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import io.pglock.internal.AdvisoryCalls;
import io.pglock.internal.Attempt;
import io.pglock.internal.Blockers;
import io.pglock.internal.PgSession;
import io.pglock.internal.Wait;
import java.time.Duration;
import java.util.Optional;

/**
 * A request for an advisory lock on your connection: which key, in which mode, and how long to wait. Immutable: its
 * methods return new requests, and acquiring changes nothing in it, so one request may be used over and over. As thread-safe as the connection.
 *
 * <p>A lock of the <em>session</em> ({@link #acquire}, {@link #tryAcquire}, {@link #run}) is held until it is closed; one of
 * the <em>transaction</em> ({@link #acquireXact}, {@link #tryAcquireXact}) until that commits or rolls back. Each is one round
 * trip, timeout and restoring the caller's {@code lock_timeout} included. When a lock is not acquired, or the statement fails,
 * nothing is held that was not before, and a transaction stays usable.
 *
 * {@snippet :
 * PgLock pg = PgLock.on(connection);
 *
 * try (LockHandle lock = pg.advisory("nightly-report").timeout(Duration.ofSeconds(2)).acquire()) {
 *     report();
 * }
 *
 * boolean ran = pg.advisory("nightly-report").timeout(Duration.ZERO).tryRun(() -> report()); // or skip it
 *
 * connection.setAutoCommit(false);
 * pg.advisory(LockKey.of(17)).acquireXact();
 * connection.commit(); // released
 * }
 *
 * <p>Waiting is PostgreSQL's: a thread interrupt does not end it and is not lost, {@code pg_cancel_backend} and
 * {@code statement_timeout} end it with a {@link PgLockException} of SQLSTATE {@code 57014}. While waiting, the statement
 * holds a snapshot, which makes {@code CREATE INDEX CONCURRENTLY} wait: keep timeouts short. In a transaction in {@code REPEATABLE
 * READ} or {@code SERIALIZABLE} that is the snapshot of the transaction, taken before the lock is granted: what the holder before
 * has committed is not seen. Take a session lock there before the transaction begins.
 *
 * @see <a href="https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-ADVISORY-LOCKS">Advisory Lock
 *     Functions</a>
 */
public final class AdvisoryLock {

    /** What is to be done while the lock is held. */
    @FunctionalInterface
    public interface Work<X extends Exception> {
        /** Does it. */
        void run() throws X;
    }

    /** What is to be found out while the lock is held. */
    @FunctionalInterface
    public interface Call<T, X extends Exception> {
        /** Finds it out; never {@code null}. */
        T call() throws X;
    }

    private final PgSession session;
    private final LockKey key;
    private final boolean shared;
    private final Wait wait;

    AdvisoryLock(PgSession session, LockKey key) {
        this(session, key, false, Wait.AS_THE_SESSION);
    }

    private AdvisoryLock(PgSession session, LockKey key, boolean shared, Wait wait) {
        this.session = session;
        this.key = key;
        this.shared = shared;
        this.wait = wait;
    }

    /** In shared mode: held together with others in shared mode, never with an exclusive one. */
    public AdvisoryLock shared() {
        return new AdvisoryLock(session, key, true, wait);
    }

    /**
     * Waits at most so long; without this, as long as the session's {@code lock_timeout} says.
     *
     * @param timeout {@link Duration#ZERO} does not wait at all; a part of a millisecond counts as one
     * @throws IllegalArgumentException when it is negative or longer than PostgreSQL can hold (24 days)
     */
    public AdvisoryLock timeout(Duration timeout) {
        return new AdvisoryLock(session, key, shared, Wait.upTo(timeout));
    }

    /** Waits for ever, whatever the session's {@code lock_timeout} is. */
    public AdvisoryLock noTimeout() {
        return new AdvisoryLock(session, key, shared, Wait.FOREVER);
    }

    /**
     * Takes the lock for the session. On a session that holds it already it is taken once more, at once.
     *
     * @throws LockTimeoutException when it was not acquired in time; the message names who holds it
     * @throws LockDeadlockException when PostgreSQL ended a deadlock by failing this request
     * @throws LockNotSupportedException through a transaction pooler, or on a standby
     * @throws PgLockException when the transaction has failed, the statement was cancelled, or the server fails
     */
    public LockHandle acquire() {
        AdvisoryCalls calls = calls();
        require(calls.lock(wait));
        return new SessionHandle(session, key, shared, calls);
    }

    /**
     * Takes the lock for the session, or returns empty when it was not acquired in time.
     *
     * @throws LockDeadlockException when PostgreSQL ended a deadlock by failing this request
     * @throws LockNotSupportedException through a transaction pooler, or on a standby
     * @throws PgLockException when the transaction has failed, the statement was cancelled, or the server fails
     */
    public Optional<LockHandle> tryAcquire() {
        AdvisoryCalls calls = calls();
        return calls.lock(wait).acquired()
                ? Optional.of(new SessionHandle(session, key, shared, calls))
                : Optional.empty();
    }

    /** The same as {@code timeout(timeout).tryAcquire()}. */
    public Optional<LockHandle> tryAcquire(Duration timeout) {
        return timeout(timeout).tryAcquire();
    }

    /**
     * Takes the lock for the transaction: commit and rollback release it, or a rollback to a savepoint set before, and nothing
     * else. It works through a transaction pooler.
     *
     * @throws LockTimeoutException when it was not acquired in time; the message names who holds it
     * @throws LockDeadlockException when PostgreSQL ended a deadlock by failing this request
     * @throws LockNotSupportedException outside a transaction (in autocommit mode), or on a standby
     * @throws PgLockException when the transaction has failed, the statement was cancelled, or the server fails
     */
    public void acquireXact() {
        require(calls().lockXact(wait));
    }

    /**
     * Takes the lock for the transaction, or returns false when it was not acquired in time.
     *
     * @throws LockDeadlockException when PostgreSQL ended a deadlock by failing this request
     * @throws LockNotSupportedException outside a transaction (in autocommit mode), or on a standby
     * @throws PgLockException when the transaction has failed, the statement was cancelled, or the server fails
     */
    public boolean tryAcquireXact() {
        return calls().lockXact(wait).acquired();
    }

    /**
     * Runs the work while the lock is held. Nothing of the lock is left behind, whatever happens to the work:
     *
     * <ul>
     *   <li>Where no transaction is open, the session takes the lock before the work and releases it after. A transaction that
     *       the work begins and leaves open takes the lock over; one that it leaves failed is rolled back.
     *   <li>Inside an open transaction the transaction takes the lock, and its commit or rollback releases it. The work must
     *       not end that transaction.
     * </ul>
     *
     * @throws X what the work throws; what goes wrong after that is suppressed in it
     * @throws LockLostException when the lock was not held any more after the work, which may have run twice
     * @throws PgLockException as {@link #acquire()}, and when the work returns and leaves a transaction of its own that has failed. Of
     *     one that was open before nothing is said here: whoever has begun it finds it failed, and rolls it back
     */
    public <X extends Exception> void run(Work<X> work) throws X {
        lockedRun().run(wait, this::require, asCall(work));
    }

    /**
     * As {@link #run(Work)}, for work with a result.
     *
     * @return what the call returns
     * @throws X what the call throws
     */
    public <T, X extends Exception> T run(Call<T, X> call) throws X {
        return lockedRun().run(wait, this::require, call).orElseThrow();
    }

    /**
     * As {@link #run(Work)}, but skips the work when the lock was not acquired in time.
     *
     * @return whether the work has run
     * @throws X what the work throws
     */
    public <X extends Exception> boolean tryRun(Work<X> work) throws X {
        return tryRun(asCall(work)).isPresent();
    }

    /**
     * As {@link #run(Call)}, but skips the call when the lock was not acquired in time.
     *
     * @return what the call returns, or empty when it was skipped
     * @throws X what the call throws
     */
    public <T, X extends Exception> Optional<T> tryRun(Call<T, X> call) throws X {
        return lockedRun().run(wait, attempt -> {}, call);
    }

    static <X extends Exception> Call<Boolean, X> asCall(Work<X> work) {
        return () -> {
            work.run();
            return true;
        };
    }

    private LockedRun lockedRun() {
        return new LockedRun(session, calls(), key, shared);
    }

    private AdvisoryCalls calls() {
        return new AdvisoryCalls(session, key, shared);
    }

    private void require(Attempt attempt) {
        if (attempt.acquired()) {
            return;
        }
        String message = key + ": " + (shared ? "shared lock " : "") + "not acquired " + wait.describe()
                + Blockers.ofKey(session, key, shared);
        throw attempt.cause() == null
                ? new LockTimeoutException(message)
                : new LockTimeoutException(message, attempt.cause());
    }

    /** {@code nightly-report (-8663603374018903193), shared}. */
    @Override
    public String toString() {
        return key + (shared ? ", shared" : "");
    }
}
