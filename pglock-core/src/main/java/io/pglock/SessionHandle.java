// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import io.pglock.internal.AdvisoryCalls;
import io.pglock.internal.Hold;
import io.pglock.internal.PgSession;
import java.sql.SQLException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A lock that your own session holds. What it finds out about its session it finds out on the thread that calls it. */
final class SessionHandle implements LockHandle {

    private static final String CLOSED_FIRST =
            ": the connection was closed before the lock was released. If a pool keeps the session, it keeps the lock too:"
                    + " close the lock first.";

    private static final String GONE =
            ": lost with its session: the connection is closed. Where it is you who closes it, close the lock first.";

    private final PgSession session;
    private final LockKey key;
    private final boolean shared;
    private final AdvisoryCalls calls;
    private boolean enclosesTransactions;
    private final Hold hold = new Hold(Runnable::run);
    private @Nullable Long token;

    SessionHandle(PgSession session, LockKey key, boolean shared, AdvisoryCalls calls) {
        this.session = session;
        this.key = key;
        this.shared = shared;
        this.calls = calls;
        this.enclosesTransactions = !session.inTransaction();
    }

    @Override
    public LockKey key() {
        return key;
    }

    @Override
    public List<LockKey> keys() {
        return List.of(key);
    }

    @Override
    public boolean isShared() {
        return shared;
    }

    @Override
    public boolean isHeld() {
        if (hold.isHeld() && isSessionClosed()) {
            hold.lose(new Hold.Loss(key + GONE, null));
        }
        return hold.isHeld();
    }

    private boolean isSessionClosed() {
        try {
            return session.physical().isClosed();
        } catch (SQLException e) {
            return true;
        }
    }

    @Override
    public LockHandle onLost(Runnable action) {
        hold.onLost(action);
        return this;
    }

    @Override
    public synchronized long fencingToken() {
        if (!isHeld()) {
            if (hold.isLost()) {
                throw new LockLostException(key + ": is lost, and takes no fencing token any more.");
            }
            throw new IllegalStateException(key + ": was released. Ask for the fencing token while it is held.");
        }
        if (token != null) {
            return token;
        }
        try {
            requireNotGivenBack();
            requireYoungerTransaction();
            long taken = calls.fencingToken();
            token = taken;
            return taken;
        } catch (SQLException e) {
            throw isHeld()
                    ? new PgLockException(key + ": no fencing token: " + e.getMessage(), e)
                    : new LockLostException(key + ": lost with its session: " + e.getMessage(), e);
        }
    }

    /** A pool may have lent the session to somebody else by now. */
    private void requireNotGivenBack() throws SQLException {
        if (session.connection().isClosed()) {
            hold.lose(new Hold.Loss(key + CLOSED_FIRST, null));
            throw new LockLostException(key + CLOSED_FIRST);
        }
    }

    private void requireYoungerTransaction() {
        if (!session.inTransaction()) {
            enclosesTransactions = true; // the one that it was acquired in has ended
        } else if (!enclosesTransactions) {
            throw new IllegalStateException(key
                    + ": was acquired inside a transaction. If that is the one that is open, its id may be older than the"
                    + " lock and is no fencing token. Ask where no transaction is open.");
        }
    }

    @Override
    public synchronized void close() {
        release(false);
    }

    @Override
    public synchronized void releaseNow() {
        release(true);
    }

    private void release(boolean now) {
        Hold.Loss known = hold.takeLoss();
        if (known != null) {
            throw new LockLostException(known.message());
        }
        if (!hold.isHeld()) {
            return;
        }
        try {
            if (session.connection().isClosed()) {
                throw lost(key + (isSessionClosed() ? GONE : CLOSED_FIRST), null);
            }
            if (enclosesTransactions) {
                session.rollBackFailed();
            } else if (session.inFailedTransaction()) {
                throw new IllegalStateException(
                        key + ": cannot be released in a transaction that has failed and is still"
                                + " held. Roll it back, then close() again.");
            }
            if (!released(now)) {
                throw lost(
                        key + ": was not held any more when it was to be released. Somebody called"
                                + " pg_advisory_unlock, pg_advisory_unlock_all or DISCARD ALL on this session, or another"
                                + " session got it when a release that failed had let go of it.",
                        null);
            }
            hold.release();
        } catch (SQLException e) {
            throw failed(e);
        }
    }

    /**
     * A cancel that was meant for the work may arrive as late as this, and end the transaction that the work has left open: then
     * nobody could close again who does not know of it.
     */
    private boolean released(boolean now) throws SQLException {
        try {
            return calls.release(now);
        } catch (SQLException e) {
            if (!enclosesTransactions || session.isLost(e) || !session.inFailedTransaction()) {
                throw e;
            }
            session.rollBackFailed();
            calls.release(now); // whether it still was to be released or not
            hold.release();
            throw new PgLockException(
                    key + ": released, and the transaction in which it was to be was rolled back, for it had failed: "
                            + e.getMessage(),
                    e);
        }
    }

    private PgLockException failed(SQLException e) {
        try {
            if (session.physical().isClosed() || session.connection().isClosed()) {
                return lost(key + ": lost with its session: " + e.getMessage(), e);
            }
        } catch (SQLException another) {
            e.addSuppressed(another);
        }
        return new PgLockException(key + ": not released, close() again: " + e.getMessage(), e);
    }

    /** Whoever wanted to know is told first. */
    private LockLostException lost(String message, @Nullable SQLException cause) {
        hold.lose(new Hold.Loss(message, cause));
        hold.takeLoss();
        return cause == null ? new LockLostException(message) : new LockLostException(message, cause);
    }

    /** {@code nightly-report (-8663603374018903193), held}. */
    @Override
    public String toString() {
        return key + (shared ? ", shared" : "") + (isHeld() ? ", held" : ", not held");
    }
}
