// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import io.pglock.LockNotSupportedException;
import io.pglock.PgLockException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Collections;
import java.util.Map;
import java.util.WeakHashMap;
import org.postgresql.core.BaseConnection;
import org.postgresql.core.TransactionState;

/**
 * The PostgreSQL session behind a JDBC connection, whatever wraps it: what the driver knows without a round trip, and what
 * the server was asked once ({@link #facts()}). Cheap to make, one per call; as thread-safe as the connection. Not API.
 */
public final class PgSession {

    /**
     * What the server said about a physical connection. Asked once: a session neither changes its server nor goes from
     * primary to standby. The reverse happens (a promotion), so a standby is asked again.
     *
     * @param pid {@code pg_backend_pid()}
     * @param standby whether the server was in recovery
     * @param serverStart {@code pg_postmaster_start_time()}, exact; with the pid this tells servers apart
     * @param start when the session began, in microseconds: the server gives its pid to another one some day
     */
    public record Facts(int pid, boolean standby, String serverStart, long start) {}

    private static final Map<BaseConnection, Facts> KNOWN = Collections.synchronizedMap(new WeakHashMap<>());

    private final Connection connection;
    private final BaseConnection physical;
    private final int majorVersion;

    private PgSession(Connection connection, BaseConnection physical) throws SQLException {
        this.connection = connection;
        this.physical = physical;
        this.majorVersion = physical.getMetaData().getDatabaseMajorVersion();
    }

    /**
     * @throws LockNotSupportedException when it is not a PostgreSQL connection
     * @throws PgLockException when it is closed
     */
    public static PgSession of(Connection connection) {
        try {
            if (connection.isClosed()) {
                throw new PgLockException("The connection is closed. Take an open one from its DataSource.");
            }
            if (!connection.isWrapperFor(BaseConnection.class)) {
                throw new LockNotSupportedException(
                        "Not a PostgreSQL connection: "
                                + connection.getMetaData().getDatabaseProductName() + " through "
                                + connection.getClass().getName()
                                + ". pglock needs org.postgresql's driver, directly or behind a java.sql.Wrapper that unwraps to it.");
            }
            return new PgSession(connection, connection.unwrap(BaseConnection.class));
        } catch (SQLException e) {
            throw new PgLockException("The connection cannot be used: " + e.getMessage(), e);
        }
    }

    /** Ends a session from this side, whatever the server still does for it: nothing more is read, and no pool gets it back. */
    static void cut(Connection connection) {
        try (connection) {
            if (connection.isWrapperFor(BaseConnection.class)) {
                connection.unwrap(BaseConnection.class).abort(Runnable::run);
            }
        } catch (SQLException e) {
            // it is beyond use either way
        }
    }

    /** The connection as the caller gave it: statements go through it, so that pools see them. */
    public Connection connection() {
        return connection;
    }

    /** The driver's own connection, whatever wraps it: the identity of the session in this JVM. */
    public BaseConnection physical() {
        return physical;
    }

    /** Whether that failure is the end of the session: it says so, or the driver has closed the connection for it. */
    public boolean isLost(SQLException failure) {
        try {
            return SqlState.isConnectionLost(failure) || physical.isClosed();
        } catch (SQLException another) {
            return true;
        }
    }

    /** Whether it is in the hands of a pool or the like, which gets it back when the connection is closed. */
    boolean isWrapped() {
        return connection != physical;
    }

    /** The server's version 10 to 18, without a round trip. */
    public int majorVersion() {
        return majorVersion;
    }

    /** Inside a transaction that PostgreSQL has begun, healthy or failed; autocommit does not matter. */
    public boolean inTransaction() {
        return physical.getTransactionState() != TransactionState.IDLE;
    }

    /** Inside a transaction that has failed: only a rollback is possible. */
    public boolean inFailedTransaction() {
        return physical.getTransactionState() == TransactionState.FAILED;
    }

    /** Whether the next statement begins a transaction, or one is open: the place for transaction-level locks. */
    public boolean transactional() throws SQLException {
        return inTransaction() || !connection.getAutoCommit();
    }

    /** @throws PgLockException when the connection has been closed since */
    public void requireOpen(String what) throws SQLException {
        if (connection.isClosed()) {
            throw new PgLockException(what + ": the connection is closed. Take an open one from its DataSource.");
        }
    }

    /** @throws PgLockException when the transaction has failed */
    public void requireUsable(String what) {
        if (inFailedTransaction()) {
            throw new PgLockException(
                    what + ": this transaction has failed and takes no more statements. Roll it back first.");
        }
    }

    /**
     * @throws LockNotSupportedException when a pooler sits in between: what this session locks or sets need not be there
     *     for the next statement
     */
    public void requireDirect(String what) throws SQLException {
        Facts facts = facts();
        if (isBehindPooler()) {
            throw new LockNotSupportedException(
                    what + ": session locks and settings do not survive transaction pooling (backend "
                            + facts.pid()
                            + " is behind a pooler). Do it inside a transaction (a lock: acquireXact()), or connect directly"
                            + " to the server.");
        }
    }

    /** Whether what is set for the session need not be there for its next transaction. */
    public boolean isBehindPooler() throws SQLException {
        return facts().pid() != physical.getBackendPID();
    }

    /** @throws LockNotSupportedException on a standby, where an advisory or table lock excludes nobody on the primary */
    public void requirePrimary(String what) throws SQLException {
        if (facts().standby()) {
            throw new LockNotSupportedException(what
                    + ": this server is a hot standby; a lock taken here excludes nobody on the primary. Connect to the primary"
                    + " (targetServerType=primary).");
        }
    }

    /**
     * Rolls back a transaction that has failed, however it was begun. For what encloses it and cannot be put right inside:
     * nothing of such a transaction can be committed any more.
     */
    public void rollBackFailed() throws SQLException {
        if (inFailedTransaction()) {
            Pipeline.run(this, Sql.ROLLBACK, Pipeline.NOTHING);
        }
    }

    /** Whether {@link #facts} are known, without a round trip. */
    public boolean hasFacts() {
        return KNOWN.containsKey(physical);
    }

    /** One round trip for a physical connection not seen before, none later. */
    public Facts facts() throws SQLException {
        Facts known = KNOWN.get(physical);
        if (known != null) {
            return known;
        }
        Facts facts = withoutTransaction(() -> {
            try (Statement statement = connection.createStatement();
                    ResultSet row = statement.executeQuery(Sql.SESSION_FACTS)) {
                row.next();
                return new Facts(row.getInt(1), row.getBoolean(2), row.getString(3), row.getLong(4));
            }
        });
        if (!facts.standby() && facts.pid() == physical.getBackendPID()) {
            KNOWN.put(physical, facts);
        }
        return facts;
    }

    /** A statement or two on the session. */
    @FunctionalInterface
    public interface Work<T> {
        T run() throws SQLException;
    }

    /**
     * Runs a statement that must not begin a transaction: where autocommit is off and none is open, PostgreSQL would
     * otherwise be left idle in transaction. Inside a transaction it runs as part of it.
     */
    public <T> T withoutTransaction(Work<T> work) throws SQLException {
        if (physical.getAutoCommit() || inTransaction()) {
            return work.run();
        }
        physical.setAutoCommit(true);
        T result;
        try {
            result = work.run();
        } catch (SQLException | RuntimeException | Error e) {
            try {
                physical.setAutoCommit(false);
            } catch (SQLException another) { // the session is gone, and why says the first one
                e.addSuppressed(another);
            }
            throw e;
        }
        physical.setAutoCommit(false);
        return result;
    }
}
