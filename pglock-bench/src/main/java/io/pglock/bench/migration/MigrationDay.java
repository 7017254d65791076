// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench.migration;

import io.pglock.bench.Machine;
import io.pglock.bench.RawResults;
import io.pglock.bench.Server;
import io.pglock.bench.Settings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * {@code ALTER TABLE ... ADD COLUMN} of a table that 16 readers and 8 writers are using, while a report of 12 s reads it in one
 * transaction and a session sits idle in one now and then: done in every {@link Way}, in the same order and with the same
 * disturbances in each round. Writes {@code migration-day.md}, {@code .svg} and {@code .csv}.
 */
public final class MigrationDay {

    private static final int READERS = 16;
    private static final int WRITERS = 8;
    private static final Duration WARM_UP = Duration.ofSeconds(2);
    private static final Duration REPORT = Duration.ofSeconds(12);

    /** The report has been running for so long when the migration begins. */
    private static final Duration AHEAD = Duration.ofMillis(1_500);

    /** From the migration's beginning on everybody is observed for so long, or until a moment after its end. */
    private static final Duration OBSERVED = Duration.ofSeconds(15);

    private static final Duration AFTERWARDS = Duration.ofSeconds(1);

    private final Server server;
    private final FlywayMigration flyway;

    private MigrationDay(Server server, FlywayMigration flyway) {
        this.server = server;
        this.flyway = flyway;
    }

    /** Measures; see {@link Settings} for how often. */
    public static void main(String[] arguments) throws Exception {
        System.setProperty("pglock.signalOwnJvm", "true"); // here one JVM plays the migration and who is in its way
        Settings settings = Settings.ofSystemProperties();
        try (var server = new Server();
                var flyway = new FlywayMigration(server);
                Connection observer = server.connect()) {
            var day = new MigrationDay(server, flyway);
            Map<Way, List<Figures>> figures = new LinkedHashMap<>();
            List<Way> ways = Way.all(server);
            day.rehearse(observer, ways);
            for (int round = 1; round <= settings.rounds(); round++) {
                for (Way way : ways) {
                    Settings.progress("migration day, round " + round + ", " + way.label());
                    Figures measured = day.measure(way, observer, round);
                    Settings.progress("  " + measured);
                    figures.computeIfAbsent(way, none -> new ArrayList<>()).add(measured);
                }
            }
            Path directory = Files.createDirectories(settings.directory());
            var page = new MigrationDayPage(figures);
            RawResults raw = page.raw();
            raw.write(directory.resolve("migration-day.csv"));
            page.chart().write(directory.resolve("migration-day.svg"));
            page.of(Machine.describe(observer)).write(directory.resolve("migration-day.md"));
        }
    }

    /** Nobody is in the way: what a JVM does for the first time takes long. */
    private void rehearse(Connection observer, List<Way> ways) throws Exception {
        for (Way way : ways) {
            prepare(observer);
            try (Way.Migrating migrating = way.preparation().prepare(server, flyway)) {
                migrating.migrate();
            }
        }
    }

    private void prepare(Connection observer) throws SQLException {
        try (Statement statement = observer.createStatement()) {
            statement.execute("drop table if exists orders, flyway_schema_history");
            flyway.prepare();
            statement.execute("vacuum analyze orders"); // or autovacuum would come along in the middle of it
        }
    }

    private Figures measure(Way way, Connection observer, int round) throws Exception {
        prepare(observer);
        List<Client> clients = Stream.concat(
                        IntStream.range(0, READERS).mapToObj(i -> new Client(server, Client.Kind.READER, i, round)),
                        IntStream.range(0, WRITERS).mapToObj(i -> new Client(server, Client.Kind.WRITER, i, -round)))
                .toList();
        clients.forEach(Thread::start);
        long start = System.nanoTime() + WARM_UP.toNanos();
        List<Blocker> blockers = List.of(
                new Blocker(server, "report", false, start, List.of(new Blocker.Turn(Duration.ZERO, REPORT))),
                new Blocker(server, "support-tool", true, start, nowAndThen(new Random(round))));
        blockers.forEach(Thread::start);
        try (Way.Migrating migrating = way.preparation().prepare(server, flyway)) {
            Blocker.parkUntil(start + AHEAD.toNanos());
            long begin = System.nanoTime();
            boolean migrated = migrating.migrate();
            long end = System.nanoTime();
            long until = Math.max(begin + OBSERVED.toNanos(), end + AFTERWARDS.toNanos());
            Blocker.parkUntil(until);
            clients.forEach(Client::end);
            blockers.forEach(Blocker::end);
            for (Thread each :
                    Stream.concat(clients.stream(), blockers.stream()).toList()) {
                each.join(REPORT.toMillis());
                if (each.isAlive()) {
                    throw new IllegalStateException(each.getName() + " has not ended");
                }
            }
            if (migrated != isMigrated(observer)) {
                throw new IllegalStateException(way.label() + " says migrated: " + migrated);
            }
            return Figures.of(clients, blockers, begin, migrated ? Optional.of(end) : Optional.empty(), until);
        }
    }

    /** Two to four seconds apart, for 300 to 700 ms. */
    private static List<Blocker.Turn> nowAndThen(Random random) {
        List<Blocker.Turn> turns = new ArrayList<>();
        long after = 500;
        while (after < 60_000) {
            long lasts = 300L + random.nextInt(400);
            turns.add(new Blocker.Turn(Duration.ofMillis(after), Duration.ofMillis(lasts)));
            after += lasts + 2_000L + random.nextInt(2_000);
        }
        return turns;
    }

    private static boolean isMigrated(Connection observer) throws SQLException {
        try (Statement statement = observer.createStatement();
                var row = statement.executeQuery("select from pg_attribute where attrelid = 'orders'::regclass"
                        + " and attname = 'note' and not attisdropped")) {
            return row.next();
        }
    }
}
