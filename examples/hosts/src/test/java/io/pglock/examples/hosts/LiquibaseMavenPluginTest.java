// SPDX-License-Identifier: Apache-2.0
package io.pglock.examples.hosts;

import io.pglock.testkit.Database;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Liquibase's Maven plugin in a real Maven, with pglock as a dependency of the plugin; that of 4.33 brings what Liquibase sells
 * along.
 */
@ParameterizedClass(name = "liquibase-maven-plugin {0}")
@MethodSource("versions")
class LiquibaseMavenPluginTest extends LiquibaseHostContract {

    @Parameter
    String version;

    static List<String> versions() {
        return List.of(System.getProperty("pglock.hosts.liquibase-maven-plugin").split(","));
    }

    @Override
    Map<String, Host> channels() {
        Map<String, Host> channels = new LinkedHashMap<>();
        channels.put(
                "<propertyFile>",
                (database, folder, settings) ->
                        update(database, folder, Settings.lines(settings, "liquibase.pglock.%s: %s"), List.of()));
        channels.put(
                "-D",
                (database, folder, settings) ->
                        update(database, folder, List.of(), Settings.lines(settings, "-Dliquibase.pglock.%s=%s")));
        channels.put("the environment", (database, folder, settings) -> {
            ProcessBuilder update = update(database, folder, List.of(), List.of());
            update.environment().putAll(Settings.variables("liquibase", settings));
            return update;
        });
        if (version.startsWith("5.")) {
            channels.keySet().retainAll(Set.of("<propertyFile>")); // Maven's own ways are the same in all
        }
        return channels;
    }

    /** Liquibase 5 does not have its file among the sources of settings that it tells of. */
    @Override
    boolean hidesUnknownKeys(String channel) {
        return version.startsWith("5.") && channel.equals("<propertyFile>");
    }

    private ProcessBuilder update(Database database, Path folder, List<String> properties, List<String> arguments)
            throws IOException {
        try (InputStream pom = LiquibaseMavenPluginTest.class.getResourceAsStream("/liquibase-maven-plugin.xml")) {
            Files.copy(pom, folder.resolve("pom.xml"));
        }
        Files.write(folder.resolve("shop.properties"), properties);
        ProcessBuilder update = MavenProcess.of(
                "org.liquibase:liquibase-maven-plugin:update",
                "-Dliquibase.version=" + version,
                "-Dliquibase.url=" + database.url(),
                "-Dliquibase.username=" + database.user(),
                "-Dliquibase.password=" + database.password());
        update.command().addAll(arguments);
        // a test has nothing to report to anybody
        update.environment().put("LIQUIBASE_ANALYTICS_ENABLED", "false");
        return update;
    }
}
