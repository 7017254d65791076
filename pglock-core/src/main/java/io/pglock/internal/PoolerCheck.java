// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import io.pglock.LockNotSupportedException;
import java.net.SocketTimeoutException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Tells a pooler that gives each session a server of its own (session mode) from one that does so for a transaction only: other
 * clients begin transactions and stay in them, and either one of them gets the backend of the first client, or there are
 * fewer and fewer left for that one to stay where it is by chance. Stateless. Not API.
 */
final class PoolerCheck {

    private static final int OTHERS = 3;
    private static final int QUESTIONS = 5;
    private static final int SECONDS = 3;

    private PoolerCheck() {}

    /**
     * @param session behind a pooler, idle
     * @throws LockNotSupportedException when what it locks need not be there for the next statement, or that cannot be told
     */
    static void requireSessionMode(PgSession session, ConnectionSource source) throws SQLException {
        int own = pid(session.connection());
        List<Other> others = new ArrayList<>();
        try {
            for (boolean served = true; served && others.size() < OTHERS; ) {
                Other other = Other.begin(source);
                others.add(other);
                served = isServed(other, session, own);
            }
        } finally {
            others.forEach(Other::close);
        }
    }

    /**
     * Whether the pool had a server for the other one as well. If not, and the first one is served all the same while that one
     * waits, then it has one of its own: it would have to wait its turn.
     */
    private static boolean isServed(Other other, PgSession session, int own) throws SQLException {
        Optional<Integer> its = other.pid(SECONDS);
        requireOther(its, own);
        requireStays(session, own);
        if (its.isEmpty()) {
            its = other.pid(0);
            requireOther(its, own);
        }
        if (its.isEmpty() && session.isWrapped()) {
            throw new LockNotSupportedException(
                    "LockClient: backend " + own
                            + " is behind a pooler, and whether it stays there takes a second connection to find out, which the"
                            + " DataSource has not handed out within " + SECONDS
                            + "s. Let its pool be larger, give LockClient a DataSource without one, or connect directly to the server.");
        }
        return its.isPresent();
    }

    private static void requireOther(Optional<Integer> its, int own) {
        if (its.isPresent() && (its.get() == own || its.get() == Other.WITHOUT_TRANSACTION)) {
            throw refused(own);
        }
    }

    private static void requireStays(PgSession session, int own) throws SQLException {
        int before = session.physical().getNetworkTimeout();
        session.physical().setNetworkTimeout(Runnable::run, (int) TimeUnit.SECONDS.toMillis(SECONDS));
        try {
            for (int i = 0; i < QUESTIONS; i++) {
                if (pid(session.connection()) != own) {
                    throw refused(own);
                }
            }
        } catch (SQLException e) {
            if (e.getCause() instanceof SocketTimeoutException) {
                throw refused(own); // it waits for the others to end
            }
            throw e;
        }
        session.physical()
                .setNetworkTimeout(Runnable::run, before); // what is refused is given back as it was found anyway
    }

    /** Another client, which begins a transaction on a thread of its own: it may have to wait for a server. */
    private static final class Other implements AutoCloseable {

        static final int WITHOUT_TRANSACTION = 0;

        private final CompletableFuture<Integer> pid = new CompletableFuture<>();
        private @Nullable Connection connection;
        private boolean closed;

        static Other begin(ConnectionSource source) {
            Other other = new Other();
            Daemon.start(() -> other.ask(source), "pglock-pooler-check");
            return other;
        }

        private void ask(ConnectionSource source) {
            try {
                Connection mine = source.connect();
                if (keep(mine)) {
                    pid.complete(pidInTransaction(mine));
                } else {
                    PgSession.cut(mine);
                }
            } catch (SQLException | RuntimeException e) {
                pid.completeExceptionally(e);
            }
        }

        private synchronized boolean keep(Connection mine) {
            connection = mine;
            return !closed;
        }

        private static int pidInTransaction(Connection mine) {
            try {
                mine.setAutoCommit(false);
                return PoolerCheck.pid(mine);
            } catch (SQLException e) {
                return WITHOUT_TRANSACTION; // statement mode allows none
            }
        }

        /** Empty while it waits for a server. */
        Optional<Integer> pid(int seconds) throws SQLException {
            try {
                return Optional.of(pid.get(seconds, TimeUnit.SECONDS));
            } catch (TimeoutException e) {
                return Optional.empty();
            } catch (ExecutionException e) {
                throw e.getCause() instanceof SQLException failure
                        ? failure
                        : new SQLException("The check for a pooler failed: " + e.getCause(), e);
            } catch (InterruptedException e) {
                throw new SQLException("The check for a pooler was interrupted", SqlState.CONNECTION_FAILURE, e);
            }
        }

        /** Cut: it may be stuck, and has nothing that is worth keeping. */
        @Override
        public void close() {
            Connection mine;
            synchronized (this) {
                closed = true;
                mine = connection;
            }
            if (mine != null) {
                PgSession.cut(mine);
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
