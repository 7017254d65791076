// SPDX-License-Identifier: Apache-2.0
package io.pglock.examples.hosts;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;

/** The packaged agent, for programs that have nothing else of pglock. */
final class AgentJar {

    private static final Path JAR =
            Path.of(System.getProperty("pglock.hosts.agent")).toAbsolutePath();

    private AgentJar() {}

    /** The JVM's option. */
    static String with(String... settings) {
        return "-javaagent:" + JAR + "=" + String.join(";", settings);
    }

    /** Every JVM that the agent is tested on: this one, and those that {@code pglock.test.jvms} names. */
    static Stream<Path> jvms() {
        return Stream.concat(
                Stream.of(Path.of(System.getProperty("java.home"), "bin", "java")),
                Arrays.stream(System.getProperty("pglock.test.jvms", "").split(","))
                        .filter(path -> !path.isBlank())
                        .map(Path::of)
                        .filter(Files::isExecutable));
    }

    /** The newest of them, for what takes so long that one has to do: what the others do is tested more closely elsewhere. */
    static Path newestJvm() {
        return jvms().reduce((one, next) -> next).orElseThrow();
    }

    /** The home of {@link #newestJvm()}, for a start script. */
    static String newestJavaHome() {
        return newestJvm().getParent().getParent().toString();
    }
}
