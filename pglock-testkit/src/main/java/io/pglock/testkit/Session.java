// SPDX-License-Identifier: Apache-2.0
package io.pglock.testkit;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;

/**
 * An actor of a {@link Scenario}: one connection whose application name is the name of the session, and one thread that does
 * everything on it in order, so that a statement that waits for a lock does not hold up the test.
 *
 * {@snippet :
 * Session web = scenario.session("web");
 * web.begin();
 * web.execute("update orders set paid = true");   // waits for the end
 * Running more = web.start("lock table items");   // does not
 * }
 *
 * <p>Failures that a test does not expect are {@link AssertionError}s. For those that it does there is
 * {@link Running#awaitFailure()}. This class is thread-safe.
 */
public final class Session implements AutoCloseable {
    private final Scenario scenario;
    private final String name;
    private final Connection connection;
    private final int pid;
    private final ExecutorService executor;
    private final AtomicReference<@Nullable Thread> thread = new AtomicReference<>();
    private final AtomicReference<@Nullable Call<?>> latest = new AtomicReference<>();

    Session(Scenario scenario, String name, Connection connection) {
        this.scenario = scenario;
        this.name = name;
        this.connection = connection;
        try {
            this.pid = connection.unwrap(PGConnection.class).getBackendPID();
        } catch (SQLException e) {
            throw new IllegalStateException(name + ": " + e.getMessage(), e);
        }
        this.executor = Executors.newSingleThreadExecutor(work -> {
            var own = new Thread(work, "testkit-session-" + name);
            own.setDaemon(true);
            thread.set(own);
            return own;
        });
    }

    /** The name it was opened with, which is its {@code application_name}. */
    public String name() {
        return name;
    }

    /** The process id of its backend. */
    public int pid() {
        return pid;
    }

    /** Its connection. Use it while nothing else goes on in the session. */
    public Connection connection() {
        return connection;
    }

    /** Runs statements one by one and waits for the end. Gives the rows of the last query, like {@link Running#result()}. */
    public List<String> execute(String... sql) {
        return start(sql).await();
    }

    /** Runs a query and gives the first column of its only row as text. */
    public String value(String sql) {
        List<String> rows = execute(sql);
        if (rows.size() != 1) {
            throw new AssertionError(name + ": " + sql + " was expected to give one row, and gave " + rows);
        }
        return rows.get(0);
    }

    /** Begins a transaction. */
    public void begin() {
        execute("begin");
    }

    /** Commits. */
    public void commit() {
        execute("commit");
    }

    /** Rolls back. */
    public void rollback() {
        execute("rollback");
    }

    /** Runs statements one by one without waiting for them. */
    public Running start(String... sql) {
        String what = name + ": " + String.join("; ", sql);
        return submit(new Running(what, scenario, () -> {
            List<String> rows = List.of();
            for (String one : sql) {
                rows = executeNow(one);
            }
            return rows;
        }));
    }

    /** Does something with the connection on the thread of the session, without waiting for it. */
    public <T extends @Nullable Object> Call<T> run(CheckedFunction<Connection, T> work) {
        return submit(new Call<>(name + ": work on its connection", scenario, () -> work.apply(connection)));
    }

    /**
     * Asks PostgreSQL to cancel the statement that is running, with {@code pg_cancel_backend}. Wait for the statement first,
     * for example with {@link Scenario#awaitBlocked(Session...)}: a cancel that comes too early does nothing.
     */
    public void cancel() {
        scenario.signal("pg_cancel_backend", pid);
    }

    /** Interrupts the thread of the session in what it was told to do last, as soon as that has begun. */
    public void interrupt() {
        Call<?> going = latest.get();
        Thread own = thread.get();
        if (going == null || own == null) {
            throw new IllegalStateException(name + ": nothing has run in this session yet");
        }
        scenario.await(going + " to begin", going::hasBegun);
        own.interrupt();
    }

    /** Terminates the backend with {@code pg_terminate_backend} and waits until it is gone. */
    public void kill() {
        scenario.signal("pg_terminate_backend", pid);
        scenario.awaitGone(pid);
    }

    /** Ends the session, whatever it is doing, and waits until its backend is gone. Its transaction is rolled back. */
    @Override
    public void close() {
        Call<?> going = latest.get();
        if (going != null && !going.isDone()) {
            scenario.signal("pg_terminate_backend", pid);
            Await.within(Duration.ofSeconds(2), going + " to end", going::isDone);
        }
        executor.shutdownNow();
        try {
            connection.close();
            executor.awaitTermination(2, TimeUnit.SECONDS);
        } catch (SQLException e) {
            scenario.signal("pg_terminate_backend", pid);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        scenario.closed(this);
        scenario.awaitGone(pid);
    }

    @Override
    public String toString() {
        Call<?> call = latest.get();
        return name + " (pid " + pid + (call == null ? "" : ", latest: " + call) + ")";
    }

    private <C extends Call<?>> C submit(C call) {
        latest.set(call);
        executor.execute(call);
        return call;
    }

    private List<String> executeNow(String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            if (!statement.execute(sql)) {
                return List.of();
            }
            try (ResultSet rows = statement.getResultSet()) {
                return Rows.read(rows);
            }
        }
    }
}
