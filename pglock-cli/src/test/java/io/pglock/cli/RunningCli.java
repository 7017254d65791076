// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli;

import io.pglock.testkit.Scenario;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** A launcher that runs beside the test. Closing it kills it. */
record RunningCli(Process process, Path out, Path err, Scenario scenario) implements AutoCloseable {

    private static final long LONGEST_SECONDS = 30;

    static RunningCli start(Scenario scenario, Cli cli, String... words) {
        try {
            Path out = Files.createTempFile("pglock", ".out");
            Path err = Files.createTempFile("pglock", ".err");
            Process process = cli.builder(words)
                    .redirectInput(new java.io.File("/dev/null"))
                    .redirectOutput(out.toFile())
                    .redirectError(err.toFile())
                    .start();
            return new RunningCli(process, out, err, scenario);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Waits until it has printed this. */
    RunningCli printed(String text) {
        scenario.await(this + " to print " + text, () -> Files.readString(out).contains(text));
        return this;
    }

    /** Waits until it has said this. */
    RunningCli said(String text) {
        scenario.await(this + " to say " + text, () -> Files.readString(err).contains(text));
        return this;
    }

    void signal(String name) throws IOException, InterruptedException {
        new ProcessBuilder("kill", "-s", name, Long.toString(process.pid()))
                .start()
                .waitFor();
    }

    Cli.Ended ended() throws IOException, InterruptedException {
        if (!process.waitFor(LONGEST_SECONDS, TimeUnit.SECONDS)) {
            throw new AssertionError(this + " has not ended within " + LONGEST_SECONDS + " s");
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
