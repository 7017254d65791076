// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import io.pglock.internal.PgSession;
import io.pglock.internal.Sql;
import io.pglock.internal.Statements;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;

/**
 * A policy's timeouts on one unit's connection: local to the transaction where the unit has one, else the session's, and put
 * back. As thread-safe as the connection.
 */
final class UnitTimeouts implements AutoCloseable {

    private final PgSession session;
    private final LockPolicy policy;
    private final Deque<Runnable> scopes = new ArrayDeque<>();
    private boolean transactional;
    private Optional<LockTimeout> forStatement = Optional.empty();

    private UnitTimeouts(PgSession session, LockPolicy policy) {
        this.session = session;
        this.policy = policy;
    }

    static UnitTimeouts open(PgSession session, LockPolicy policy) throws SQLException {
        UnitTimeouts timeouts = new UnitTimeouts(session, policy);
        timeouts.open();
        return timeouts;
    }

    private void open() throws SQLException {
        transactional = session.transactional();
        PgLock lock = PgLock.on(session.connection());
        try {
            policy.statementTimeout().ifPresent(timeout -> scopes.push(lock.statementTimeout(timeout)::close));
            policy.lockTimeout().ifPresent(timeout -> scopes.push(lock.lockTimeout(timeout)::close));
        } catch (RuntimeException e) {
            try {
                close();
            } catch (RuntimeException alsoFailed) {
                e.addSuppressed(alsoFailed);
            }
            throw e;
        }
    }

    /** Whether {@link #beforeStatement} has anything to do; no round trip. */
    boolean concerns(String sql) throws SQLException {
        return policy.enabled()
                && (lostWithTheTransaction() || (!session.transactional() && Statements.concurrently(sql)));
    }

    /** A statement that says {@code CONCURRENTLY} waits by its own rule. */
    void beforeStatement(String sql) throws SQLException {
        if (!concerns(sql)) {
            return;
        }
        if (lostWithTheTransaction()) {
            scopes.clear();
            open();
        }
        if (!Statements.concurrently(sql) || forStatement.isPresent() || unitHasItsOwnLockTimeout()) {
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

    /** The host has gone over to autocommit after {@link #open}, as Flyway does on a single connection. */
    private boolean lostWithTheTransaction() throws SQLException {
        return transactional && !session.transactional();
    }

    /** What a unit sets itself is what it wants: it is left alone. */
    private boolean unitHasItsOwnLockTimeout() throws SQLException {
        try (Statement statement = session.connection().createStatement();
                ResultSet row = statement.executeQuery(Sql.LOCK_TIMEOUT_IN_FORCE)) {
            row.next();
            long ours = policy.lockTimeout().map(Duration::toMillis).orElse(-1L);
            return row.getBoolean(2) && row.getLong(1) != ours;
        }
    }

    /** Puts back what was there before, newest first; the others too where one fails. */
    @Override
    public void close() {
        try {
            afterStatement();
        } finally {
            closeNext();
        }
    }

    private void closeNext() {
        if (scopes.isEmpty()) {
            return;
        }
        try {
            scopes.pop().run();
        } finally {
            closeNext();
        }
    }
}
