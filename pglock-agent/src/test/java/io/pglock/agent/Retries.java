// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent;

import static io.pglock.agent.Readings.elsewhere;
import static io.pglock.agent.Readings.execute;
import static io.pglock.agent.Readings.sqlState;
import static io.pglock.agent.Readings.value;

import com.zaxxer.hikari.HikariDataSource;
import io.pglock.LockPolicy;
import io.pglock.annotation.WithLockTimeout;
import io.pglock.annotation.WithPriority;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** An application whose methods are run again for what others have done on their connections: an inner method, another thread, an outer one. */
final class Retries {

    private static final String ALTER = "alter table orders add column if not exists x int";

    /** At one page for each pause, the worker is at it for longer than the test. */
    private static final String SLOWLY =
            "autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1, autovacuum_vacuum_threshold = 1,"
                    + " autovacuum_vacuum_scale_factor = 0";

    private static final String WORKER = "select count(*) = 1 from pg_locks l join pg_stat_activity a using (pid)"
            + " where l.relation = 'busy'::regclass and l.mode = 'ShareUpdateExclusiveLock' and l.granted"
            + " and a.backend_type = 'autovacuum worker'";

    private static final String WAITS =
            "select count(*) = 1 from pg_stat_activity where application_name = 'pool' and wait_event_type = 'Lock'";

    private final Readings readings;
    private final HikariDataSource pool;

    private Retries(Readings readings) {
        this.readings = readings;
        this.pool = pool(readings, 1);
    }

    private static HikariDataSource pool(Readings readings, int size) {
        HikariDataSource pool = new HikariDataSource();
        pool.setJdbcUrl(readings.url("&ApplicationName=pool"));
        pool.setUsername(readings.user());
        pool.setPassword(readings.password());
        pool.setMaximumPoolSize(size);
        return pool;
    }

    public static void main(String... arguments) throws Exception {
        Retries all = new Retries(Readings.of(arguments));
        if (arguments.length == 3) {
            all.everything();
        } else {
            all.readings.reading("past an autovacuum", all::pastAnAutovacuum);
        }
        all.pool.close();
        all.readings.line("armed", Readings.armed());
    }

    private void everything() throws Exception {
        try (Connection connection = readings.connect()) {
            execute(connection, "create table if not exists orders (id int)");
            execute(connection, "create table if not exists noted (id int)");
        }
        readings.reading("by an inner one", this::byAnInnerOne);
        readings.reading("given up", this::givenUp);
        readings.reading("once", this::once);
        readings.reading("handed on", this::handedOn);
        readings.reading("inside an outer one's transaction", this::insideAnOuterOnesTransaction);
        readings.reading("inside the caller's transaction", this::insideTheCallersTransaction);
        readings.reading("beside the caller's transaction", this::besideTheCallersTransaction);
        readings.reading("once, a block", this::onceABlock);
        readings.reading("once, a batch", this::onceABatch);
    }

    // ---- its methods ------------------------------------------------------------------------------------------------

    @WithLockTimeout(value = "300ms", settings = "retryDeadline=20s retryDelay=50ms")
    private void patient(Readings.Work work) throws Exception {
        work.run();
    }

    @WithLockTimeout(value = "300ms", settings = "retryAttempts=2 retryDelay=50ms")
    @WithPriority(LockPolicy.Priority.REPORT)
    private void twice(Readings.Work work) throws Exception {
        work.run();
    }

    @WithLockTimeout("300ms")
    @WithPriority(LockPolicy.Priority.REPORT)
    private void around(Readings.Work work) throws Exception {
        work.run();
    }

    /** One that watches for its blockers itself. */
    @WithLockTimeout("200ms")
    @WithPriority(value = LockPolicy.Priority.REPORT, settings = "pollInterval=20ms")
    private void inner(Readings.Work work) throws Exception {
        work.run();
    }

    /** One that soon makes way for who waits behind it, wherever it can come back. */
    @WithLockTimeout(value = "1s", settings = "retryDeadline=20s retryDelay=50ms")
    @WithPriority(value = LockPolicy.Priority.REPORT, settings = "maxBlockedTime=50ms pollInterval=20ms")
    private void considerate(Readings.Work work) throws Exception {
        work.run();
    }

