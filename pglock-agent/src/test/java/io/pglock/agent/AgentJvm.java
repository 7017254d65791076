// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent;

import io.pglock.testkit.ForkedJvm;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;

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

    /** With the agent. */
    static ForkedJvm.Launch with(String settings, Class<?> main) {
        return without(main).options("-javaagent:" + JAR + (settings.isEmpty() ? "" : "=" + settings));
    }

    /** The same, without it. */
    static ForkedJvm.Launch without(Class<?> main) {
        return ForkedJvm.running(main).classPath(classPath(entry -> true, ""));
    }

    /** The application's class path with this driver: 42.2.29, for instance. */
    static String withDriver(String version) {
        return classPath(
                entry -> !new File(entry).getName().startsWith("postgresql-"),
                DRIVERS.resolve("postgresql-" + version + ".jar").toString());
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
