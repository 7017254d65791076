// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import io.pglock.LockKey;
import io.pglock.LockNotSupportedException;
import io.pglock.PgLockException;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.List;

/**
 * PostgreSQL's advisory lock functions for one key and mode on one session: one round trip each, and nothing left behind
 * when one fails. As thread-safe as the connection. Not API.
 */
public final class AdvisoryCalls {

    private final PgSession session;
    private final LockKey key;
    private final boolean shared;
    private final Sql.Advisory sql;

    public AdvisoryCalls(PgSession session, LockKey key, boolean shared) {
        this.session = session;
        this.key = key;
        this.shared = shared;
        this.sql = Sql.Advisory.of(key, shared);
    }

    /** Takes the lock for the session: it is held until {@link #release}. */
    public Attempt lock(Wait wait) {
        try {
            requireUsable();
            session.requireDirect(key.toString());
            session.requirePrimary(key.toString());
            Attempt attempt = session.withoutTransaction(() -> lockUndoing(wait));
            if (attempt.acquired()) {
                HeldKeys.of(session).taken(key, shared);
            }
            return attempt;
        } catch (SQLException e) {
            throw Failures.exception(key.toString(), e);
        }
    }

    private Attempt lockUndoing(Wait wait) throws SQLException {
        boolean guarded = session.inTransaction();
        try {
            if (wait.isTry()) {
                return tryOnce(guarded ? sql.tryLockGuarded() : sql.tryLock());
            }
            if (wait.isTimed()) {
                return waitFor(guarded ? sql.lockTimedGuarded() : sql.lockTimed(), wait);
            }
            return waitFor(guarded ? sql.lockGuarded() : sql.lock(), wait);
        } catch (SQLException e) {
            if (!undone(e)) {
                throw new PgLockException(
                        key
                                + ": the attempt failed, and so did releasing what it may have acquired. Close the connection, so that"
                                + " the session does not keep the lock. " + e.getMessage(),
                        e);
            }
            return Attempt.timedOutOrThrow(e);
        } catch (RuntimeException | Error e) {
            undone(e);
            throw e;
        }
    }

    /** PostgreSQL can grant and time out, or be cancelled, at once: the session would keep a lock nobody knows of. */
    private boolean undone(Throwable failure) {
        if (HeldKeys.of(session).count(key, shared) == 0) {
            return Failures.makeUpFor(failure, this::unlockIfHeld);
        }
        Failures.makeUpFor(failure, () -> Failures.rollBackToSavepoint(session));
        HeldKeys.of(session).oweUnlock(key, shared);
        return true;
    }

    /** Takes the lock for the transaction: it is held until that ends. */
    public Attempt lockXact(Wait wait) {
        try {
            requireUsable();
            if (!session.transactional()) {
                throw new LockNotSupportedException(
                        key + ": outside a transaction this lock would be released at once. Begin"
                                + " one (setAutoCommit(false)), or use acquire().");
            }
            session.requirePrimary(key.toString());
            if (wait.isTry()) {
                return tryOnce(sql.tryXactGuarded());
            }
            return waitFor(wait.isTimed() ? sql.xactTimedGuarded() : sql.xactGuarded(), wait);
        } catch (SQLException e) {
            Failures.makeUpFor(e, () -> Failures.rollBackToSavepoint(session));
            try {
                return Attempt.timedOutOrThrow(e);
            } catch (SQLException other) {
                throw Failures.exception(key.toString(), other);
            }
        }
    }

    /** Whether this session, or its transaction, holds the lock: as pg_locks says. */
    public boolean isHeld() {
        try {
            return session.withoutTransaction(
                    () -> !Pipeline.query(session, sql.isHeld(), parameters -> bindPgLocks(parameters, 1), row -> true)
                            .isEmpty());
        } catch (SQLException e) {
            throw Failures.exception(key.toString(), e);
        }
    }

    /** An id that this session's next, or present, transaction has got since the lock was acquired. */
    public long fencingToken() throws SQLException {
        return session.withoutTransaction(
                () -> Pipeline.query(session, Sql.FENCING_TOKEN, Pipeline.NOTHING, row -> row.getLong(1))
                        .get(0));
    }

    private void requireUsable() throws SQLException {
        session.requireOpen(key.toString());
        session.requireUsable(key.toString());
    }

