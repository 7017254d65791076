// SPDX-License-Identifier: Apache-2.0
package io.pglock.flyway;

import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.WeakHashMap;
import org.flywaydb.core.api.configuration.Configuration;

/**
 * What became of the migration that failed last in a Flyway, as far as that decides whether the whole run may be repeated.
 * Kept for {@link PgLockFlyway}, which takes it away, and for no longer than Flyway's configuration lives. Thread-safe.
 *
 * @param transactional whether it was undone as a whole
 * @param triedAgain whether it has had all its attempts already
 */
record LatestFailure(boolean transactional, boolean triedAgain) {

    private static final Map<Configuration, LatestFailure> LATEST = Collections.synchronizedMap(new WeakHashMap<>());

    static void keep(MigrationRun run) {
        LATEST.put(run.flyway(), new LatestFailure(run.isTransactional(), run.wasTriedAgain()));
    }

    static Optional<LatestFailure> take(Configuration flyway) {
        return Optional.ofNullable(LATEST.remove(flyway));
    }
}
