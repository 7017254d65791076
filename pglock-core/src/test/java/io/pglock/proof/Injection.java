// SPDX-License-Identifier: Apache-2.0
package io.pglock.proof;

import io.pglock.testkit.TcpProxy;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import javax.sql.DataSource;
import org.postgresql.jdbc.PgConnection;

/**
 * What goes wrong with a session at a random moment: another session cancels its statement or ends it, the driver cancels the
 * statement, the thread is interrupted, the network breaks. Thread-safe.
 */
final class Injection implements AutoCloseable {

    private static final int THREADS = 2;

    /** The sessions of clients and of watches. */
    private static final String KILL_OWN = """
            select pg_terminate_backend(pid) from pg_stat_activity
            where datname = current_database() and application_name like '%pglock%' and pid <> pg_backend_pid()""";

    /** A session as it can be hit. */
    record Target(PgConnection connection, int pid, Thread thread, Optional<TcpProxy> network) {}

    private final Counts counts;
    private final ExecutorService threads = Executors.newFixedThreadPool(THREADS, work -> {
        Thread thread = new Thread(work, "injection");
        thread.setDaemon(true);
        return thread;
    });
    private final Connection connection;

    Injection(DataSource dataSource, Counts counts) throws SQLException {
        this.connection = dataSource.getConnection();
        this.counts = counts;
    }

    /** Draws what happens and when; the result is there when it has happened. */
    Future<?> soon(Random random, Target target) {
        int kind = random.nextInt(200);
        long delay = TimeUnit.MICROSECONDS.toNanos(random.nextInt(2_000));
        Future<?> happening;
        if (target.network().isPresent() && random.nextInt(4) == 0) {
            TcpProxy network = target.network().get();
            happening = after(delay, "network lost", () -> {
                network.cutSilently();
                LockSupport.parkNanos(delay);
                network.reset();
                return true;
            });
        } else if (kind < 90) {
            happening = after(delay, "pg_cancel_backend", () -> signal("select pg_cancel_backend(?)", target.pid()));
        } else if (kind < 135) {
            happening = after(delay, "Statement.cancel", () -> {
                target.connection().cancelQuery();
                return true;
            });
        } else if (kind < 180) {
            happening = after(delay, "interrupt", () -> {
                target.thread().interrupt();
                return true;
            });
        } else if (kind < 197) {
            happening = after(delay, "kill", () -> signal("select pg_terminate_backend(?)", target.pid()));
        } else {
            happening = after(delay, "kill of pglock's own sessions", () -> signal(KILL_OWN));
        }
        return happening;
    }

    private Future<?> after(long delay, String what, Callable<Boolean> happening) {
        return threads.submit(() -> {
            LockSupport.parkNanos(delay);
            try {
                if (happening.call()) {
                    counts.add("injected: " + what);
                }
            } catch (SQLException e) {
                counts.add("not injected: " + e.getSQLState()); // the connection is gone already
            }
            return null;
        });
    }

    private boolean signal(String sql, Object... parameters) throws SQLException {
        synchronized (connection) {
            try (PreparedStatement statement = connection.prepareStatement(sql)) {
                for (int i = 0; i < parameters.length; i++) {
                    statement.setObject(i + 1, parameters[i]);
                }
                try (ResultSet row = statement.executeQuery()) {
                    return row.next() && row.getBoolean(1);
                }
            }
        }
    }

    @Override
    public void close() throws SQLException {
        threads.shutdownNow();
        connection.close();
    }
}
