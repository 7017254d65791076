// SPDX-License-Identifier: Apache-2.0
package io.pglock.examples.hosts;

import io.pglock.testkit.Database;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * An application as an executable jar, which migrates when it starts and then ends.
 *
 * @param migrations the argument that says where they are
 */
record SpringBootJar(Path jar, String migrations) {

    /** @param boot its Spring Boot: {@code 3.5} or {@code 4.1} */
    static SpringBootJar withFlyway(String boot) {
        return new SpringBootJar(jar(boot), "--spring.flyway.locations=filesystem:sql");
    }

    /** @param boot its Spring Boot: {@code 3.5} or {@code 4.1} */
    static SpringBootJar withLiquibase(String boot) {
        return new SpringBootJar(jar(boot + "-liquibase"), "--spring.liquibase.change-log=file:changelog.sql");
    }

    private static Path jar(String application) {
        return Path.of(System.getProperty("pglock.hosts.spring-boot-" + application));
    }

    Map<String, Host> channels() {
        Map<String, Host> channels = new LinkedHashMap<>();
        channels.put("application.yaml", (database, folder, settings) -> {
            List<String> yaml = new ArrayList<>(List.of("pglock:"));
            settings.forEach((key, value) -> yaml.add("  " + key + ": " + value));
            Files.write(folder.resolve("application.yaml"), yaml);
            return start(database, List.of(), List.of());
        });
        channels.put("an argument", (database, folder, settings) -> start(database, List.of(), named("--", settings)));
        channels.put(
                "a system property", (database, folder, settings) -> start(database, named("-D", settings), List.of()));
        channels.put("the environment", (database, folder, settings) -> {
            ProcessBuilder start = start(database, List.of(), List.of());
            settings.forEach((key, value) -> start.environment().put("PGLOCK_" + key.toUpperCase(Locale.ROOT), value));
            return start;
        });
        return channels;
    }

    private ProcessBuilder start(Database database, List<String> options, List<String> arguments) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("-XX:TieredStopAtLevel=1"); // half of its life is starting
        command.addAll(options);
        command.addAll(List.of(
                "-jar",
                jar.toRealPath().toString(),
                "--spring.datasource.url=" + database.url(),
                "--spring.datasource.username=" + database.user(),
                "--spring.datasource.password=" + database.password(),
                migrations));
        command.addAll(arguments);
        return new ProcessBuilder(command);
    }

    private static List<String> named(String prefix, Map<String, String> settings) {
        return settings.entrySet().stream()
                .map(setting -> prefix + "pglock." + setting.getKey() + "=" + setting.getValue())
                .toList();
    }
}
