// SPDX-License-Identifier: Apache-2.0
package io.pglock.examples.hosts;

import io.pglock.testkit.Database;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;

/** Flyway's command line, the distribution that people download, with pglock in its {@code drivers}. */
class FlywayCommandLineTest extends FlywayHostContract {

    private static final Path FLYWAY = Path.of(System.getProperty("pglock.hosts.commandline"));

    @Override
    Map<String, FlywayHost> channels() {
        Map<String, FlywayHost> channels = new LinkedHashMap<>();
        channels.put("flyway.toml", (database, folder, settings) -> {
            Stream<String> lines = lines(settings, "%s = \"%s\"");
            Files.write(
                    folder.resolve("flyway.toml"),
                    Stream.concat(Stream.of("[flyway.pglock]"), lines).toList());
            return migrate(database, Stream.of());
        });
        channels.put("flyway.conf", (database, folder, settings) -> {
            Files.write(
                    folder.resolve("flyway.conf"),
                    lines(settings, "flyway.pglock.%s=%s").toList());
            return migrate(database, Stream.of());
        });
        channels.put(
                "an argument", (database, folder, settings) -> migrate(database, lines(settings, "-pglock.%s=%s")));
        channels.put("the environment", (database, folder, settings) -> {
            ProcessBuilder migrate = migrate(database, Stream.of());
            settings.forEach((key, value) -> migrate.environment().put(variable(key), value));
            return migrate;
        });
        return channels;
    }

    private static ProcessBuilder migrate(Database database, Stream<String> arguments) {
        List<String> command = new ArrayList<>(List.of(
                FLYWAY.resolve("flyway").toString(),
                "-url=" + database.url(),
                "-user=" + database.user(),
                "-password=" + database.password(),
                "-locations=filesystem:sql",
                "-skipCheckForUpdate"));
        arguments.forEach(command::add);
        command.add("migrate");
        ProcessBuilder migrate = new ProcessBuilder(command);
        migrate.environment().put("JAVA_HOME", System.getProperty("java.home"));
        // a test has nothing to report to anybody
        migrate.environment().put("REDGATE_DISABLE_TELEMETRY", "true");
        return migrate;
    }

    private static Stream<String> lines(Map<String, String> settings, String format) {
        return settings.entrySet().stream().map(setting -> format.formatted(setting.getKey(), setting.getValue()));
    }

    /** {@code FLYWAY_PGLOCK_LOCK_TIMEOUT} for {@code lockTimeout}. */
    private static String variable(String key) {
        return "FLYWAY_PGLOCK_" + key.replaceAll("([A-Z])", "_$1").toUpperCase(Locale.ROOT);
    }
}
