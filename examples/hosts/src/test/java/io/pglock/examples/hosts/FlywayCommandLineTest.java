// SPDX-License-Identifier: Apache-2.0
package io.pglock.examples.hosts;

import io.pglock.testkit.Database;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Flyway's command line, the distribution that people download, with pglock in its {@code drivers}. */
class FlywayCommandLineTest extends HostContract {

    static final Path HOME = Path.of(System.getProperty("pglock.hosts.commandline"));

    @Override
    Map<String, Host> channels() {
        Map<String, Host> channels = new LinkedHashMap<>();
        channels.put("flyway.toml", (database, folder, settings) -> {
            List<String> toml = new ArrayList<>(List.of("[flyway.pglock]"));
            toml.addAll(Settings.lines(settings, "%s = \"%s\""));
            Files.write(folder.resolve("flyway.toml"), toml);
            return migrate(database, List.of());
        });
        channels.put("flyway.conf", (database, folder, settings) -> {
            Files.write(folder.resolve("flyway.conf"), Settings.lines(settings, "flyway.pglock.%s=%s"));
            return migrate(database, List.of());
        });
        channels.put(
                "an argument",
                (database, folder, settings) -> migrate(database, Settings.lines(settings, "-pglock.%s=%s")));
        channels.put("the environment", (database, folder, settings) -> {
            ProcessBuilder migrate = migrate(database, List.of());
            migrate.environment().putAll(Settings.variables("flyway", settings));
            return migrate;
        });
        return channels;
    }

    private static ProcessBuilder migrate(Database database, List<String> arguments) {
        return migrate(HOME, database, arguments);
    }

    static ProcessBuilder migrate(Path home, Database database, List<String> arguments) {
        List<String> command = new ArrayList<>(List.of(
                home.resolve("flyway").toString(),
                "-url=" + database.url(),
                "-user=" + database.user(),
                "-password=" + database.password(),
                "-locations=filesystem:sql",
                "-skipCheckForUpdate"));
        command.addAll(arguments);
        command.add("migrate");
        ProcessBuilder migrate = new ProcessBuilder(command);
        migrate.environment().put("JAVA_HOME", System.getProperty("java.home"));
        // a test has nothing to report to anybody
        migrate.environment().put("REDGATE_DISABLE_TELEMETRY", "true");
        return migrate;
    }
}
