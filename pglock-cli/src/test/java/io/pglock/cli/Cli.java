// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.testkit.Database;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** A call of the packaged launcher, as one types it. Immutable. */
record Cli(List<String> arguments, Map<String, String> environment, String input) {

    private static final long LONGEST_SECONDS = 60;

    /** A shell that runs the build in the background makes it ignore ctrl-c, and all that it starts; nohup does so with SIGHUP. */
    static final List<String> NOTHING_IGNORED =
            System.getProperty("os.name").equals("Linux") ? List.of("env", "--default-signal=HUP,INT") : List.of();

    /** With PGHOST, PGPORT, PGDATABASE, PGUSER and PGPASSWORD of this database, as in an operator's shell. */
    static Cli on(Database database) {
        return bare().environment("PGHOST", database.server().host())
                .environment("PGPORT", Integer.toString(database.server().port()))
                .environment("PGDATABASE", database.name())
                .environment("PGUSER", database.user())
                .environment("PGPASSWORD", database.password());
    }

    /** In a shell that knows of no server. */
    static Cli bare() {
        return new Cli(List.of(), Map.of(), "");
    }

    Cli environment(String name, String value) {
        Map<String, String> more = new TreeMap<>(environment);
        more.put(name, value);
        return new Cli(arguments, more, input);
    }

    Cli input(String text) {
        return new Cli(arguments, environment, text);
    }

    /** How it ended. */
    record Ended(int code, String out, String err) {

        /** @return itself, when it ended so and had nothing to say */
        Ended succeeded() {
            assertThat(this).extracting(Ended::code, Ended::err).containsExactly(0, "");
            return this;
        }

        List<String> lines() {
            return out.lines().toList();
        }
    }

    /** Runs it to its end. */
    Ended run(String... words) {
        try {
            Path out = Files.createTempFile("pglock", ".out");
            Path err = Files.createTempFile("pglock", ".err");
            try {
                Process process = builder(words)
                        .redirectOutput(out.toFile())
                        .redirectError(err.toFile())
                        .start();
                try (var stdin = process.getOutputStream()) {
                    stdin.write(input.getBytes(StandardCharsets.UTF_8));
                } catch (IOException closed) {
                    // it did not want to know
                }
                if (!process.waitFor(LONGEST_SECONDS, TimeUnit.SECONDS)) {
                    process.destroyForcibly();
                    throw new AssertionError(String.join(" ", words) + " has not ended within " + LONGEST_SECONDS
                            + " s; it said: " + Files.readString(out) + Files.readString(err));
                }
                return new Ended(process.exitValue(), Files.readString(out), Files.readString(err));
            } finally {
                Files.delete(out);
                Files.delete(err);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
    }

    /** For a test that wants to do more with it than wait. */
    ProcessBuilder builder(String... words) {
        ProcessBuilder builder = new ProcessBuilder(Stream.of(
                        NOTHING_IGNORED.stream(),
                        Stream.of(launcher().toString()),
                        arguments.stream(),
                        Stream.of(words))
                .flatMap(each -> each)
                .toList());
        builder.environment().keySet().removeIf(name -> name.startsWith("PG"));
        builder.environment().put("JAVA_HOME", System.getProperty("java.home")); // the JVM that is tested on
        builder.environment().putAll(environment);
        return builder;
    }

    static Path launcher() {
        return Path.of(System.getProperty("pglock.cli.launcher", "target/pglock"))
                .toAbsolutePath();
    }
}
