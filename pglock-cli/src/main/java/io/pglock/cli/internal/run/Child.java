// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.run;

import io.pglock.cli.internal.Address;
import io.pglock.cli.internal.ExitCode;
import io.pglock.cli.internal.Stop;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The command that runs, with our own input and output. Signals go to it alone: a shell that has something to tidy up, or passes
 * signals on by itself, is given the time; what a command leaves running that was <em>told</em> to end is ended after it. Only
 * where the lock is lost all are told at once: none of them may work on. Thread-safe.
 */
final class Child {

    /** The JDK hands the number of the error on as text only: {@code error=2, ...}, since 25 {@code error: 2 (...)}. */
    private static final Pattern ERROR = Pattern.compile(".*(error(?:=|: )(\\d+)\\b.*)", Pattern.DOTALL);

    private final Process process;

    /** Whoever ran below it when it was told to end. */
    private final Set<ProcessHandle> family = ConcurrentHashMap.newKeySet();

    private volatile int toldToEnd;

    private Child(Process process) {
        this.process = process;
    }

    /** @throws Stop when it is not there, or cannot be executed */
    static Child start(List<String> command, Map<String, String> environment) {
        ProcessBuilder builder = new ProcessBuilder(command).inheritIO();
        giveBackLocale(builder.environment());
        builder.environment().putAll(environment);
        try {
            return new Child(builder.start());
        } catch (IOException e) {
            throw notStarted(command.get(0), e);
        }
    }

    /** The launcher has put one in where there was none; what was there before is said in a property, where it has. */
    private static void giveBackLocale(Map<String, String> environment) {
        Optional.ofNullable(System.getProperty("pglock.lcAll")).ifPresent(before -> {
            if (before.isEmpty()) {
                environment.remove("LC_ALL");
            } else {
                environment.put("LC_ALL", before);
            }
        });
    }

    private static Stop notStarted(String program, IOException failure) {
        if (Address.isIn(program)) {
            return new Stop(
                    ExitCode.NOT_FOUND,
                    "the command is the address of a server; that is written --url URL, before KEY.");
        }
        String message = String.valueOf(failure.getMessage());
        Matcher error = ERROR.matcher(message);
        String number = error.matches() ? error.group(2) : "";
        if (number.equals("2")) {
            return new Stop(
                    ExitCode.NOT_FOUND,
                    program + ": there is no such command"
                            + (Files.isDirectory(Path.of("")) ? "" : ", or no such folder") + ".");
        }
        String why = number.equals("13")
                ? "may not be executed"
                : "cannot be executed: "
                        + (number.isEmpty() ? message : error.group(1).strip());
        return new Stop(ExitCode.NOT_EXECUTABLE, program + ": " + why + ".");
    }

    /** Waits for its end; 128 + n when signal n has ended it. */
    int await() throws InterruptedException {
        return process.waitFor();
    }

    boolean isAlive() {
        return process.isAlive();
    }

    /** Sends it the signal, if it still runs. */
    void signal(ProcessSignal signal) {
        remember();
        toldToEnd = signal.number();
        send(signal.name(), process.toHandle());
    }

    /** Told to end by somebody else than us, as by a terminal. */
    void wasSent(ProcessSignal signal) {
        remember();
        toldToEnd = signal.number();
    }

    private void remember() {
        process.descendants().forEach(family::add);
    }

    private static void send(String signal, ProcessHandle to) {
        if (!to.isAlive()) {
            return;
        }
        try {
            new ProcessBuilder("sh", "-c", "kill -s \"$0\" \"$1\"", signal, Long.toString(to.pid()))
                    .redirectOutput(Redirect.DISCARD)
                    .redirectError(Redirect.DISCARD)
                    .start()
                    .waitFor();
        } catch (IOException e) {
            to.destroy(); // no shell: at least it ends
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** SIGTERM to it and to all that it has started, SIGKILL to who still runs after that time. Returns when all is over. */
    void stop(Duration grace) {
        long deadline = System.nanoTime() + grace.toNanos();
        remember();
        process.destroy();
        family.forEach(ProcessHandle::destroy);
        if (!hasEnded(process.toHandle(), deadline)) {
            remember(); // what it has started since
            process.destroyForcibly();
        }
        endFamily(deadline);
    }

    /** SIGKILL, for all of them. Returns when all is over. */
    void kill() {
        remember();
        process.destroyForcibly();
        endFamily(System.nanoTime());
    }

    /** After its end: when a signal that we know of has ended it, what it has left running is ended too. */
    void tidy(int exitCode, Duration grace) {
        if (toldToEnd != 0 && exitCode == ExitCode.SIGNALLED + toldToEnd) {
            family.forEach(ProcessHandle::destroy);
            endFamily(System.nanoTime() + grace.toNanos());
        }
    }

    private void endFamily(long deadline) {
        for (ProcessHandle each : family) {
            if (!hasEnded(each, deadline)) {
                each.destroyForcibly();
            }
        }
    }

    private static boolean hasEnded(ProcessHandle process, long deadline) {
        try {
            process.onExit().get(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
            return true;
        } catch (TimeoutException | ExecutionException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}
