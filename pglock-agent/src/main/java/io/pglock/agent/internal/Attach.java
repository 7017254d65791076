// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import net.bytebuddy.agent.ByteBuddyAgent;

/** Brings the agent into a JVM that runs. Stateless. */
public final class Attach {

    /** The variable in which a JVM that attaches another one finds what the agent is to be told: {@code ps} shows a command line to all. */
    public static final String ARGUMENTS = "PGLOCK_ATTACH_ARGUMENTS";

    private static final int LONGEST_SECONDS = 60;

    private static final String REFUSED =
            "the agent has not started there, or is there already and was told something else; that JVM's error stream says which";

    private Attach() {}

    /**
     * Into this or another one.
     *
     * @throws IllegalStateException when it does not let the agent in, saying why and what to do
     */
    public static void to(String pid, File jar, String arguments) {
        try {
            if (pid.equals(String.valueOf(ProcessHandle.current().pid()))) {
                fromOutside(pid, jar, arguments);
            } else {
                ByteBuddyAgent.attach(jar, pid, arguments);
            }
        } catch (IOException | RuntimeException | LinkageError e) {
            String reason = reason(e);
            throw new IllegalStateException(beginning(pid) + reason + (reason.equals(REFUSED) ? "." : remedy()), e);
        }
    }

    private static String beginning(String pid) {
        return "pglock cannot be attached to " + pid + ": ";
    }

    private static String remedy() {
        return ". Start that JVM with -javaagent:pglock-agent.jar, or with -XX:+EnableDynamicAgentLoading.";
    }

    /** What the JVM itself says, beneath everything that says that something has failed. */
    private static String reason(Throwable e) {
        String reason = e.toString();
        for (Throwable cause : Causes.of(e).toList()) {
            if (cause.getClass().getSimpleName().equals("AgentInitializationException")) {
                return REFUSED;
            }
            reason = Optional.ofNullable(cause.getMessage()).orElse(reason);
        }
        return reason.replaceFirst("\\.$", "");
    }

    /** A JVM does not attach to itself, unless it was started for that: another one does it. */
    private static void fromOutside(String pid, File jar, String arguments) throws IOException {
        Path output = Files.createTempFile("pglock-attach", ".txt");
        try {
            ProcessBuilder builder = new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "-jar",
                            jar.getPath(),
                            pid)
                    .redirectErrorStream(true)
                    .redirectOutput(output.toFile());
            builder.environment().put(ARGUMENTS, arguments);
            Process attacher = builder.start();
            if (!attacher.waitFor(LONGEST_SECONDS, TimeUnit.SECONDS)) {
                attacher.destroyForcibly();
                throw new IllegalStateException("it has not answered for " + LONGEST_SECONDS + " s");
            }
            if (attacher.exitValue() != 0) {
                throw new IllegalStateException(said(Files.readString(output, StandardCharsets.UTF_8), pid));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        } finally {
            Files.deleteIfExists(output);
        }
    }

    /** Without what is said here anyway. */
    private static String said(String output, String pid) {
        return Stream.of(output.split("\\R"))
                .filter(line -> line.startsWith(beginning(pid)))
                .findFirst()
                .map(line -> line.replace(beginning(pid), "").replace(remedy(), ""))
                .orElse(output.strip());
    }
}
