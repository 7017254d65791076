// SPDX-License-Identifier: Apache-2.0
package io.pglock.proof;

import io.pglock.AdvisoryLock;
import io.pglock.LockClient;
import io.pglock.LockGuard;
import io.pglock.LockHandle;
import io.pglock.LockKey;
import io.pglock.LockMode;
import io.pglock.LockPolicy;
import io.pglock.LockTimeout;
import io.pglock.PgLock;
import io.pglock.PgLockException;
import io.pglock.Prioritize;
import io.pglock.PriorityScope;
import io.pglock.StatementTimeout;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import javax.sql.DataSource;

/**
 * Scopes within scopes, drawn, on one connection, and what an application does in them. It closes what it opens, in the reverse
 * order, as try-with-resources does, and closes again only what says so. To be used by one thread.
 */
final class Walk {

    static final String TABLES = """
            create table t0 (id int primary key, note text);
            create table t1 (id int primary key, note text);
            insert into t0 select n, 'a' from generate_series(1, 50) n;
            """;

    private static final int DEPTH = 3;
    private static final LockKey[] KEYS = {LockKey.of(1), LockKey.of(2), LockKey.of(7, 1), LockKey.named("walk")};

    /** The application's own. */
    static final class Failed extends RuntimeException {
        private static final long serialVersionUID = 1;
    }

    /** What everybody shares. */
    record Surroundings(DataSource side, List<LockClient> clients, Injection injection, Counts counts) {}

    private final Random random;
    private final Connection connection;
    private final Surroundings around;
    private final Injection.Target target;
    private final PgLock pg;
    private final List<Future<?>> injected = new ArrayList<>();
    private final List<LockHandle> again = new ArrayList<>();
    private int savepoints;
    private boolean transactionEnded;
    private boolean mayHaveFailed;

    Walk(Random random, Connection connection, Surroundings around, Injection.Target target) {
        this.random = random;
        this.connection = connection;
        this.around = around;
        this.target = target;
        this.pg = PgLock.on(connection);
    }

    @FunctionalInterface
    private interface Work {
        void run() throws Exception;
    }

    /** The outermost scope. */
    void scope() throws Exception {
        scope(0);
    }

    /** Whether the transaction of before was committed or rolled back on the way. */
    boolean hasEndedTransaction() {
        return transactionEnded;
    }

    /** Whether something happened that makes a transaction fail; a lock that pglock did not get does not. */
    boolean mayHaveFailed() {
        return mayHaveFailed || !injected.isEmpty();
    }

    boolean wasInjected() {
        return !injected.isEmpty();
    }

