// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase;

import io.pglock.testkit.Database;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A Liquibase of some version in a JVM of its own, which is {@link LiquibaseMain}. */
final class LiquibaseProcess implements AutoCloseable {

    private static final long LONGEST_SECONDS = 120;

    private final String name;
    private final Process process;
    private final Path log;

    private LiquibaseProcess(String name, Process process, Path log) {
        this.name = name;
        this.process = process;
        this.log = log;
    }

    /**
     * @param name its {@code application_name}
     * @param version {@code older} or {@code newer}: of the jars that the build has put there; {@code this}: that of the test
     * @param plugins jars of the build that are to be there as well
     * @param arguments what {@link LiquibaseMain} is to do, and how often
     */
    static LiquibaseProcess start(
            String name,
            String version,
            List<String> plugins,
            Path folder,
            Database database,
            String mode,
            String... arguments)
            throws IOException {
        Path log = folder.resolve(name + ".txt");
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-Dliquibase.analytics.enabled=false",
                "-Dliquibase.pglock.changelogLock=" + mode));
        ChangelogLockScene.UNGUARDED.forEach((key, value) -> command.add("-D" + key + "=" + value));
        command.addAll(List.of(
                "-cp",
                classPath(version, plugins),
                LiquibaseMain.class.getName(),
                database.url() + (database.url().contains("?") ? "&" : "?") + "ApplicationName=" + name,
                database.user(),
                database.password(),
                folder.toString()));
        command.addAll(List.of(arguments));
        return new LiquibaseProcess(
                name,
                new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(log.toFile())
                        .start(),
                log);
    }

    private static String classPath(String version, List<String> plugins) {
        String ofTests = System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
        Stream<String> others = Arrays.stream(ofTests.split(File.pathSeparator))
                .filter(entry ->
                        version.equals("this") || !entry.matches(".*liquibase-(core|commercial)-[^/\\\\]*\\.jar"));
        Stream<String> own = Stream.concat(Stream.of(version), plugins.stream())
                .filter(jar -> !jar.equals("this"))
                .map(jar -> Path.of("target", "liquibase", jar + ".jar").toAbsolutePath())
                .peek(jar -> {
                    if (!Files.exists(jar)) {
                        throw new AssertionError("the build has not put it there: " + jar);
                    }
                })
                .map(Path::toString);
        return Stream.concat(own, others).collect(Collectors.joining(File.pathSeparator));
    }

    String name() {
        return name;
    }

    boolean isAlive() {
        return process.isAlive();
    }

    /** What it has said up to now. */
    String output() {
        try {
            return Files.readString(log);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Waits for its end, which is to be a good one. */
    String awaitSuccess() throws InterruptedException {
        if (!process.waitFor(LONGEST_SECONDS, TimeUnit.SECONDS)) {
            throw new AssertionError(
                    "waited " + LONGEST_SECONDS + " s for " + name + " to end. Its output:\n" + output());
        }
        if (process.exitValue() != 0) {
            throw new AssertionError(name + " has ended with " + process.exitValue() + ". Its output:\n" + output());
        }
        return output();
    }

    /** Ends it as the kernel does when memory runs out: with {@code SIGKILL}. */
    void kill() throws InterruptedException {
        close();
        process.waitFor();
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
