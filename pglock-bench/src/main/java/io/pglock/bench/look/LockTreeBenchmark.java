// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench.look;

import io.pglock.LockQuery;
import io.pglock.LockTree;
import io.pglock.PgLock;
import io.pglock.bench.Server;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** Reading the lock tree while a queue of {@code ALTER TABLE} stands behind one idle transaction; each waits for all ahead. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
public class LockTreeBenchmark {

    @Param({"1", "20", "120"})
    public int waiters;

    private final Server server = new Server();
    private final List<Connection> sessions = new ArrayList<>();
    private final List<Thread> threads = new ArrayList<>();
    private final Connection connection;
    private final LockQuery locks;

    public LockTreeBenchmark() {
        connection = server.connect();
        locks = PgLock.on(connection).locks();
    }

    @Setup
    public void queueUp() throws SQLException, InterruptedException {
        execute(connection, "create table queue (id int)");
        Connection holder = open();
        holder.setAutoCommit(false);
        execute(holder, "select * from queue");
        for (int number = 1; number <= waiters; number++) {
            Connection waiter = open();
            Thread thread = new Thread(() -> alter(waiter));
            thread.start();
            threads.add(thread);
            awaitWaiting(number);
        }
    }

    @TearDown
    public void leave() throws SQLException, InterruptedException {
        execute(
                connection,
                "select pg_terminate_backend(pid) from pg_stat_activity"
                        + " where datname = current_database() and pid <> pg_backend_pid()");
        for (Thread thread : threads) {
            thread.join();
        }
        for (Connection session : sessions) {
            session.close();
        }
        connection.close();
        server.close();
    }

    @Benchmark
    public LockTree tree() {
        return locks.tree();
    }

    private Connection open() throws SQLException {
        Connection session = server.connect();
        sessions.add(session);
        return session;
    }

    private static void alter(Connection waiter) {
        try {
            execute(waiter, "alter table queue add column if not exists note text");
        } catch (SQLException terminated) {
            // the end of the benchmark
        }
    }

    private void awaitWaiting(int count) throws SQLException, InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
        try (Statement statement = connection.createStatement()) {
            while (true) {
                try (ResultSet row = statement.executeQuery("select count(*) from pg_locks where not granted")) {
                    row.next();
                    if (row.getInt(1) >= count) {
                        return;
                    }
                }
                if (System.nanoTime() > deadline) {
                    throw new IllegalStateException(count + " sessions were to wait for a lock within 10s");
                }
                TimeUnit.MILLISECONDS.sleep(1);
            }
        }
    }

    private static void execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}
