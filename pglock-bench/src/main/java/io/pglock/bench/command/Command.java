// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench.command;

import io.pglock.bench.DjangoProject;
import io.pglock.bench.Machine;
import io.pglock.bench.RawResults;
import io.pglock.bench.Rounds;
import io.pglock.bench.Server;
import io.pglock.bench.Settings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.Statement;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * How long it takes until the {@code pglock} command has said who holds which lock, beside {@code manage.py pglock} of a Django
 * project that has nothing else. Writes {@code command.md}, {@code command.svg} and {@code command.csv}. Of the packaged command.
 */
public final class Command {

    /** A call takes less than a second, so there may be many. */
    private static final int CALLS_PER_ROUND = 7;

    private static final long LONGEST_SECONDS = 60;

    private static final String HOW = "mvn -q -Pbench -Dpglock.bench=Command -pl pglock-bench -am"
            + " -Dpglock.bench.django=<a folder with the Python packages pglock and pgactivity>; python3 must have Django.";

    /** Who is called. */
    enum Contender {
        DJANGO("`manage.py pglock`"),
        LS("`pglock ls`"),
        LS_PLAIN("`java -jar`, no archive of classes"),
        TREE("`pglock tree`"),
        HELP("`pglock --help`");

        private final String label;

        Contender(String label) {
            this.label = label;
        }

        String label() {
            return label;
        }
    }

    private final Path launcher;
    private final Path jar;
    private final DjangoProject project;

    private Command(Path launcher, Path jar, DjangoProject project) {
        this.launcher = launcher;
        this.jar = jar;
        this.project = project;
    }

    /** Measures; see {@link Settings} for how often. */
    public static void main(String[] arguments) throws Exception {
        Settings settings = Settings.ofSystemProperties();
        Path launcher = Path.of(System.getProperty("pglock.cli.launcher", "")).toAbsolutePath();
        Path jar = Path.of(System.getProperty("pglock.cli.jar", "")).toAbsolutePath();
        if (!Files.isExecutable(launcher)) {
            throw new IllegalStateException(HOW);
        }
        try (var server = new Server();
                DjangoProject project = DjangoProject.on(server).orElseThrow(() -> new IllegalStateException(HOW));
                Connection observer = server.connect();
                Connection holder = server.connect();
                Statement statement = holder.createStatement()) {
            statement.execute("create table orders (id int)");
            holder.setAutoCommit(false);
            statement.execute("lock table orders in share mode");
            var raw = new RawResults();
            var results = new Command(launcher, jar, project).measure(settings.rounds() * CALLS_PER_ROUND, raw);
            Path directory = Files.createDirectories(settings.directory());
            raw.write(directory.resolve("command.csv"));
            CommandPage.chart(results).write(directory.resolve("command.svg"));
            CommandPage.of(results, Machine.describe(observer), project.versions())
                    .write(directory.resolve("command.md"));
        }
    }

    /** All take turns, back and forth; the first turn is not counted. */
    private Map<Contender, Rounds> measure(int turns, RawResults raw) throws IOException, InterruptedException {
        Map<Contender, Rounds> millis = new LinkedHashMap<>();
        for (Contender contender : Contender.values()) {
            millis.put(contender, new Rounds());
        }
        for (int turn = 0; turn <= turns; turn++) {
            Settings.progress("command, turn " + turn + " of " + turns);
            for (int i = 0; i < Contender.values().length; i++) {
                Contender contender = Contender.values()[turn % 2 == 0 ? i : Contender.values().length - 1 - i];
                double took = call(contender);
                if (turn > 0) {
                    raw.add("start", contender.label(), 1, turn, "ms", took);
                    millis.computeIfAbsent(contender, none -> new Rounds()).add(took);
                }
            }
        }
        return millis;
    }

    private double call(Contender contender) throws IOException, InterruptedException {
        ProcessBuilder builder = switch (contender) {
            case DJANGO -> project.python("manage.py", "pglock");
            case LS -> new ProcessBuilder(launcher.toString(), "ls");
            case LS_PLAIN ->
                new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-jar",
                        jar.toString(),
                        "ls");
            case TREE -> new ProcessBuilder(launcher.toString(), "tree");
            case HELP -> new ProcessBuilder(launcher.toString(), "--help");
        };
        project.environment(builder.environment());
        builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
        Path out = project.folder().resolve("out");
        long start = System.nanoTime();
        Process process = builder.directory(project.folder().toFile())
                .redirectOutput(out.toFile())
                .redirectError(project.folder().resolve("err").toFile())
                .start();
        process.getOutputStream().close();
        if (!process.waitFor(LONGEST_SECONDS, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new IllegalStateException(contender + " has not ended within " + LONGEST_SECONDS + " s");
        }
        double took = (System.nanoTime() - start) / 1e6;
        String said = Files.readString(out);
        boolean right = contender == Contender.HELP || contender == Contender.TREE || said.contains("orders");
        if (process.exitValue() != 0 || !right) {
            throw new IllegalStateException(contender + " ended with " + process.exitValue() + " and said: " + said
                    + Files.readString(project.folder().resolve("err")));
        }
        return took;
    }
}
