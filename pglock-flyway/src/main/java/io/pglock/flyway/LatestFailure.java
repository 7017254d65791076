// SPDX-License-Identifier: Apache-2.0
package io.pglock.flyway;

import java.util.Collections;
import java.util.Map;
import java.util.WeakHashMap;
import org.flywaydb.core.api.configuration.Configuration;

/**
 * Whether the migration that failed last in a Flyway allows that the whole run is repeated. Found out for {@link
 * PgLockFlyway} only, which asks for it, and kept for no longer than Flyway's configuration lives. Thread-safe.
 */
final class LatestFailure {

    /** What is known of a run. */
    private enum Run {
        GOING_ON,
        REPEATABLE,
        NOT_REPEATABLE
    }

    private static final Map<Configuration, Run> RUNS = Collections.synchronizedMap(new WeakHashMap<>());

    private LatestFailure() {}

    /** A run begins after which this will be asked for. */
    static void await(Configuration flyway) {
        RUNS.put(flyway, Run.GOING_ON);
    }

    /**
     * A migration has ended well. In a group that is no end: when a later one fails, Flyway forgets that this one was applied,
     * and a repeated run applies it again. So all of it has to be undone then.
     */
    static void passed(MigrationRun run) {
        if (run.flyway().isGroup() && isGoingOn(run) && !run.goesWithItsTransaction()) {
            RUNS.put(run.flyway(), Run.NOT_REPEATABLE);
        }
    }

    /** It has failed, and its connection is as the failure has left it. */
    static void keep(MigrationRun run) {
        if (isGoingOn(run)) {
            RUNS.put(run.flyway(), run.canBeRepeated() ? Run.REPEATABLE : Run.NOT_REPEATABLE);
        }
    }

    private static boolean isGoingOn(MigrationRun run) {
        return RUNS.get(run.flyway()) == Run.GOING_ON;
    }

    static boolean takeRepeatable(Configuration flyway) {
        return RUNS.remove(flyway) == Run.REPEATABLE;
    }
}
