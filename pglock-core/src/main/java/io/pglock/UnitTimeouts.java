// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import io.pglock.internal.PgSession;
import io.pglock.internal.SettingScope;
import io.pglock.internal.Sql;
import io.pglock.internal.Statements;
import io.pglock.internal.UnitCalls;
import io.pglock.internal.Wait;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A policy's timeouts on one unit's connection: local to the transaction where the unit has one, else the session's, and put
 * back. Where the unit is to be undone and run again inside its transaction, the savepoint for that goes along, in the same
 * round trips. As thread-safe as the connection.
 */
final class UnitTimeouts implements AutoCloseable {

    private final PgSession session;
    private final LockPolicy policy;
    private final boolean withSavepoint;
    private final boolean ahead;
    private SettingScope scope;
    private boolean due;
    private boolean savepoint;
    private boolean forgotten;
    private boolean seenItsEnd;
    private boolean joined;
    private boolean heldBeforeSavepoint;
    private Optional<Duration> ofAttempt = Optional.empty();

    /** What {@code lock_timeout} the session had, in milliseconds; asked only where the policy has none of its own. */
    private Optional<Integer> found = Optional.empty();

    private Optional<LockTimeout> forAttempt = Optional.empty();
    private Optional<LockTimeout> forStatement = Optional.empty();

    private UnitTimeouts(PgSession session, LockPolicy policy, boolean withSavepoint, boolean ahead) {
        this.session = session;
        this.policy = policy;
        this.withSavepoint = withSavepoint;
        this.ahead = ahead;
        this.due = ahead;
        this.scope = ahead ? SettingScope.open(session, List.of(), "") : open();
    }

    static UnitTimeouts open(PgSession session, LockPolicy policy, boolean withSavepoint) {
        return new UnitTimeouts(session, policy, withSavepoint, false);
    }

    /** They are set before the first statement that {@link #beforeStatement} is told of. */
    static UnitTimeouts ahead(PgSession session, LockPolicy policy, boolean withSavepoint) {
        return new UnitTimeouts(session, policy, withSavepoint, true);
    }

    private SettingScope open() {
        List<SettingScope.Change> changes = new ArrayList<>();
        policy.statementTimeout()
                .ifPresent(timeout -> changes.add(new SettingScope.Change(Sql.STATEMENT_TIMEOUT, millis(timeout))));
        ofAttempt
                .or(policy::lockTimeout)
                .ifPresent(timeout -> changes.add(new SettingScope.Change(Sql.LOCK_TIMEOUT, millis(timeout))));
        joined = session.inTransaction();
        SettingScope opened =
                SettingScope.open(session, changes, withSavepoint && !forgotten ? Sql.UNIT_SAVEPOINT : "");
        if (!opened.isLocal() && policy.enabled() && policy.lockTimeout().isEmpty() && found.isEmpty()) {
            found = Optional.of(asking(opened, () -> lockTimeoutInForce().millis()));
        }
        savepoint = withSavepoint && !forgotten && opened.isLocal();
        heldBeforeSavepoint = savepoint && joined && !ahead && asking(opened, () -> UnitCalls.holdsLocks(session));
        due = false;
        return opened;
    }

    @FunctionalInterface
    private interface Question<T> {
        T ask() throws SQLException;
    }

    /** @param opened what has just been set, and is not to stay there where this fails */
    private static <T> T asking(SettingScope opened, Question<T> question) {
        try {
            return ask(question);
        } catch (RuntimeException | Error e) {
            try {
                opened.close();
            } catch (RuntimeException another) {
                e.addSuppressed(another);
            }
            throw e;
        }
    }

    private static <T> T ask(Question<T> question) {
        try {
            return question.ask();
        } catch (SQLException e) {
            throw new PgLockException("The connection cannot be used: " + e.getMessage(), e);
        }
    }

    private static int millis(Duration timeout) {
        return Wait.millis(timeout, "none");
    }

    /** Whether there is a savepoint to go back to: not in autocommit. */
    boolean hasSavepoint() {
        return savepoint;
    }

    /**
     * Whether the transaction holds locks that others may wait for from before what is to be undone and run again: from before
     * the savepoint where the unit has one, else from before this moment. Then there is no attempt after the first one. Not asked where
     * they are set ahead, by a host that goes back to its savepoint in nobody else's transaction, nor where the transaction is
     * new; else one round trip where there is no savepoint.
     *
     * @param hasRun whether something was run in the unit before, perhaps in this transaction
     */
    boolean holdsLocksFromBefore(boolean hasRun) throws SQLException {
        if (withSavepoint) {
            return heldBeforeSavepoint;
        }
        return (joined || hasRun)
                && session.inTransaction()
                && !session.inFailedTransaction()
                && UnitCalls.holdsLocks(session);
    }

