// SPDX-License-Identifier: Apache-2.0
package io.pglock.flyway;

import io.pglock.LockGuard;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * The open guards, by the connection that they guard: Flyway hands the same object to the events before and after a
 * migration, while its callbacks may be shared or there twice. Thread-safe.
 */
final class Guards {

    private static final Map<Connection, LockGuard> OPEN = Collections.synchronizedMap(new IdentityHashMap<>());

    private Guards() {}

    /** Opens a guard, unless the connection has one: then pglock is there twice, and once is enough. */
    static void open(Connection connection, Supplier<Optional<LockGuard>> opening) {
        sweep();
        if (!OPEN.containsKey(connection)) {
            opening.get().ifPresent(guard -> OPEN.put(connection, guard));
        }
    }

    static Optional<LockGuard> of(Connection connection) {
        return Optional.ofNullable(OPEN.get(connection));
    }

    static Optional<LockGuard> take(Connection connection) {
        return Optional.ofNullable(OPEN.remove(connection));
    }

    /** An {@code Error} in a Java migration ends Flyway without an event: its connection is closed, its guard is still here. */
    private static void sweep() {
        List<Connection> closed;
        synchronized (OPEN) {
            closed = OPEN.keySet().stream().filter(Guards::isClosed).toList();
        }
        closed.forEach(connection -> take(connection).ifPresent(LockGuard::close));
    }

    private static boolean isClosed(Connection connection) {
        try {
            return connection.isClosed();
        } catch (SQLException e) {
            return true;
        }
    }
}
