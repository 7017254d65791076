// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench.migration;

import io.pglock.bench.DjangoProject;
import io.pglock.bench.Server;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A way to migrate.
 *
 * @param who does it so
 * @param ends whether it was asked to end whoever is in the way
 * @param ours whether it is pglock's
 */
record Way(String label, String who, boolean ends, boolean ours, Preparation preparation) {

    /** What is done before the clock starts. */
    interface Preparation {
        Migrating prepare(Server server, FlywayMigration flyway) throws IOException;
    }

    /** Is done, and returns whether the table is migrated. */
    interface Migrating extends AutoCloseable {
        boolean migrate() throws Exception;

        @Override
        default void close() throws IOException {}
    }

    /** Longer than the report, however a way pauses. */
    private static final Duration PATIENCE = Duration.ofSeconds(40);

    /** All of them, in the order in which they are told. */
    static List<Way> all(Server server) throws IOException {
        List<Way> ways = new ArrayList<>(List.of(
                new Way("nothing is migrated", "", false, false, (on, flyway) -> () -> false),
                new Way("no tool", "Flyway, Liquibase alone", false, false, (on, flyway) -> () -> {
                    flyway.migrateAlone();
                    return true;
                }),
                new Way(
                        "`lock_timeout` 2 s",
                        "`SET lock_timeout`",
                        false,
                        false,
                        (on, flyway) -> () -> flyway.migrateAlone("2s")),
                new Way(
                        "`lock_timeout` 500 ms, again after 1, 2, 4 ... s",
                        "pgroll's figures",
                        false,
                        false,
                        (on, flyway) -> () -> retried(flyway, "500ms", Duration.ofSeconds(1), 2)),
                new Way(
                        "`lock_timeout` 100 ms, again after 1 s",
                        "a careful script",
                        false,
                        false,
                        (on, flyway) -> () -> retried(flyway, "100ms", Duration.ofSeconds(1), 1))));
        try (var django = DjangoProject.on(server).orElse(null)) {
            if (django != null) {
                ways.add(new Way(
                        "django-pglock, `prioritize()`", django.versions(), true, false, (on, flyway) -> django(on)));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        ways.add(pglock("pglock, `prioritize=terminate`, not giving way", true, pglock -> {
            pglock.setPrioritize("terminate");
            pglock.setMaxBlockedTime("none");
        }));
        ways.add(pglock("pglock as it comes: gives way", false, pglock -> {}));
        ways.add(pglock("pglock, `prioritize=terminate`", true, pglock -> pglock.setPrioritize("terminate")));
        return List.copyOf(ways);
    }

    private static Way pglock(String label, boolean ends, FlywayMigration.Settings settings) {
        return new Way(label, "pglock, Flyway", ends, true, (on, flyway) -> () -> {
            flyway.migrate(settings);
            return true;
        });
    }

    private static boolean retried(FlywayMigration flyway, String lockTimeout, Duration firstPause, int factor)
            throws InterruptedException {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        Duration pause = firstPause;
        while (!flyway.migrateAlone(lockTimeout)) {
            if (System.nanoTime() > deadline) {
                return false;
            }
            TimeUnit.NANOSECONDS.sleep(pause.toNanos());
            pause = pause.multipliedBy(factor);
        }
        return true;
    }

    private static Migrating django(Server server) throws IOException {
        DjangoMigration django = DjangoMigration.on(server);
        return new Migrating() {
            @Override
            public boolean migrate() throws IOException {
                django.migrate();
                return true;
            }

            @Override
            public void close() throws IOException {
                django.close();
            }
        };
    }
}
