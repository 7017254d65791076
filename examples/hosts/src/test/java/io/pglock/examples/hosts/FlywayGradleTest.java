// SPDX-License-Identifier: Apache-2.0
package io.pglock.examples.hosts;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.pglock.testkit.Database;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;

/**
 * Flyway's Gradle plugin, with pglock on the class path of the build script. Gradle is not on Maven Central: this is Debian's,
 * 4.4, and the newest plugin that runs on it, Flyway 10's.
 */
class FlywayGradleTest extends HostContract {

    private static final Path GRADLE =
            Path.of(System.getProperty("pglock.test.gradle", "/usr/share/gradle/bin/gradle"));

    @BeforeAll
    static void needsGradle() {
        assumeTrue(Runtime.version().feature() == 17, "needs a JVM of 17: Gradle 4.4 runs on none that is newer");
        assumeTrue(Files.isExecutable(GRADLE), () -> "needs " + GRADLE + ", or another with -Dpglock.test.gradle");
    }

    @Override
    Map<String, Host> channels() {
        Map<String, Host> channels = new LinkedHashMap<>();
        channels.put("gradle.properties", (database, folder, settings) -> {
            Files.write(folder.resolve("gradle.properties"), Settings.lines(settings, "flyway.pglock.%s=%s"));
            return migrate(database, folder, List.of());
        });
        channels.put(
                "-D",
                (database, folder, settings) ->
                        migrate(database, folder, Settings.lines(settings, "-Dflyway.pglock.%s=%s")));
        return channels;
    }

    private static ProcessBuilder migrate(Database database, Path folder, List<String> arguments) throws IOException {
        try (InputStream script = FlywayGradleTest.class.getResourceAsStream("/flyway.gradle")) {
            Files.copy(script, folder.resolve("build.gradle"));
        }
        List<String> command = new ArrayList<>(List.of(
                GRADLE.toString(),
                "--no-daemon",
                "--offline",
                "--gradle-user-home=" + System.getProperty("pglock.hosts.gradle-home"),
                "flywayMigrate",
                "-Pflyway.url=" + database.url(),
                "-Pflyway.user=" + database.user(),
                "-Pflyway.password=" + database.password()));
        command.addAll(arguments);
        ProcessBuilder migrate = new ProcessBuilder(command);
        migrate.environment().put("JAVA_HOME", System.getProperty("java.home"));
        return migrate;
    }
}