    /** One attempt is over before PostgreSQL would send an autovacuum away. */
    @WithLockTimeout(value = "500ms", settings = "retryDeadline=20s retryDelay=50ms")
    @WithPriority(value = LockPolicy.Priority.REPORT, settings = "pollInterval=20ms")
    private void hasty(Readings.Work work) throws Exception {
        work.run();
    }

    /** One that says nothing of locks. */
    @WithLockTimeout(value = "none", statementTimeout = "60s")
    private void bounded(Readings.Work work) throws Exception {
        work.run();
    }

    // ---- what only an inner one does --------------------------------------------------------------------------------

    private void alterInside() throws Exception {
        inner(() -> {
            try (Connection connection = pool.getConnection()) {
                execute(connection, ALTER);
            }
        });
    }

    private Connection blocker() throws SQLException {
        Connection blocker = readings.connect("&ApplicationName=blocker");
        blocker.setAutoCommit(false);
        execute(blocker, "lock table orders");
        return blocker;
    }

    private void byAnInnerOne() throws Exception {
        int[] attempts = {0};
        try (Connection blocker = blocker()) {
            String state = sqlState(() -> patient(() -> {
                if (++attempts[0] == 2) {
                    blocker.rollback();
                }
                alterInside();
            }));
            readings.line("by an inner one", state, attempts[0]);
        }
    }

    private void givenUp() throws Exception {
        int[] attempts = {0};
        try (Connection blocker = blocker()) {
            String state = sqlState(() -> twice(() -> {
                attempts[0]++;
                alterInside();
            }));
            readings.line("given up", state, attempts[0]);
            blocker.rollback();
        }
    }

    private void once() throws Exception {
        int[] attempts = {0};
        try (Connection blocker = blocker()) {
            String state = sqlState(() -> around(() -> {
                attempts[0]++;
                alterInside();
            }));
            readings.line("once", state, attempts[0]);
            blocker.rollback();
        }
    }

    private void pastAnAutovacuum() throws Exception {
        try (Connection connection = readings.connect()) {
            execute(connection, "create table busy (id int) with (" + SLOWLY + ")");
            execute(connection, "insert into busy select generate_series(1, 100000)");
            execute(connection, "delete from busy");
            await(
                    "an autovacuum worker at the table",
                    () -> value(connection, WORKER).equals("t"));
        }
        String state = sqlState(() -> hasty(() -> bounded(() -> {
            try (Connection connection = pool.getConnection()) {
                execute(connection, "alter table busy add column note text");
            }
        })));
        readings.line("past an autovacuum", state);
    }

    // ---- in a transaction that it has not begun ---------------------------------------------------------------------

    private void insideAnOuterOnesTransaction() throws Exception {
        int[] attempts = {0};
        String state = withSomebodyBehind(
                readings,
                () -> patient(() -> {
                    attempts[0]++;
                    inTransaction(connection -> considerate(() -> execute(connection, ALTER)));
                }));
        readings.line("inside an outer one's transaction", state, attempts[0] > 1);
    }

    private void insideTheCallersTransaction() throws Exception {
        int[] attempts = {0};
        String state = withSomebodyBehind(
                readings,
                () -> inTransaction(connection -> considerate(() -> {
                    attempts[0]++;
                    execute(connection, ALTER);
                })));
        readings.line("inside the caller's transaction", state, attempts[0]);
    }

    /** Its own transaction could be done again, the caller's could not. */
    private void besideTheCallersTransaction() throws Exception {
        int[] attempts = {0};
        try (HikariDataSource two = pool(readings, 2)) {
            String state = withSomebodyBehind(
                    readings,
                    () -> inTransaction(
                            two,
                            outer -> considerate(() -> {
                                attempts[0]++;
                                execute(outer, "select 2 from pg_class limit 1");
                                inTransaction(two, own -> execute(own, ALTER));
                            })));
            readings.line("beside the caller's transaction", state, attempts[0]);
        }
    }

    private void inTransaction(Use use) throws Exception {
        inTransaction(pool, use);
    }

    private static void inTransaction(HikariDataSource pool, Use use) throws Exception {
        try (Connection connection = pool.getConnection()) {
            connection.setAutoCommit(false);
            try {
                execute(connection, "select 1");
                use.run(connection);
                connection.commit();
            } catch (SQLException e) {
                connection.rollback();
                throw e;
            }
        }
    }

