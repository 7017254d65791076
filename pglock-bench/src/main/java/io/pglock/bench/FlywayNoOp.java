// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench;

import com.sun.management.OperatingSystemMXBean;
import io.pglock.flyway.PgLockConfiguration;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.configuration.FluentConfiguration;

/**
 * What pglock costs where nobody is in the way: 500 migrations with it and without it, by turns (with, without, without, with
 * ...), each run on a schema of its own; and how many round trips it adds.
 */
public final class FlywayNoOp {

    private static final int MIGRATIONS = 500;
    private static final int WARM_UP = 6;
    private static final OperatingSystemMXBean JVM = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
    private static final int PAIRS = 7;

    private static final Map<String, String> SCRIPTS =
            new TreeMap<>(Map.of("select 1", "select 1;", "create table", "create table t%d (id int primary key);"));

    private final Server server;
    private final Path folder;

    private FlywayNoOp(Server server, Path folder) {
        this.server = server;
        this.folder = folder;
    }

    /** Prints both times, their ratio and the round trips, for each kind of migration. */
    public static void main(String[] arguments) throws IOException {
        try (Server server = new Server()) {
            for (Map.Entry<String, String> script : SCRIPTS.entrySet()) {
                Path folder = Files.createTempDirectory("pglock-bench");
                try {
                    for (int i = 1; i <= MIGRATIONS; i++) {
                        Files.writeString(
                                folder.resolve("V" + i + "__no_op.sql"),
                                script.getValue().formatted(i));
                    }
                    new FlywayNoOp(server, folder).run(script.getKey());
                } finally {
                    delete(folder);
                }
            }
        }
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        Files.delete(folder);
    }

    /** @param cpu of this JVM, which other programs on the machine disturb less */
    private record Run(double millis, double cpu) {}

    private void run(String script) {
        List<Run> with = new ArrayList<>();
        List<Run> without = new ArrayList<>();
        IntStream.range(0, WARM_UP).forEach(i -> measure(i % 2 == 0));
        for (int pair = 0; pair < PAIRS; pair++) {
            if (pair % 2 == 0) {
                with.add(measure(true));
                without.add(measure(false));
            } else {
                without.add(measure(false));
                with.add(measure(true));
            }
        }
        System.out.printf(
                Locale.ROOT,
                "%d x %s, min/median/max of %d pairs: with %s ms, without %s ms, ratio %s; CPU of the client: ratio %s; round trips"
                        + " for each: with %.2f, without %.2f%n",
                MIGRATIONS,
                script,
                PAIRS,
                text(with.stream().mapToDouble(Run::millis), "%.0f"),
                text(without.stream().mapToDouble(Run::millis), "%.0f"),
                text(ratios(with, without, Run::millis), "%.3f"),
                text(ratios(with, without, Run::cpu), "%.3f"),
                roundTrips(true),
                roundTrips(false));
    }

    private static DoubleStream ratios(List<Run> with, List<Run> without, ToDoubleFunction<Run> of) {
        return IntStream.range(0, PAIRS)
                .mapToDouble(i -> of.applyAsDouble(with.get(i)) / of.applyAsDouble(without.get(i)));
    }

    private static String text(DoubleStream values, String format) {
        double[] sorted = values.sorted().toArray();
        return (format + "/" + format + "/" + format)
                .formatted(sorted[0], sorted[sorted.length / 2], sorted[sorted.length - 1]);
    }

    private Run measure(boolean guarded) {
        long cpu = JVM.getProcessCpuTime();
        long start = System.nanoTime();
        migrate(guarded, server.url());
        Run run = new Run((System.nanoTime() - start) / 1e6, (JVM.getProcessCpuTime() - cpu) / 1e6);
        clean();
        return run;
    }

    private double roundTrips(boolean guarded) {
        String separator = server.url().contains("?") ? "&" : "?";
        RoundTrips.take();
        migrate(guarded, server.url() + separator + "socketFactory=" + RoundTrips.class.getName());
        long count = RoundTrips.take();
        clean();
        return (double) count / MIGRATIONS;
    }

    private void migrate(boolean guarded, String url) {
        FluentConfiguration flyway = Flyway.configure()
                .dataSource(url, server.user(), server.password())
                .loggers("slf4j")
                .locations("filesystem:" + folder)
                .schemas("bench");
        // not enabled, its callback is not among Flyway's, as if the jar were not there
        flyway.getConfigurationExtension(PgLockConfiguration.class).setEnabled(String.valueOf(guarded));
        int migrations = flyway.load().migrate().migrationsExecuted;
        if (migrations != MIGRATIONS) {
            throw new IllegalStateException(migrations + " migrations");
        }
    }

    private void clean() {
        try (Connection connection = server.connect();
                Statement statement = connection.createStatement()) {
            statement.execute("drop schema bench cascade");
        } catch (SQLException e) {
            throw new IllegalStateException(e.getMessage(), e);
        }
    }
}
