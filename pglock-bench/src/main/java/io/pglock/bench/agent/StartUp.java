// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench.agent;

import io.pglock.bench.RawResults;
import io.pglock.bench.Rounds;
import io.pglock.bench.Settings;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * What the start of a program costs with an agent and without one, as the CPU time of its process until it says that it is
 * ready: wall clock says less on a machine with other work. All take turns, back and forth.
 */
final class StartUp {

    private static final String MEASUREMENT = "start";
    private static final Duration LONGEST = Duration.ofMinutes(2);

    /**
     * A program.
     *
     * @param arguments of the JVM, the program's own included
     * @param ready what it prints when it is
     */
    record Program(String label, List<String> arguments, String ready) {}

    /** @param options of the JVM; none where there is no agent */
    record Contender(String label, List<String> options) {}

    /** One row. */
    record Key(Program program, Contender contender) {}

    /**
     * @param cpu in milliseconds, in each round
     * @param classes that were loaded, once, in a run that does not count otherwise
     */
    record Figures(Rounds cpu, long classes) {}

    private final int rounds;
    private final Path directory;

    StartUp(int rounds, Path directory) {
        this.rounds = rounds;
        this.directory = directory;
    }

    Map<Key, Figures> measure(List<Program> programs, List<Contender> contenders, RawResults raw)
            throws IOException, InterruptedException {
        Map<Key, Figures> results = new LinkedHashMap<>();
        for (Program program : programs) {
            for (Contender contender : contenders) {
                Settings.progress(MEASUREMENT + ", " + program.label() + ", " + contender.label());
                var key = new Key(program, contender);
                long classes = classes(key);
                results.put(key, new Figures(new Rounds(), classes));
                raw.add(MEASUREMENT + ", " + program.label(), contender.label(), 1, 0, "classes", (double) classes);
            }
        }
        for (int round = 1; round <= rounds; round++) {
            Settings.progress(MEASUREMENT + ", round " + round);
            List<Map.Entry<Key, Figures>> order = new ArrayList<>(results.entrySet());
            if (round % 2 == 0) {
                Collections.reverse(order);
            }
            for (Map.Entry<Key, Figures> start : order) {
                Key key = start.getKey();
                double millis = cpu(key, List.of()).toNanos() / 1e6;
                start.getValue().cpu().add(millis);
                raw.add(
                        MEASUREMENT + ", " + key.program().label(),
                        key.contender().label(),
                        1,
                        round,
                        "CPU ms",
                        millis);
            }
        }
        return results;
    }

    /** Of one run, with what the JVM loads for itself. */
    private long classes(Key key) throws IOException, InterruptedException {
        Path log = Files.createTempFile(directory, "classes", ".log");
        cpu(key, List.of("-Xlog:class+load:file=" + log + ":none"));
        try (Stream<String> lines = Files.lines(log)) {
            return lines.filter(line -> line.contains(" source: ")).count();
        }
    }

    private Duration cpu(Key key, List<String> more) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(more);
        command.addAll(key.contender().options());
        command.addAll(key.program().arguments());
        List<String> output = new ArrayList<>();
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        Thread watchdog = new Thread(() -> destroyAfter(process, LONGEST), "start-up-watchdog");
        watchdog.setDaemon(true);
        watchdog.start();
        try (BufferedReader lines = process.inputReader()) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                output.add(line);
                if (line.contains(key.program().ready())) {
                    return process.info()
                            .totalCpuDuration()
                            .orElseThrow(
                                    () -> new IllegalStateException("the CPU time of " + command + " is not known"));
                }
            }
            throw new IllegalStateException(command + " did not get ready:\n" + String.join("\n", output));
        } finally {
            process.destroy();
            if (!process.waitFor(10, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
            watchdog.interrupt();
            watchdog.join();
        }
    }

    private static void destroyAfter(Process process, Duration longest) {
        try {
            if (!process.waitFor(longest.toMillis(), TimeUnit.MILLISECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            // it has ended in time
        }
    }
}
