// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import io.pglock.Backend;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;

/**
 * One edge that a look found: who waits, for what, behind whom. Not API.
 *
 * @param waiter the guarded session's pid
 * @param hard whether the blocker holds what is waited for; otherwise it is queued ahead
 * @param waited by the server's clock; empty before PostgreSQL 14, and for an instant after a wait began
 * @param spared why the blocker is never signalled
 */
record Sighting(
        int waiter,
        Backend backend,
        boolean hard,
        String waitsFor,
        Optional<Duration> waited,
        Optional<String> spared) {

    /** @param own this JVM's sessions on that server */
    static Sighting of(ResultSet row, Set<Integer> own) throws SQLException {
        int pid = row.getInt("blocker");
        Backend backend = pid == 0 ? Rows.prepared(row) : Rows.backend(row);
        long waitedMillis = row.getLong("waited_ms");
        Optional<Duration> waited =
                row.wasNull() ? Optional.empty() : Optional.of(Duration.ofMillis(Math.max(0, waitedMillis)));
        return new Sighting(
                row.getInt("waiter"),
                backend,
                row.getBoolean("hard"),
                row.getString("waits_for"),
                waited,
                spared(row, backend, own));
    }

    /** The same reasons, in the same words, as in the statement that signals: see {@link Signals}. */
    private static Optional<String> spared(ResultSet row, Backend backend, Set<Integer> own) throws SQLException {
        if (backend.isPreparedTransaction()) {
            return Optional.of("a prepared transaction has no session");
        }
        if (backend.type().filter(type -> !type.equals("client backend")).isPresent()) {
            return Optional.of("not a client's session");
        }
        if (own.contains(backend.pid())) {
            return Optional.of("it belongs to this JVM's own work");
        }
        if (row.getBoolean("guarded")) {
            return Optional.of("another migration that pglock guards");
        }
        return row.getBoolean("flyway_history") ? Optional.of("it holds Flyway's history lock") : Optional.empty();
    }
}