    /** Waits until everything has happened that was to; an interrupt may be part of it. */
    void settle() throws ExecutionException {
        boolean interrupted = false;
        for (Future<?> each : injected) {
            while (!each.isDone()) {
                try {
                    each.get();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** Handles that could not be released in a transaction that has failed, and said so. */
    void closeAgain() {
        again.forEach(LockHandle::close);
    }

    // ---- scopes -----------------------------------------------------------------------------------------------------

    private void scope(int depth) throws Exception {
        int kind = random.nextInt(12);
        Work inside = () -> steps(depth + 1);
        switch (kind) {
            case 0, 1 -> lockTimeout(inside);
            case 2 -> statementTimeout(inside);
            case 3, 4 -> session(inside);
            case 5 -> run(inside);
            case 6 -> xact(inside);
            case 7 -> table(inside);
            case 8, 9 -> priority(inside);
            case 10 -> guard(inside);
            default -> client(inside);
        }
    }

    private void lockTimeout(Work inside) throws Exception {
        around.counts().add("scopes: LockTimeout");
        LockTimeout scope = random.nextInt(4) == 0 ? pg.noLockTimeout() : pg.lockTimeout(millis(1, 50));
        try (scope) {
            // without a bound nothing waits for long either: whoever holds something is soon done
            inside.run();
        }
    }

    private void statementTimeout(Work inside) throws Exception {
        around.counts().add("scopes: StatementTimeout");
        Duration timeout = random.nextInt(3) == 0 ? millis(1, 5) : millis(2_000, 9_000);
        mayHaveFailed |= timeout.toMillis() < 1_000;
        try (StatementTimeout scope = random.nextInt(4) == 0 ? pg.noStatementTimeout() : pg.statementTimeout(timeout)) {
            inside.run();
        }
    }

    private AdvisoryLock request() {
        AdvisoryLock lock = pg.advisory(KEYS[random.nextInt(KEYS.length)]);
        return random.nextInt(3) == 0 ? lock.shared() : lock;
    }

    private void session(Work inside) throws Exception {
        around.counts().add("scopes: session lock");
        AdvisoryLock lock = request();
        LockHandle handle;
        if (random.nextBoolean()) {
            handle = lock.timeout(millis(0, 4)).acquire();
        } else {
            Optional<LockHandle> acquired = lock.tryAcquire(millis(0, 4));
            if (acquired.isEmpty()) {
                around.counts().add("not acquired");
                return;
            }
            handle = acquired.get();
        }
        held(handle, inside);
    }

    private void held(LockHandle handle, Work inside) throws Exception {
        try (AutoCloseable held = () -> close(handle)) {
            inside.run();
        }
    }

    private void close(LockHandle handle) {
        try {
            handle.close();
        } catch (IllegalStateException | PgLockException e) {
            if (!String.valueOf(e.getMessage()).contains("close() again")) {
                throw e;
            }
            around.counts().add("to be closed again");
            again.add(0, handle);
        }
    }

    private void run(Work inside) throws Exception {
        around.counts().add("scopes: run");
        if (random.nextBoolean()) {
            request().timeout(millis(0, 4)).run(inside::run);
        } else {
            request().timeout(millis(0, 4)).tryRun(inside::run);
        }
    }

    private void xact(Work inside) throws Exception {
        around.counts().add("scopes: transaction lock");
        if (random.nextBoolean()) {
            request().timeout(millis(0, 4)).acquireXact();
        } else {
            request().timeout(millis(0, 4)).tryAcquireXact();
        }
        inside.run();
    }

    private void table(Work inside) throws Exception {
        around.counts().add("scopes: TableLock");
        LockMode[] modes = LockMode.values();
        String[] tables = random.nextBoolean() ? new String[] {"t0"} : new String[] {"t0", "t1"};
        var request = pg.table(tables).mode(modes[random.nextInt(modes.length)]).timeout(millis(0, 4));
        if (random.nextBoolean()) {
            request.acquire();
        } else {
            request.tryAcquire();
        }
        inside.run();
    }

    private void priority(Work inside) throws Exception {
        around.counts().add("scopes: PriorityScope");
        Prioritize request = pg.prioritize(around.side())
                .every(Duration.ofMillis(2))
                .after(millis(0, 5))
                .grace(millis(0, 5))
                .listener((level, message) -> {});
        Prioritize aimed = switch (random.nextInt(8)) {
            case 0, 1, 2 -> request.cancel();
            case 3 -> request.terminate();
            default -> request.report();
        };
        try (PriorityScope scope = aimed.start()) {
            inside.run();
        }
    }

    private void guard(Work inside) throws Exception {
        around.counts().add("scopes: LockGuard");
        LockPolicy policy = LockPolicy.parse(Map.of(
                "lockTimeout", millis(2, 30).toMillis() + "ms",
                "retryDeadline", "20ms",
                "retryDelay", "2ms",
                "pollInterval", "5ms",
                "prioritize", random.nextBoolean() ? "report" : "off"));
        try (LockGuard guard = LockGuard.open("walk", connection, around.side(), policy, (level, message) -> {})) {
            guard.run(
                    () -> {
                        try {
                            inside.run();
                            return true;
                        } catch (SQLException | RuntimeException e) {
                            throw e;
                        } catch (Exception e) {
                            throw new IllegalStateException(e);
                        }
                    },
                    () -> {
                        around.counts().add("attempts undone");
                        if (!connection.getAutoCommit()) {
                            transactionEnded = true;
                            connection.rollback();
                        }
                    });
        }
    }

    private void client(Work inside) throws Exception {
        around.counts().add("scopes: LockClient");
        LockClient client = around.clients().get(random.nextInt(around.clients().size()));
        var lock = client.advisory(KEYS[random.nextInt(KEYS.length)]);
        Optional<LockHandle> acquired;
        try {
            acquired = (random.nextInt(3) == 0 ? lock.shared() : lock).tryAcquire(millis(0, 4));
        } catch (IllegalStateException e) {
            if (!String.valueOf(e.getMessage()).contains("Release the shared lock first")) {
                throw e;
            }
            return;
        }
        if (acquired.isEmpty()) {
            around.counts().add("not acquired");
            return;
        }
        held(acquired.get(), inside);
    }

    // ---- what is done in them ---------------------------------------------------------------------------------------

    private void steps(int depth) throws Exception {
        int count = 1 + random.nextInt(3);
        for (int i = 0; i < count; i++) {
            if (random.nextInt(9) == 0) {
                injected.add(around.injection().soon(random, target));
            }
            try {
                step(depth);
            } catch (SQLException | PgLockException | Failed e) {
                if (random.nextInt(3) > 0) {
                    throw e;
                }
                around.counts().add("caught inside");
            }
        }
    }

    private void step(int depth) throws Exception {
        switch (random.nextInt(16)) {
            case 0 -> execute("select 1 / 0");
            case 1 -> throw new Failed();
            case 2 -> savepoint(depth);
            case 3 -> transaction(depth);
            case 4 -> Thread.currentThread().interrupt();
            case 5 -> execute("select pg_sleep(0.002)");
            case 6, 7, 8 -> execute("update t0 set note = 'b' where id = " + (1 + random.nextInt(50)));
            case 9 -> execute("select count(*) from t1");
            default -> {
                if (depth < DEPTH) {
                    scope(depth);
                } else {
                    execute("select 1");
                }
            }
        }
    }

    private void savepoint(int depth) throws Exception {
        if (connection.getAutoCommit()) {
            return;
        }
        String name = "w" + savepoints++;
        execute("savepoint " + name);
        try {
            steps(depth);
        } finally {
            if (!transactionEnded) {
                execute("rollback to savepoint " + name);
            }
        }
    }

    /** The end of the transaction in the middle of it; or a whole one, where there is none. */
    private void transaction(int depth) throws Exception {
        if (!connection.getAutoCommit()) {
            if (random.nextInt(3) == 0) {
                transactionEnded = true;
                if (random.nextBoolean()) {
                    connection.commit();
                } else {
                    connection.rollback();
                }
            }
            return;
        }
        execute("begin");
        try {
            steps(depth);
        } finally {
            rollBack();
        }
    }

    /** A cancel that was injected may come as late as this, and then it is this that has left a transaction. */
    private void rollBack() throws SQLException {
        try {
            execute("rollback");
        } catch (SQLException e) {
            if (!connection.isClosed()) {
                execute("rollback");
            }
            throw e;
        }
    }

    private void execute(String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        } catch (SQLException e) {
            mayHaveFailed = true;
            around.counts().add("failed: " + e.getSQLState());
            throw e;
        }
    }

    private Duration millis(int from, int to) {
        return Duration.ofMillis(from + random.nextInt(to - from));
    }
}