    private Attempt tryOnce(String statement) throws SQLException {
        List<Boolean> granted =
                Pipeline.query(session, statement, parameters -> bindKey(parameters, 1), row -> row.getBoolean(1));
        return granted.contains(true) ? Attempt.ACQUIRED : Attempt.NOT_FREE;
    }

    private Attempt waitFor(String statement, Wait wait) throws SQLException {
        Pipeline.run(session, statement, parameters -> {
            int next = 1;
            if (wait.isTimed()) {
                parameters.setString(next++, wait.setting());
            }
            bindKey(parameters, next);
        });
        return Attempt.ACQUIRED;
    }

    /**
     * Releases the session's lock once; inside a transaction, unless {@code now}, not before that has ended: the transaction
     * takes the lock over (granted at once, the session has it) in the statement in which the session lets go.
     *
     * @return false when the session did not hold it
     */
    public boolean release(boolean now) throws SQLException {
        return session.withoutTransaction(() -> {
            boolean inTransaction = session.inTransaction();
            boolean handOver = inTransaction && !now;
            boolean released;
            try {
                released = releaseOnce(
                        handOver ? sql.handOver() : inTransaction ? sql.unlockGuarded() : sql.unlock(), handOver);
            } catch (SQLException e) {
                if (session.isLost(e)) {
                    throw e;
                }
                released = releaseAfter(e, handOver);
            }
            if (HeldKeys.of(session).released(key, shared)) {
                unlockIfHeld();
            }
            return released;
        });
    }

    private boolean releaseOnce(String statement, boolean handOver) throws SQLException {
        List<Boolean> released = Pipeline.query(
                session,
                statement,
                parameters -> {
                    int next = bindKey(parameters, 1);
                    if (handOver) {
                        bindKey(parameters, next);
                    }
                },
                row -> row.getBoolean(handOver ? 2 : 1));
        return released.contains(true);
    }

    /**
     * The statement that failed (a late cancel, say) may have released the lock or not.
     *
     * @return false when it had, and another session has it before the transaction could take it over
     */
    private boolean releaseAfter(SQLException failure, boolean handOver) throws SQLException {
        if (HeldKeys.of(session).count(key, shared) > 1) {
            Failures.makeUpFor(failure, () -> Failures.rollBackToSavepoint(session));
            HeldKeys.of(session).oweUnlock(key, shared);
            return true;
        }
        for (int tries = 0; tries < Failures.TRIES; tries++) {
            try {
                if (handOver) {
                    return handOverIfHeld();
                }
                unlockIfHeld();
                return true;
            } catch (SQLException again) {
                if (session.isLost(again)) {
                    again.addSuppressed(failure);
                    throw again;
                }
                failure.addSuppressed(again);
            }
        }
        throw failure;
    }

    /** Can fail and be done again; the caller's statement_timeout, which may be what failed, does not apply. */
    private void unlockIfHeld() throws SQLException {
        Failures.rollBackToSavepoint(session);
        String statements = Sql.UNTIMED + "; " + sql.unlockIfHeld();
        Pipeline.run(
                session,
                session.inTransaction() ? Sql.undone(statements) : statements,
                parameters -> bindIfHeld(parameters, 1));
    }

    /** @return whether the transaction has the lock */
    private boolean handOverIfHeld() throws SQLException {
        Failures.rollBackToSavepoint(session);
        return Pipeline.queryAll(
                        session,
                        Sql.guarded(sql.handOverIfHeld()),
                        parameters -> bindIfHeld(parameters, bindKey(parameters, 1)),
                        row -> row.getBoolean(1))
                .get(0);
    }

    private void bindIfHeld(PreparedStatement parameters, int from) throws SQLException {
        bindPgLocks(parameters, bindKey(parameters, from));
    }

    private void bindPgLocks(PreparedStatement parameters, int from) throws SQLException {
        parameters.setLong(from, key.classId());
        parameters.setLong(from + 1, key.objId());
        parameters.setInt(from + 2, key.objSubId());
    }

    /** @return the index of the next parameter */
    private int bindKey(PreparedStatement parameters, int from) throws SQLException {
        if (key.isPair()) {
            parameters.setInt(from, key.first());
            parameters.setInt(from + 1, key.second());
            return from + 2;
        }
        parameters.setLong(from, key.number());
        return from + 1;
    }
}
