// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Assumptions;

/**
 * The launcher in a terminal of its own, as a person has it: keys go in, and there is a screen to be looked at. It has its own tmux
 * server, which ends with it. Every wait is bounded and shows the screen when it was in vain.
 */
final class Tmux implements AutoCloseable {

    private static final long LONGEST_NANOS = TimeUnit.SECONDS.toNanos(20);
    private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(30);

    private final String socket = "pglock-" + UUID.randomUUID();
    private final Path folder;

    private Tmux(Path folder) {
        this.folder = folder;
    }

    /** In 120 columns and 40 lines. Skips the test where there is no tmux. */
    static Tmux start(Cli cli, String... words) {
        try {
            Assumptions.assumeTrue(
                    new ProcessBuilder("sh", "-c", "command -v tmux >/dev/null")
                                    .start()
                                    .waitFor()
                            == 0,
                    "needs tmux, for a terminal to run in");
            Tmux tmux = new Tmux(Files.createTempDirectory("pglock-tmux"));
            ProcessBuilder launcher = cli.builder(words);
            Path script = Files.writeString(
                    tmux.folder.resolve("run"),
                    script(launcher.command(), cli.environment().get("TERM")));
            ProcessBuilder session = launcher.command(tmux.tmux(
                    "-f", "/dev/null", "new-session", "-d", "-x", "120", "-y", "40", "sh", script.toString()));
            session.environment().put("LC_ALL", "C.UTF-8");
            session.environment().put("TMUX", ""); // one may be running this test
            tmux.run(session.directory(tmux.folder.toFile()));
            return tmux;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
    }

    /** What it has left of the screen and of the terminal's settings stays to be looked at. */
    private static String script(List<String> launcher, @Nullable String terminal) {
        StringBuilder command = new StringBuilder();
        launcher.forEach(word -> command.append(" '").append(word).append('\''));
        return """
                trap : INT
                stty -a > before
                %s sh -c 'echo $$ > pid; exec "$@"' sh%s
                echo $? > code.new
                stty -a > after
                mv code.new code
                exec cat > /dev/null
                """.formatted(terminal == null ? "" : "TERM=" + terminal, command);
    }

    /** What is on the screen now. */
    String screen() {
        return run(new ProcessBuilder(tmux("capture-pane", "-p")));
    }

    /** What was printed, without the ends of lines that are there because the screen is no wider. */
    String text() {
        return run(new ProcessBuilder(tmux("capture-pane", "-p", "-J")));
    }

    /** The same with the escape sequences that made it look so. */
    String styledScreen() {
        return run(new ProcessBuilder(tmux("capture-pane", "-p", "-e")));
    }

    /** Waits until this is on the screen, and gives all of it. */
    String await(String... texts) {
        return await(String.join(" and ", texts), screen -> {
            for (String text : texts) {
                if (!screen.contains(text)) {
                    return false;
                }
            }
            return true;
        });
    }

    /** Waits until the screen is so, and gives it. */
    String await(String whatFor, Predicate<String> seen) {
        long start = System.nanoTime();
        while (true) {
            String screen = screen();
            if (seen.test(screen)) {
                return screen;
            }
            if (System.nanoTime() - start > LONGEST_NANOS) {
                throw new AssertionError("waited for " + whatFor + " on the screen:\n" + screen);
            }
            LockSupport.parkNanos(PAUSE_NANOS);
        }
    }

    /** Presses keys, by the names that tmux has for them: {@code q}, {@code Enter}, {@code C-c}, {@code Down}. */
    Tmux keys(String... keys) {
        List<String> all = new ArrayList<>(List.of("send-keys"));
        all.addAll(List.of(keys));
        run(new ProcessBuilder(tmux(all.toArray(String[]::new))));
        return this;
    }

    /** Gives the terminal another size. */
    Tmux resize(int columns, int lines) {
        run(new ProcessBuilder(tmux("resize-window", "-x", Integer.toString(columns), "-y", Integer.toString(lines))));
        return this;
    }

    /** Waits until it has ended, and gives its exit code. */
    int awaitExit() {
        await("the end of the program", screen -> Files.exists(folder.resolve("code")));
        return Integer.parseInt(read("code"));
    }

    /** The process id of the program. */
    long pid() {
        await("the program", screen -> Files.exists(folder.resolve("pid")));
        return Long.parseLong(read("pid"));
    }

    /** What {@code stty} said before it began. */
    String settingsBefore() {
        return read("before");
    }

    /** What {@code stty} said after it had ended. */
    String settingsAfter() {
        return read("after");
    }

    private String read(String file) {
        try {
            return Files.readString(folder.resolve(file)).strip();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private List<String> tmux(String... words) {
        List<String> command = new ArrayList<>(List.of("tmux", "-u", "-L", socket));
        command.addAll(List.of(words));
        return command;
    }

    private String run(ProcessBuilder command) {
        try {
            Process process = command.redirectErrorStream(true).start();
            process.getOutputStream().close();
            String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (!process.waitFor(20, TimeUnit.SECONDS) || process.exitValue() != 0) {
                throw new AssertionError(command.command() + ": " + out);
            }
            return out;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
    }

    /** Ends it all. */
    @Override
    public void close() {
        run(new ProcessBuilder("sh", "-c", "tmux -L " + socket + " kill-server || true"));
        try (var files = Files.list(folder)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
            Files.delete(folder);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
