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

    private static final Map<Configuration, Boolean> REPEATABLE = Collections.synchronizedMap(new WeakHashMap<>());

    private LatestFailure() {}

    /** A run begins after which this will be asked for. */
    static void await(Configuration flyway) {
        REPEATABLE.put(flyway, false);
    }

    /** It has failed, and its connection is as the failure has left it. */
    static void keep(MigrationRun run) {
        if (REPEATABLE.containsKey(run.flyway())) {
            REPEATABLE.put(run.flyway(), run.canBeRepeated());
        }
    }

    static boolean takeRepeatable(Configuration flyway) {
        return Boolean.TRUE.equals(REPEATABLE.remove(flyway));
    }
}
