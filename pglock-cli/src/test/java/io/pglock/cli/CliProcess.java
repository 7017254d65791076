// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli;

import io.pglock.testkit.Scenario;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** A call of the launcher that goes on while a test does something else. Killed when it is closed. */
final class CliProcess implements AutoCloseable {

    private static final long LONGEST_SECONDS = 60;

    private final Process process;
    private final Path out;
    private final Path err;

    private CliProcess(Process process, Path out, Path err) {
        this.process = process;
        this.out = out;
        this.err = err;
    }

    static CliProcess start(Cli cli, Path folder, String... words) {
        try {
            Path out = Files.createTempFile(folder, "pglock", ".out");
            Path err = Files.createTempFile(folder, "pglock", ".err");
            Process process = cli.builder(words)
                    .redirectOutput(out.toFile())
                    .redirectError(err.toFile())
                    .start();
            process.getOutputStream().close();
            return new CliProcess(process, out, err);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Waits until it has said this. */
    void awaitSaid(Scenario scenario, String text) {
        scenario.await("pglock to say \"" + text + "\"", () -> {
            String said = Files.readString(err) + Files.readString(out);
            if (!process.isAlive() && !said.contains(text)) {
                throw new IllegalStateException("it has ended and said: " + said);
            }
            return said.contains(text);
        });
    }

    /** As ctrl-c does it. */
    void interrupt() throws IOException, InterruptedException {
        new ProcessBuilder("kill", "-INT", Long.toString(process.pid())).start().waitFor();
    }

    Cli.Ended await() throws IOException, InterruptedException {
        if (!process.waitFor(LONGEST_SECONDS, TimeUnit.SECONDS)) {
            throw new AssertionError("it has not ended within " + LONGEST_SECONDS + " s; it said: "
                    + Files.readString(out) + Files.readString(err));
        }
        return new Cli.Ended(process.exitValue(), Files.readString(out), Files.readString(err));
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
