// SPDX-License-Identifier: Apache-2.0
package io.pglock.flyway;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.flywaydb.core.api.callback.Callback;
import org.flywaydb.core.api.configuration.Configuration;

/**
 * The migrations that are going on, by the connection that they run on: Flyway hands the same object to all events of a
 * migration, while its callbacks may be shared by several Flyways, or there twice. Thread-safe.
 */
final class Guards {

    /**
     * @param owner the callback that began it, and takes care of it alone
     * @param thread Flyway's
     */
    private record Guarded(Callback owner, Thread thread, MigrationRun run) {}

    private static final Map<Connection, Guarded> OPEN = Collections.synchronizedMap(new IdentityHashMap<>());

    private Guards() {}

    /** Begins one, unless the connection has one: then pglock is there twice, and once is enough. */
    static void begin(Connection connection, Callback owner, Supplier<MigrationRun> beginning) {
        sweep();
        if (!OPEN.containsKey(connection)) {
            OPEN.put(connection, new Guarded(owner, Thread.currentThread(), beginning.get()));
        }
    }

    static Optional<MigrationRun> of(Connection connection, Callback owner) {
        return Optional.ofNullable(OPEN.get(connection))
                .filter(guarded -> guarded.owner() == owner)
                .map(Guarded::run);
    }

    static Optional<MigrationRun> take(Connection connection, Callback owner) {
        Optional<MigrationRun> run = of(connection, owner);
        if (run.isPresent()) {
            OPEN.remove(connection);
        }
        return run;
    }

    /**
     * All that this callback has begun on this thread.
     *
     * @param flyway where it is known, for what it migrates only: a migration may run another Flyway with the same callback
     */
    static List<MigrationRun> takeAll(Callback owner, Optional<Configuration> flyway) {
        List<MigrationRun> taken = new ArrayList<>();
        OPEN.values()
                .removeIf(guarded -> guarded.owner() == owner
                        && guarded.thread() == Thread.currentThread()
                        && flyway.map(guarded.run().flyway()::equals).orElse(true)
                        && taken.add(guarded.run()));
        return taken;
    }

    /** An {@code Error} in a Java migration ends Flyway without an event: its connection is closed, its guard is still here. */
    private static void sweep() {
        List<Connection> closed;
        synchronized (OPEN) {
            closed = OPEN.keySet().stream().filter(Guards::isClosed).toList();
        }
        closed.forEach(connection -> Optional.ofNullable(OPEN.remove(connection))
                .ifPresent(guarded -> guarded.run().abandon()));
    }

    /** How many there are. */
    static int open() {
        return OPEN.size();
    }

    static boolean isClosed(Connection connection) {
        try {
            return connection.isClosed();
        } catch (SQLException e) {
            return true;
        }
    }
}
