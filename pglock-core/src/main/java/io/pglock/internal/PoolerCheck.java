// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import io.pglock.LockNotSupportedException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.postgresql.core.BaseConnection;

/**
 * Tells a pooler that gives each session a server of its own (session mode) from one that does so for a transaction only: a
 * second client begins a transaction, and either gets the backend of the first or makes that move to another. Stateless. Not API.
 */
final class PoolerCheck {

    private static final int ROUNDS = 3;
    private static final int SECONDS = 5;

    private PoolerCheck() {}

    /**
     * @param session behind a pooler, idle
     * @throws LockNotSupportedException when what it locks need not be there for the next statement
     */
    static void requireSessionMode(PgSession session, ConnectionSource source) throws SQLException {
        for (int round = 0; round < ROUNDS; round++) {
            requireOwnBackend(session, source);
        }
    }

    private static void requireOwnBackend(PgSession session, ConnectionSource source) throws SQLException {
        int own = pid(session.connection());
        try (Second second = new Second(source.connect())) {
            if (second.takes(own) || pid(session.connection()) != own) {
                throw refused(own);
            }
        }
    }

    /** The second client. */
    private record Second(Connection connection) implements AutoCloseable {

        /**
         * Whether it gets that backend, or no transaction. Where the pool gives out no second server it makes us wait; then it
         * counts whether the first one stays where it is.
         */
        boolean takes(int pid) throws SQLException {
            CompletableFuture<OptionalInt> its = new CompletableFuture<>();
            Thread asking = new Thread(() -> its.complete(pidInTransaction()), "pglock-pooler-check");
            asking.setDaemon(true);
            asking.start();
            try {
                OptionalInt got = its.get(SECONDS, TimeUnit.SECONDS);
                return got.isEmpty() || got.getAsInt() == pid;
            } catch (TimeoutException e) {
                return false;
            } catch (InterruptedException | ExecutionException e) {
                throw new SQLException("The check for a pooler was disturbed", SqlState.CONNECTION_FAILURE, e);
            }
        }

        private OptionalInt pidInTransaction() {
            try {
                connection.setAutoCommit(false);
                return OptionalInt.of(pid(connection));
            } catch (SQLException e) {
                return OptionalInt.empty(); // statement mode allows no transactions
            }
        }

        /** Cut: it may be stuck, and has nothing that is worth keeping. */
        @Override
        public void close() throws SQLException {
            try (connection) {
                connection.unwrap(BaseConnection.class).abort(Runnable::run);
            }
        }
    }

    private static int pid(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(Sql.BACKEND_PID)) {
            row.next();
            return row.getInt(1);
        }
    }

    private static LockNotSupportedException refused(int pid) {
        return new LockNotSupportedException(
                "LockClient: session locks do not survive transaction pooling (backend " + pid
                        + " is behind a pooler). Use acquireXact() inside a transaction, let the pooler use pool_mode=session for"
                        + " this database, or connect directly to the server.");
    }
}
