// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import io.pglock.internal.AdvisoryCalls;
import io.pglock.internal.PgSession;
import java.sql.SQLException;

/**
 * An advisory lock that a session holds until {@link #close()}. It outlives transactions; close it before its connection.
 * {@link #isHeld()} may be called from any thread, the rest where the connection may be used.
 *
 * {@snippet :
 * try (LockHandle lock = PgLock.on(connection).advisory("nightly-report").acquire()) {
 *     connection.setAutoCommit(false); // the transaction inside, so that the lock is released after the commit or rollback
 *     report(connection);
 * }
 * }
 *
 * @see <a href="https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS">Advisory Locks</a>
 */
public final class LockHandle implements AutoCloseable {

    private final PgSession session;
    private final LockKey key;
    private final boolean shared;
    private final AdvisoryCalls calls;
    private final boolean enclosesTransactions;
    private volatile boolean open = true;

    LockHandle(PgSession session, LockKey key, boolean shared, AdvisoryCalls calls) {
        this.session = session;
        this.key = key;
        this.shared = shared;
        this.calls = calls;
        this.enclosesTransactions = !session.inTransaction();
    }

    /** What is locked. */
    public LockKey key() {
        return key;
    }

    /** Whether others may hold it too, in shared mode. */
    public boolean isShared() {
        return shared;
    }

    /**
     * Whether it has not been released and its connection is open, as far as the driver knows: that the server has ended the
     * session shows with the next statement. No round trip.
     */
    public boolean isHeld() {
        try {
            return open && !session.physical().isClosed();
        } catch (SQLException e) {
            return false;
        }
    }

    /**
     * Releases the lock, in one round trip; closing again does nothing. What was acquired more than once must be closed as
     * often.
     *
     * <p>A transaction that was begun inside the lock and has failed is rolled back first: PostgreSQL takes no other statement
     * there, and nothing of it could be committed.
     *
     * <p>Inside an open transaction nobody else gets the lock before that ends: the transaction takes it over, so that what
     * was protected is committed before the next one reads it. {@link #releaseNow()} does not wait for that.
     *
     * @throws LockLostException when the lock was gone: the connection was closed first, the session was ended, or somebody
     *     unlocked it behind this handle's back. What it protected may have run twice
     * @throws IllegalStateException in a transaction that was begun before the lock was acquired and has failed, because it
     *     may have a savepoint to go back to. The lock is still held: roll back, then close again
     * @throws PgLockException when the server fails; the lock may still be held, and may be closed again
     */
    @Override
    public synchronized void close() {
        release(false);
    }

    /**
     * Releases the lock at once, even inside an open transaction: the next one to take it may then not see yet what this
     * transaction has written. Outside a transaction, and in what it throws, the same as {@link #close()}.
     */
    public synchronized void releaseNow() {
        release(true);
    }

    private void release(boolean now) {
        if (!open) {
            return;
        }
        try {
            if (session.connection().isClosed()) {
                open = false;
                throw new LockLostException(
                        key + ": the connection was closed before the lock was released. If a pool keeps the"
                                + " session, it keeps the lock too: close the lock first.");
            }
            if (enclosesTransactions) {
                session.rollBackFailed();
            } else if (session.inFailedTransaction()) {
                throw new IllegalStateException(
                        key + ": cannot be released in a transaction that has failed and is still"
                                + " held. Roll it back, then close() again.");
            }
            boolean released = calls.release(now);
            open = false;
            if (!released) {
                throw new LockLostException(key + ": was not held any more when it was to be released. Somebody called"
                        + " pg_advisory_unlock, pg_advisory_unlock_all or DISCARD ALL on this session.");
            }
        } catch (SQLException e) {
            throw failed(e);
        }
    }

    private PgLockException failed(SQLException e) {
        try {
            if (session.physical().isClosed() || session.connection().isClosed()) {
                open = false;
                return new LockLostException(key + ": lost with its session: " + e.getMessage(), e);
            }
        } catch (SQLException another) {
            e.addSuppressed(another);
        }
        return new PgLockException(key + ": not released, close() again: " + e.getMessage(), e);
    }

    /** {@code nightly-report (-8663603374018903193), held}. */
    @Override
    public String toString() {
        return key + (shared ? ", shared" : "") + (isHeld() ? ", held" : ", not held");
    }
}
