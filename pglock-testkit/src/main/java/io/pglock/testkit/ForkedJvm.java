// SPDX-License-Identifier: Apache-2.0
package io.pglock.testkit;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * A second JVM, with the class path of the test: another process that holds a lock, and that can be killed or stopped while it
 * does. It talks to the test in lines: what it prints, the test waits for; what the test sends, it reads from
 * {@code System.in}. It ends when it is closed.
 *
 * {@snippet :
 * try (ForkedJvm holder = ForkedJvm.running(Holder.class).database(database).arguments("nightly-report").start()) {
 *     holder.awaitLine("locked"); // printed by Holder.main(url, user, password, "nightly-report")
 *     holder.kill();
 *     assertThat(holder.exitCode()).isEqualTo(137);
 * }
 * }
 *
 * <p>This class is thread-safe.
 */
public final class ForkedJvm implements AutoCloseable {

    /** Many at once on a small machine take their time to start and to end. */
    private static final Duration LONGEST = Duration.ofSeconds(60);

    private final String name;
    private final Process process;
    private final Writer input;
    private final Thread reading;
    private final List<String> lines = new ArrayList<>();
    private int awaited;

    private ForkedJvm(String name, Process process) {
        this.name = name;
        this.process = process;
        this.input = process.outputWriter();
        this.reading = new Thread(this::read, "testkit-jvm-" + process.pid());
    }

    /** A JVM that is to run this class. */
    public static Launch running(Class<?> main) {
        return running(main.getName());
    }

    /** A JVM that is to run the class of this name. */
    public static Launch running(String main) {
        return new Launch(
                main,
                Path.of(System.getProperty("java.home"), "bin", "java"),
                System.getProperty("java.class.path"),
                List.of(),
                List.of(),
                Map.of());
    }

    /** Its process id. */
    public long pid() {
        return process.pid();
    }

    /** Whether it has not ended. One that is stopped has not. */
    public boolean isAlive() {
        return process.isAlive();
    }

    /** What it has printed up to now, to {@code System.out} and {@code System.err}. */
    public List<String> output() {
        synchronized (lines) {
            return List.copyOf(lines);
        }
    }

    /**
     * Waits for a line, among those that have not been waited for: a second call with the same words waits for the next one.
     *
     * @param beginning how the line begins
     * @return the whole line
     * @throws AssertionError if it is not printed in time, or the JVM ends without it
     */
    public String awaitLine(String beginning) {
        return awaitLine(beginning, Await.LONGEST);
    }

    /** Waits for a line, as {@link #awaitLine(String)} does, with a bound of its own. */
    public String awaitLine(String beginning, Duration longest) {
        String whatFor = "a line \"" + beginning + "...\" of " + this;
        int[] found = {-1};
        Await.until(
                longest,
                whatFor,
                () -> {
                    boolean ended = !reading.isAlive();
                    found[0] = find(beginning);
                    if (found[0] < 0 && ended) {
                        throw new IllegalStateException("it has ended. Its output:\n" + text());
                    }
                    return found[0] >= 0;
                },
                () -> "its output:\n" + text());
        synchronized (lines) {
            awaited = Math.max(awaited, found[0] + 1);
            return lines.get(found[0]);
        }
    }

    private int find(String beginning) {
        synchronized (lines) {
            for (int i = awaited; i < lines.size(); i++) {
                if (lines.get(i).startsWith(beginning)) {
                    return i;
                }
            }
            return -1;
        }
    }

    /** Writes a line that it reads from {@code System.in}. */
    public void send(String line) {
        try {
            synchronized (input) {
                input.write(line + System.lineSeparator());
                input.flush();
            }
        } catch (IOException e) {
            throw new IllegalStateException(
                    "sending \"" + line + "\" to " + this + ": " + e.getMessage() + ". Its output:\n" + text(), e);
        }
    }

    /** Ends it as the kernel does when memory runs out: with {@code SIGKILL}. When this returns it has ended. */
    public void kill() {
        process.destroyForcibly();
        exitCode();
    }

    /** Stops all its threads where they are, with {@code SIGSTOP}: a very long pause. When this returns they stand still. */
    public void stop() {
        signal("STOP");
        Path state = Path.of("/proc", Long.toString(pid()), "stat");
        if (Files.exists(state)) {
            Await.until(this + " to stop", () -> Files.readString(state).contains(") T "), this::text);
        }
    }

    /** Lets it go on after {@link #stop()}, with {@code SIGCONT}. */
    public void cont() {
        signal("CONT");
    }

