// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent;

import io.pglock.LockPolicy;
import io.pglock.testkit.ForkedJvm;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.Arguments;
import org.postgresql.Driver;

/**
 * A second JVM with the packaged agent, as an application has it: on its class path are the application, the driver and
 * pglock-core, and nothing of the agent.
 */
final class AgentJvm {

    /** The packaged jar. */
    static final Path JAR = Path.of(System.getProperty("pglock.agent.jar", "target/pglock-agent-0.1.0-SNAPSHOT.jar"))
            .toAbsolutePath();

    private static final Path DRIVERS = Path.of(System.getProperty("pglock.agent.drivers", "target/drivers"))
            .toAbsolutePath();

    private static final Path COMPANIONS = Path.of(System.getProperty("pglock.agent.companions", "target/companions"))
            .toAbsolutePath();

    private static final Path SPRING_6 = Path.of(System.getProperty("pglock.agent.spring-6", "target/spring-6"))
            .toAbsolutePath();

    /** For all that an application does: on a machine that does much else as well, that takes its time. */
    static final Duration LONGEST = Duration.ofSeconds(90);

    private static final String NEWEST = "newest";

    private static final List<String> NOT_THE_APPLICATIONS = List.of("byte-buddy", "tomlj", "antlr", "checker-qual");

    private AgentJvm() {}

    /** Every JVM that the agent is tested on: this one, and those that {@code pglock.test.jvms} names. */
    static Stream<Path> jvms() {
        return Stream.concat(
                Stream.of(Path.of(System.getProperty("java.home"), "bin", "java")),
                Arrays.stream(System.getProperty("pglock.test.jvms", "").split(","))
                        .filter(path -> !path.isBlank())
                        .map(Path::of)
                        .filter(Files::isExecutable));
    }

    /** Each of them with a driver of every line, as {@link #withDriver} takes it. */
    static Stream<Arguments> driversAndJvms() {
        return jvms().flatMap(jvm -> Stream.of("42.2.29", "42.5.6", NEWEST).map(driver -> Arguments.of(driver, jvm)));
    }

    /** With the agent. */
    static ForkedJvm.Launch with(String settings, Class<?> main) {
        return without(main).options("-javaagent:" + JAR + (settings.isEmpty() ? "" : "=" + settings));
    }

    /** The same, without it. */
    static ForkedJvm.Launch without(Class<?> main) {
        return ForkedJvm.running(main).classPath(classPath(entry -> true, ""));
    }

    /** The application's class path with this driver: 42.2.29, for instance, or the newest. */
    static String withDriver(String version) {
        if (version.equals(NEWEST)) {
            return classPath(entry -> true, "");
        }
        return classPath(
                entry -> !new File(entry).getName().startsWith("postgresql-"),
                driver(version).toString());
    }

    /** The application's class path with Spring 6. */
    static String withSpring6() {
        try (Stream<Path> jars = Files.list(SPRING_6)) {
            return classPath(
                    entry -> !new File(entry).getName().matches("(spring|commons-logging)-.*"),
                    jars.map(Path::toString).collect(Collectors.joining(File.pathSeparator)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The jar of this driver. */
    static Path driver(String version) {
        return DRIVERS.resolve("postgresql-" + version + ".jar");
    }

    /** The jar of the driver that applications have by themselves. */
    static Path driver() {
        return Path.of(location(Driver.class));
    }

    /** The jar of this name, whatever its version, of those that run beside the agent. */
    static Path companion(String beginning) {
        try (Stream<Path> jars = Files.list(COMPANIONS)) {
            return jars.filter(jar -> jar.getFileName().toString().startsWith(beginning))
                    .findFirst()
                    .orElseThrow(() -> new IllegalStateException("no " + beginning + "*.jar in " + COMPANIONS));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The application's class path, but for all of pglock: what is only named in configuration needs nothing of it. */
    static String withoutPglock() {
        Set<String> ours = Stream.of(LockPolicy.class, ForkedJvm.class)
                .map(AgentJvm::location)
                .collect(Collectors.toSet());
        return classPath(entry -> !ours.contains(Path.of(entry).toAbsolutePath().toString()), "");
    }

    private static String location(Class<?> type) {
        try {
            return Path.of(type.getProtectionDomain()
                            .getCodeSource()
                            .getLocation()
                            .toURI())
                    .toString();
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The lines {@code name: value} that it has printed when it says {@code done}. */
    static Map<String, String> said(ForkedJvm jvm) {
        jvm.awaitLine("done", LONGEST);
        Map<String, String> said = new LinkedHashMap<>();
        for (String line : jvm.output()) {
            int colon = line.indexOf(": ");
            if (colon > 0) {
                said.put(line.substring(0, colon), line.substring(colon + 2));
            }
        }
        return said;
    }

    private static String classPath(Predicate<String> keep, String more) {
        Stream<String> own = Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                .filter(entry ->
                        !entry.endsWith("pglock-agent" + File.separator + "target" + File.separator + "classes"))
                .filter(entry -> NOT_THE_APPLICATIONS.stream().noneMatch(new File(entry).getName()::startsWith))
                .filter(keep);
        return Stream.concat(own, Stream.of(more))
                .filter(entry -> !entry.isEmpty())
                .collect(Collectors.joining(File.pathSeparator));
    }
}
