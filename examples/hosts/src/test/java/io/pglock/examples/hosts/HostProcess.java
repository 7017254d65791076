// SPDX-License-Identifier: Apache-2.0
package io.pglock.examples.hosts;

import io.pglock.testkit.Await;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** A host that is running, or has run. */
final class HostProcess implements AutoCloseable {

    /** A host of its own may have to start a JVM or two on a busy machine. */
    private static final long LONGEST_SECONDS = 120;

    private final Process process;
    private final Path log;

    private HostProcess(Process process, Path log) {
        this.process = process;
        this.log = log;
    }

    /** Starts it in that folder, where its output goes to a file: a pipe that nobody reads would stop it. */
    static HostProcess start(ProcessBuilder command, Path folder) throws IOException {
        return start(command, folder, folder);
    }

    /** The same, with that file in another folder. */
    static HostProcess start(ProcessBuilder command, Path folder, Path logs) throws IOException {
        Path log = Files.createTempFile(logs, "output", ".txt");
        // it has ended before it would pay to compile well
        command.environment().put("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC");
        return new HostProcess(
                command.directory(folder.toFile())
                        .redirectErrorStream(true)
                        .redirectOutput(log.toFile())
                        .start(),
                log);
    }

    boolean isAlive() {
        return process.isAlive();
    }

    /** Waits until it has said this. */
    void awaitOutput(String text) {
        Await.until(
                Duration.ofSeconds(LONGEST_SECONDS),
                "the host to say \"" + text + "\"",
                () -> output().contains(text) || !isAlive(),
                () -> "Its output:\n" + output());
        if (!output().contains(text)) {
            throw new AssertionError("the host has ended before it said \"" + text + "\". Its output:\n" + output());
        }
    }

    /** Waits for the end. */
    int exitCode() throws InterruptedException {
        if (!process.waitFor(LONGEST_SECONDS, TimeUnit.SECONDS)) {
            throw new AssertionError("waited " + LONGEST_SECONDS + " s for the host to end. Its output:\n" + output());
        }
        return process.exitValue();
    }

    /** What it has said up to now. */
    String output() {
        try {
            return Files.readString(log);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Ends it as the kernel does when memory runs out: it gets no chance to clear up. */
    void kill() throws InterruptedException {
        close();
        exitCode();
    }

    /** Ends it with everything that it has started: a launcher script does not take its JVM along. */
    @Override
    public void close() {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
    }
}
