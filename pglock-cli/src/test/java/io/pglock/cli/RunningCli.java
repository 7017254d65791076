// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli;

import io.pglock.testkit.Await;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;

/** A launcher that runs beside the test. Closing it kills it. */
record RunningCli(Process process, Path out, Path err) implements AutoCloseable {

    private static final Duration LONGEST = Duration.ofSeconds(60);

    static RunningCli start(Cli cli, String... words) {
        try {
            Path out = Files.createTempFile("pglock", ".out");
            Path err = Files.createTempFile("pglock", ".err");
            Process process = cli.builder(words)
                    .redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null")))
                    .redirectOutput(out.toFile())
                    .redirectError(err.toFile())
                    .start();
            return new RunningCli(process, out, err);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Waits until it has printed or said this, unless it ends before. */
    RunningCli told(String text) {
        await("to tell " + text, () -> {
            boolean running = process.isAlive();
            boolean told = (Files.readString(err) + Files.readString(out)).contains(text);
            if (!running && !told) {
                throw new IllegalStateException(this + " has ended and has not told " + text);
            }
            return told;
        });
        return this;
    }

    /** Waits until it has printed this. */
    RunningCli printed(String text) {
        await("to print " + text, () -> Files.readString(out).contains(text));
        return this;
    }

    /** Waits until it has said this. */
    RunningCli said(String text) {
        await("to say " + text, () -> Files.readString(err).contains(text));
        return this;
    }

    private void await(String whatFor, Callable<Boolean> state) {
        Await.until(LONGEST, "pid " + process.pid() + " " + whatFor, state, this::toString);
    }

    void signal(String name) throws IOException, InterruptedException {
        new ProcessBuilder("kill", "-s", name, Long.toString(process.pid()))
                .start()
                .waitFor();
    }

    Cli.Ended ended() throws IOException, InterruptedException {
        if (!process.waitFor(LONGEST.toSeconds(), TimeUnit.SECONDS)) {
            throw new AssertionError(this + " has not ended within " + LONGEST.toSeconds() + " s");
        }
        return new Cli.Ended(process.exitValue(), Files.readString(out), Files.readString(err));
    }

    @Override
    public void close() throws IOException {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
        Files.delete(out);
        Files.delete(err);
    }

    @Override
    public String toString() {
        try {
            return "pid " + process.pid() + ", which has printed \"" + Files.readString(out) + "\" and said \""
                    + Files.readString(err) + "\",";
        } catch (IOException e) {
            return "pid " + process.pid();
        }
    }
}
