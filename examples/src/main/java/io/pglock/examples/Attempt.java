// SPDX-License-Identifier: Apache-2.0
package io.pglock.examples;

import io.pglock.LockMode;
import io.pglock.LockQuery;
import io.pglock.PgLock;
import io.pglock.testkit.Database;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** One go at the migration, and the readers that arrive while it waits. */
final class Attempt implements AutoCloseable {

    private static final Duration LONGEST = Duration.ofSeconds(30);
    private static final Duration LOOK_EVERY = Duration.ofMillis(20);

    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final Connection observer;
    private final LockQuery locks;
    private final long start = System.nanoTime();
    private final CompletableFuture<Duration> migration;
    private final List<CompletableFuture<Duration>> readers = new ArrayList<>();

    /** Starts the migration and, when it waits for its lock, the readers; returns when all of them wait. */
    Attempt(Database database, Migration how, int readerCount) throws Exception {
        observer = database.connect("demo");
        locks = PgLock.on(observer).locks();
        migration = timed(() -> how.migrate(database));
        awaitWaiting(1);
        for (int number = 1; number <= readerCount; number++) {
            String name = "reader-" + number;
            readers.add(timed(() -> read(database, name)));
        }
        awaitWaiting(1 + readerCount);
    }

    String lockTree() {
        return locks.tree().toString();
    }

    /** Waits, and when the migration is still not through, cancels its statement as somebody with a finger on Ctrl-C would. */
    void giveUpAfter(Duration patience) throws Exception {
        try {
            migration.get(patience.toNanos() - (System.nanoTime() - start), TimeUnit.NANOSECONDS);
        } catch (TimeoutException hangs) {
            locks.on("orders").waiting().mode(LockMode.ACCESS_EXCLUSIVE).cancel();
        }
        awaitEnd();
    }

    void awaitEnd() throws Exception {
        for (CompletableFuture<Duration> one : readers) {
            one.get(LONGEST.toSeconds(), TimeUnit.SECONDS);
        }
        try {
            migration.get(LONGEST.toSeconds(), TimeUnit.SECONDS);
        } catch (ExecutionException notMigrated) {
            // told by migrated()
        }
    }

    boolean migrated() {
        return migration.isDone() && !migration.isCompletedExceptionally();
    }

    Duration migrationTook() {
        return migration.join();
    }

    /** Why it was not migrated, in Flyway's words. */
    String failure() {
        try {
            migration.join();
            return "";
        } catch (CompletionException e) {
            return String.valueOf(Objects.requireNonNullElse(e.getCause(), e).getMessage());
        }
    }

    /** How long the slowest reader waited for one row. */
    Duration longestRead() {
        return readers.stream()
                .map(CompletableFuture::join)
                .max(Duration::compareTo)
                .orElse(Duration.ZERO);
    }

    private static void read(Database database, String name) throws SQLException {
        try (Connection connection = database.connect(name);
                Statement statement = connection.createStatement()) {
            statement.execute("select total from orders where id = 7");
        }
    }

    private CompletableFuture<Duration> timed(Work work) {
        return CompletableFuture.supplyAsync(
                () -> {
                    long begin = System.nanoTime();
                    try {
                        work.run();
                    } catch (Exception e) {
                        throw new CompletionException(e);
                    }
                    return Duration.ofNanos(System.nanoTime() - begin);
                },
                threads);
    }

    private void awaitWaiting(int count) throws Exception {
        long deadline = System.nanoTime() + LONGEST.toNanos();
        while (locks.blocked().size() < count) {
            if (migration.isDone()) {
                return;
            }
            if (System.nanoTime() > deadline) {
                throw new TimeoutException(count + " sessions were to wait for a lock:\n" + lockTree());
            }
            TimeUnit.NANOSECONDS.sleep(LOOK_EVERY.toNanos());
        }
    }

    @Override
    public void close() throws SQLException {
        threads.shutdownNow();
        observer.close();
    }

    /** What an attempt does in a thread of its own. */
    private interface Work {
        void run() throws Exception;
    }
}