    /** A program of that name is not everywhere, but every shell can do it. */
    private void signal(String signal) {
        try {
            // The process id of one that has ended may be somebody else's.
            if (!isAlive()
                    || new ProcessBuilder("sh", "-c", "kill -" + signal + " " + pid())
                                    .redirectErrorStream(true)
                                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                                    .start()
                                    .waitFor()
                            != 0) {
                throw new IllegalStateException("SIG" + signal + " did not reach " + this + ". Its output:\n" + text());
            }
        } catch (IOException e) {
            throw new IllegalStateException("SIG" + signal + " to " + this + ": " + e.getMessage(), e);
        } catch (InterruptedException e) {
            throw interrupted("sending SIG" + signal + " to " + this, e);
        }
    }

    /**
     * Waits for its end.
     *
     * @return 0 if {@code main} has returned, 1 if it has thrown, 137 if it was killed
     */
    public int exitCode() {
        try {
            if (!process.waitFor(LONGEST.toMillis(), TimeUnit.MILLISECONDS)) {
                throw new AssertionError(Await.failure(LONGEST, this + " to end", () -> "its output:\n" + text()));
            }
            reading.join(Await.LONGEST.toMillis());
            return process.exitValue();
        } catch (InterruptedException e) {
            throw interrupted("waiting for the end of " + this, e);
        }
    }

    private static AssertionError interrupted(String doing, InterruptedException e) {
        Thread.currentThread().interrupt();
        return new AssertionError("interrupted while " + doing, e);
    }

    /** Kills it, if it has not ended. */
    @Override
    public void close() {
        process.destroyForcibly();
    }

    private void read() {
        try (BufferedReader output = process.inputReader()) {
            for (String line = output.readLine(); line != null; line = output.readLine()) {
                synchronized (lines) {
                    lines.add(line);
                }
            }
        } catch (IOException e) {
            // Its end, as seen by a pipe that was closed with it.
        }
    }

    private String text() {
        return String.join("\n", output());
    }

    @Override
    public String toString() {
        return name + " (process " + pid() + ")";
    }

    /**
     * What is to be started.
     *
     * @param main the name of the class whose {@code main} it runs
     * @param java the program that is the JVM
     * @param classPath as {@code -cp} takes it
     * @param options options of the JVM itself
     * @param arguments what {@code main} gets
     * @param environment variables beside those of this process
     */
    public record Launch(
            String main,
            Path java,
            String classPath,
            List<String> options,
            List<String> arguments,
            Map<String, String> environment) {
        /** Copies what is given. */
        public Launch {
            options = List.copyOf(options);
            arguments = List.copyOf(arguments);
            environment = Map.copyOf(environment);
        }

        /** With three arguments more: URL, user and password. */
        public Launch database(Database database) {
            return arguments(database.url(), database.user(), database.password());
        }

        /** With these arguments more. */
        public Launch arguments(String... more) {
            return new Launch(main, java, classPath, options, and(arguments, more), environment);
        }

        /** With a system property. */
        public Launch property(String key, String value) {
            return options("-D" + key + "=" + value);
        }

        /** With these options of the JVM more, for example {@code -Xmx64m}. */
        public Launch options(String... more) {
            return new Launch(main, java, classPath, and(options, more), arguments, environment);
        }

        /** On another JVM than this one: its {@code bin/java}. */
        public Launch java(Path program) {
            return new Launch(main, program, classPath, options, arguments, environment);
        }

        /** With another class path than this one's. */
        public Launch classPath(String other) {
            return new Launch(main, java, other, options, arguments, environment);
        }

        /** With a variable of the environment more. */
        public Launch environment(String name, String value) {
            Map<String, String> more = new HashMap<>(environment);
            more.put(name, value);
            return new Launch(main, java, classPath, options, arguments, more);
        }

        private static List<String> and(List<String> some, String... more) {
            return Stream.concat(some.stream(), Arrays.stream(more)).toList();
        }

        /** Starts it, and does not wait for anything. */
        public ForkedJvm start() {
            List<String> command = new ArrayList<>();
            command.add(java.toString());
            command.addAll(List.of("-cp", classPath));
            command.addAll(options);
            command.add(main);
            command.addAll(arguments);
            try {
                ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
                builder.environment().putAll(environment);
                var jvm = new ForkedJvm(main.replaceFirst(".*[.$]", ""), builder.start());
                jvm.reading.setDaemon(true);
                jvm.reading.start();
                return jvm;
            } catch (IOException e) {
                throw new IllegalStateException("starting " + main + ": " + e.getMessage(), e);
            }
        }
    }
}