    // ---- what is not sent twice, for a part of it may have been done ------------------------------------------------

    private void onceABlock() throws Exception {
        readings.line("once, a block", once(connection -> execute(connection, "do $$ begin " + ALTER + "; end $$")));
    }

    private void onceABatch() throws Exception {
        readings.line("once, a batch", once(connection -> {
            try (Statement statement = connection.createStatement()) {
                statement.addBatch("insert into noted values (1)");
                statement.addBatch(ALTER);
                statement.executeBatch();
            }
        }));
    }

    private String once(Use use) throws Exception {
        int[] attempts = {0};
        String state = withSomebodyBehind(
                readings,
                () -> considerate(() -> {
                    attempts[0]++;
                    try (Connection connection = pool.getConnection()) {
                        use.run(connection);
                    }
                }));
        return state + " " + attempts[0];
    }

    @FunctionalInterface
    private interface Use {
        void run(Connection connection) throws Exception;
    }

    /** Somebody reads, somebody comes to read while the work waits for the first; who leaves when the second has read. */
    static String withSomebodyBehind(Readings readings, Readings.Work work) throws Exception {
        try (Connection blocker = readings.connect("&ApplicationName=blocker");
                Connection behind = readings.connect("&ApplicationName=behind");
                Connection observer = readings.connect()) {
            blocker.setAutoCommit(false);
            execute(blocker, "select * from orders");
            CompletableFuture<String> through = elsewhere(() -> {
                await(
                        "the work to wait for its lock",
                        () -> value(observer, WAITS).equals("t"));
                String read = sqlState(() -> execute(behind, "select * from orders"));
                blocker.rollback();
                return read;
            });
            return sqlState(work) + " " + through.get(20, TimeUnit.SECONDS);
        }
    }

    // ---- what another thread does -----------------------------------------------------------------------------------

    /** The connection that it gives back is at once another thread's, which has waited for it and begins a transaction. */
    private void handedOn() throws Exception {
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch cameBack = new CountDownLatch(1);
        List<CompletableFuture<String>> waiting = new ArrayList<>();
        int[] attempts = {0};
        try (Connection blocker = blocker()) {
            String state = sqlState(() -> patient(() -> {
                if (++attempts[0] == 2) {
                    blocker.rollback();
                    cameBack.countDown();
                }
                try {
                    alterInTransaction(attempts[0] == 1 ? () -> waiting.add(waitFor(begun, cameBack)) : () -> {});
                } finally {
                    await(begun);
                }
            }));
            cameBack.countDown();
            readings.line("handed on", state, attempts[0], waiting.get(0).get(20, TimeUnit.SECONDS));
        }
    }

    private void alterInTransaction(Readings.Work before) throws Exception {
        try (Connection connection = pool.getConnection()) {
            connection.setAutoCommit(false);
            before.run();
            try {
                execute(connection, ALTER);
                connection.commit();
            } catch (SQLException e) {
                connection.rollback();
                throw e;
            }
        }
    }

    /** Is waited for until it waits for the connection. */
    private CompletableFuture<String> waitFor(CountDownLatch begun, CountDownLatch end) throws Exception {
        CompletableFuture<String> done = elsewhere(() -> {
            try (Connection connection = pool.getConnection()) {
                connection.setAutoCommit(false);
                String read = value(connection, "select count(*) from pg_class where relname = 'orders'");
                begun.countDown();
                await(end);
                connection.commit();
                return read;
            }
        });
        await(
                "the other thread to wait for the connection",
                () -> pool.getHikariPoolMXBean().getThreadsAwaitingConnection() == 1);
        return done;
    }

    private static void await(CountDownLatch latch) throws InterruptedException {
        if (!latch.await(20, TimeUnit.SECONDS)) {
            throw new AssertionError("waited 20 s for the other thread");
        }
    }

    @FunctionalInterface
    private interface Condition {
        boolean holds() throws Exception;
    }

    private static void await(String what, Condition condition) throws Exception {
        long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
        while (!condition.holds()) {
            if (System.nanoTime() > until) {
                throw new AssertionError("waited 30 s for " + what);
            }
        }
    }
}
