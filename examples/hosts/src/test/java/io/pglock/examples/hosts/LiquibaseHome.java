// SPDX-License-Identifier: Apache-2.0
package io.pglock.examples.hosts;

import io.pglock.testkit.Database;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * A Liquibase as people have it on their disk, with pglock in its {@code lib}. No Maven repository has its distributions: one is
 * put together here as they are, of the same jars. Immutable.
 *
 * @param folder its {@code LIQUIBASE_HOME}, named as what it is
 */
record LiquibaseHome(Path folder) {

    /** What the build has laid out: see the pom. */
    private static final Path JARS = Path.of(System.getProperty("pglock.hosts.liquibase"));

    /** Tests run in two JVMs at a time. */
    private static final Path HOMES = JARS.resolve("homes-" + System.getProperty("pglock.hosts.fork"));

    private static final String START = """
            #!/bin/sh
            LIQUIBASE_HOME=$(dirname "$0")
            export LIQUIBASE_HOME
            exec "$JAVA_HOME/bin/java" $JAVA_OPTS -jar "$LIQUIBASE_HOME/internal/lib/liquibase-core.jar" "$@"
            """;

    /** Without and, where the build has it, with what Liquibase sells: a distribution of 4.x has that as well. */
    static List<LiquibaseHome> all() throws IOException {
        List<LiquibaseHome> homes = new ArrayList<>();
        for (Path core : files(JARS.resolve("core"))) {
            homes.add(putTogether(name(core), core));
        }
        for (Path commercial : files(JARS.resolve("commercial"))) {
            String core = name(commercial).replace("commercial", "core");
            homes.add(putTogether(name(commercial), JARS.resolve("core").resolve(core + ".jar"), commercial));
        }
        return homes;
    }

    /** @param line {@code 4.29}, or {@code 5}: the one that the build has, without what Liquibase sells */
    static LiquibaseHome of(String line) throws IOException {
        return all().stream().filter(home -> home.is(line)).findFirst().orElseThrow();
    }

    /** The same as it is without pglock. */
    static LiquibaseHome withoutPglock(String line) throws IOException {
        Path core = files(JARS.resolve("core")).stream()
                .filter(jar -> name(jar).startsWith("liquibase-core-" + line + "."))
                .findFirst()
                .orElseThrow();
        LiquibaseHome home = new LiquibaseHome(HOMES.resolve("plain-" + name(core)));
        link(and(core), home.folder().resolve("internal/lib"));
        home.writeStart();
        return home;
    }

    boolean is(String line) {
        return toString().startsWith("liquibase-core-" + line + ".");
    }

    /** A copy of a distribution's own start script, and links to its jars: it stays as it is. */
    static LiquibaseHome like(Path distribution) throws IOException {
        LiquibaseHome home = begin("distribution", files(distribution.resolve("internal/lib")));
        Path start = home.start();
        Files.copy(distribution.resolve("liquibase"), start);
        return home;
    }

    private static LiquibaseHome putTogether(String name, Path... liquibase) throws IOException {
        LiquibaseHome home = begin(name, and(liquibase));
        home.writeStart();
        return home;
    }

    /** What every one has, and its own. */
    private static List<Path> and(Path... liquibase) throws IOException {
        List<Path> jars = new ArrayList<>(files(JARS.resolve("lib")));
        jars.addAll(List.of(liquibase));
        return jars;
    }

    private void writeStart() throws IOException {
        Files.writeString(start(), START);
        if (!start().toFile().setExecutable(true)) {
            throw new IOException("cannot be made executable: " + start());
        }
    }

    private static LiquibaseHome begin(String name, List<Path> jars) throws IOException {
        LiquibaseHome home = new LiquibaseHome(HOMES.resolve(name));
        Files.deleteIfExists(home.start());
        link(jars, home.folder().resolve("internal/lib"));
        link(files(JARS.resolve("pglock")), home.folder().resolve("lib"));
        return home;
    }

    /** By names without versions, as a distribution has them. */
    private static void link(List<Path> jars, Path folder) throws IOException {
        Files.createDirectories(folder);
        for (Path jar : jars) {
            Path link = folder.resolve(jar.getFileName().toString().replaceFirst("-[0-9].*(?=\\.jar$)", ""));
            Files.deleteIfExists(link);
            Files.createSymbolicLink(link, jar.toRealPath());
        }
    }

    private static List<Path> files(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.sorted().toList();
        }
    }

    private static String name(Path jar) {
        return jar.getFileName().toString().replace(".jar", "");
    }

    private Path start() {
        return folder.resolve("liquibase");
    }

    /** Liquibase's command {@code update}, for the changelog of the shop. */
    ProcessBuilder update(Database database, List<String> flags) {
        return command(database, flags, "update", "--changelog-file=changelog.sql");
    }

    /** @param flags those before the command */
    ProcessBuilder command(Database database, List<String> flags, String... commandAndArguments) {
        List<String> line = new ArrayList<>(List.of(start().toString()));
        line.addAll(flags);
        line.addAll(List.of(commandAndArguments));
        line.addAll(List.of(
                "--url=" + database.url(), "--username=" + database.user(), "--password=" + database.password()));
        ProcessBuilder command = new ProcessBuilder(line);
        command.environment().put("JAVA_HOME", System.getProperty("java.home"));
        // a test has nothing to report to anybody
        command.environment().put("LIQUIBASE_ANALYTICS_ENABLED", "false");
        return command;
    }

    @Override
    public String toString() {
        return String.valueOf(folder.getFileName());
    }
}
