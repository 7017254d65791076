// SPDX-License-Identifier: Apache-2.0
package io.pglock.examples.hosts;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.stream.Collectors.joining;

import io.pglock.testkit.Database;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Flyway's Maven plugin in a real Maven, with pglock as a dependency of the plugin. */
class FlywayMavenPluginTest extends HostContract {

    @Override
    Map<String, Host> channels() {
        Map<String, Host> channels = new LinkedHashMap<>();
        channels.put("<pluginConfiguration>", (database, folder, settings) -> {
            writePom(folder, "<!-- pluginConfiguration -->", settings, "<pglock.%1$s>%2$s</pglock.%1$s>");
            return migrate(database, List.of());
        });
        channels.put("<properties>", (database, folder, settings) -> {
            writePom(folder, "<!-- properties -->", settings, "<flyway.pglock.%1$s>%2$s</flyway.pglock.%1$s>");
            return migrate(database, List.of());
        });
        channels.put("-D", (database, folder, settings) -> {
            writePom(folder, "", Map.of(), "");
            return migrate(database, Settings.lines(settings, "-Dflyway.pglock.%s=%s"));
        });
        channels.put("the environment", (database, folder, settings) -> {
            writePom(folder, "", Map.of(), "");
            ProcessBuilder migrate = migrate(database, List.of());
            migrate.environment().putAll(Settings.variables("flyway", settings));
            return migrate;
        });
        return channels;
    }

    private static void writePom(Path folder, String place, Map<String, String> settings, String format)
            throws IOException {
        try (InputStream pom = FlywayMavenPluginTest.class.getResourceAsStream("/flyway-maven-plugin.xml")) {
            String text = new String(pom.readAllBytes(), UTF_8);
            String elements = Settings.lines(settings, format).stream().collect(joining("\n"));
            Files.writeString(folder.resolve("pom.xml"), place.isEmpty() ? text : text.replace(place, elements));
        }
    }

    private static ProcessBuilder migrate(Database database, List<String> arguments) {
        ProcessBuilder migrate = MavenProcess.of(
                "org.flywaydb:flyway-maven-plugin:migrate",
                "-Dflyway.url=" + database.url(),
                "-Dflyway.user=" + database.user(),
                "-Dflyway.password=" + database.password(),
                "-Dflyway.locations=filesystem:sql");
        migrate.command().addAll(arguments);
        return migrate;
    }
}
