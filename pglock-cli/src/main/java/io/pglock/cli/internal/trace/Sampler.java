// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.trace;

import io.pglock.LockMode;
import io.pglock.cli.internal.Sql;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Looks from a second connection which locks a session has, as fast as it can, while a statement runs there that commits its
 * steps by itself. Before it looks it takes a snapshot, for the end of which a concurrent build waits with its locks in hand: so
 * they are seen for sure.
 */
final class Sampler implements AutoCloseable {

    private final Connection connection;
    private final ExecutorService thread = Executors.newSingleThreadExecutor(work -> {
        Thread own = new Thread(work, "pglock-sampler");
        own.setDaemon(true);
        return own;
    });
    private volatile boolean stopped;

    /** When a lock was seen first and last. */
    private record Seen(long first, long last) {}

    /** @param connection its own; closed with it */
    Sampler(Connection connection) {
        this.connection = connection;
    }

    /** Looking, until it is asked for what was seen. */
    interface Sampling {

        /** What was seen, and for how long. */
        Map<Catalog.Lock, Duration> end() throws SQLException;
    }

    /** Begins to look; when this returns it has looked once. */
    Sampling begin(int pid) throws SQLException {
        stopped = false;
        Map<Catalog.Lock, Seen> seen = new LinkedHashMap<>();
        connection.setAutoCommit(false);
        connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
        PreparedStatement look = connection.prepareStatement(Sql.TRACE_SAMPLE);
        look.setInt(1, pid);
        look(look, seen);
        Future<?> looking = thread.submit(() -> {
            while (!stopped) {
                if (look(look, seen) && !connection.getAutoCommit()) {
                    connection.setAutoCommit(true); // it may go on
                }
            }
            look.close();
            connection.setAutoCommit(true);
            return null;
        });
        return () -> {
            stopped = true;
            await(looking);
            Map<Catalog.Lock, Duration> durations = new LinkedHashMap<>();
            seen.forEach((lock, times) -> durations.put(lock, Duration.ofNanos(times.last() - times.first())));
            return durations;
        };
    }

    /** Whether it waits for the end of a transaction: this one. */
    private static boolean look(PreparedStatement look, Map<Catalog.Lock, Seen> seen) throws SQLException {
        boolean waits = false;
        long now = System.nanoTime();
        try (ResultSet row = look.executeQuery()) {
            while (row.next()) {
                long relation = row.getLong(1);
                waits |= row.getString(4).equals("virtualxid");
                if (row.getBoolean(3) && relation != 0) {
                    LockMode.ofPgLocks(row.getString(2))
                            .ifPresent(mode -> seen.merge(
                                    new Catalog.Lock(relation, mode),
                                    new Seen(now, now),
                                    (before, again) -> new Seen(before.first(), again.last())));
                }
            }
        }
        return waits;
    }

    private static void await(Future<?> looking) throws SQLException {
        boolean interrupted = false;
        while (true) {
            try {
                looking.get();
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            } catch (ExecutionException e) {
                if (e.getCause() instanceof SQLException failure) {
                    throw failure;
                }
                throw new IllegalStateException(e.getCause());
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() throws SQLException {
        stopped = true;
        thread.shutdown();
        connection.close();
    }
}