    /** The unit has ended the transaction itself, or may have: the savepoint is not to be touched any more. */
    void forgetSavepoint() {
        forgotten = true;
        savepoint = false;
    }

    /** Whether the unit has ended the transaction itself, as {@link #beforeStatement} or {@link #afterUnseenWork} has seen. */
    boolean hasSeenItsTransactionEnd() {
        return seenItsEnd;
    }

    /** Everything has been undone, perhaps with the transaction that these timeouts were local to: then they are set again. */
    void renew() throws SQLException {
        if (ahead) {
            beforeForeignStatement();
        } else if (!scope.isInForce()) {
            scope = open();
        }
    }

    /** A statement that is not the unit's comes, and may begin another transaction than the one that these were local to. */
    void beforeForeignStatement() {
        if (lostWithTheTransaction()) {
            due = true;
            savepoint = false;
        }
    }

    /** The unit may have ended the transaction and begun another, of which nobody was told. */
    void afterUnseenWork() throws SQLException {
        if (due || !scope.isLocal() || session.inFailedTransaction() || scope.isProvenInForce()) {
            return;
        }
        transactionHasEnded();
        due = true;
    }

    private void transactionHasEnded() {
        forgetSavepoint();
        seenItsEnd = true;
    }

    /** Whether {@link #beforeStatement} has anything to do; no round trip. */
    boolean concerns(String sql) throws SQLException {
        return policy.enabled()
                && (due || lostWithTheTransaction() || (!session.transactional() && Statements.concurrently(sql)));
    }

    /** A statement that says {@code CONCURRENTLY} waits by its own rule. */
    void beforeStatement(String sql) throws SQLException {
        if (!concerns(sql)) {
            return;
        }
        if (!due && lostWithTheTransaction()) {
            transactionHasEnded();
        }
        if (due || lostWithTheTransaction()) {
            scope = open();
        }
        if (session.transactional()
                || !Statements.concurrently(sql)
                || forStatement.isPresent()
                || unitHasItsOwnLockTimeout()) {
            return;
        }
        PgLock lock = PgLock.on(session.connection());
        forStatement = Optional.of(
                policy.concurrentLockTimeout().map(lock::lockTimeout).orElseGet(lock::noLockTimeout));
    }

    void afterStatement() {
        Optional<LockTimeout> ended = forStatement;
        forStatement = Optional.empty();
        ended.ifPresent(LockTimeout::close);
    }

    boolean insideStatement() {
        return forStatement.isPresent();
    }

    /** What one attempt waits for a lock, where that is not what the policy says; until {@link #attemptEnded}. */
    void attempt(Duration timeout) throws SQLException {
        ofAttempt = Optional.of(timeout);
        if (due && session.transactional()) {
            return;
        }
        forAttempt = Optional.of(PgLock.on(session.connection()).lockTimeout(timeout));
    }

    void attemptEnded() {
        ofAttempt = Optional.empty();
        Optional<LockTimeout> ended = forAttempt;
        forAttempt = Optional.empty();
        ended.ifPresent(LockTimeout::close);
    }

    /** The unit has ended the transaction itself, or the host has gone over to autocommit, as Flyway does on one connection. */
    private boolean lostWithTheTransaction() {
        return scope.isLocal() && !session.inTransaction();
    }

    /** What a unit sets itself is what it wants: it is left alone. */
    boolean unitHasItsOwnLockTimeout() throws SQLException {
        Optional<Integer> ours =
                ofAttempt.or(policy::lockTimeout).map(UnitTimeouts::millis).or(() -> found);
        InForce inForce = lockTimeoutInForce();
        return inForce.setInSession() && !ours.equals(Optional.of(inForce.millis()));
    }

    /** A timeout as the session has it, and whether that was set in it. */
    private record InForce(int millis, boolean setInSession) {}

    private InForce lockTimeoutInForce() throws SQLException {
        return session.withoutTransaction(() -> {
            try (Statement statement = session.connection().createStatement();
                    ResultSet row = statement.executeQuery(Sql.LOCK_TIMEOUT_IN_FORCE)) {
                row.next();
                return new InForce(row.getInt(1), row.getBoolean(2));
            }
        });
    }

    /** Puts back what was there before, newest first; the others too where one fails. */
    @Override
    public void close() {
        try {
            attemptEnded();
        } finally {
            try {
                afterStatement();
            } finally {
                if (!due || !scope.isLocal()) { // else they have gone with their transaction
                    scope.close(savepoint ? Sql.UNIT_RELEASE : "");
                }
                savepoint = false;
            }
        }
    }
}
