// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.Statement;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.postgresql.Driver;
import org.postgresql.PGProperty;

/**
 * How long it takes until the {@code pglock} command has said who holds which lock, beside {@code manage.py pglock} of a Django
 * project that has nothing else. Writes {@code command.md}, {@code command.svg} and {@code command.csv}. Of the packaged command.
 */
public final class Command {

    /** A call takes less than a second, so there may be many. */
    private static final int CALLS_PER_ROUND = 7;

    private static final long LONGEST_SECONDS = 60;

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

    private final Server server;
    private final Path launcher;
    private final Path jar;
    private final Path project;

    private Command(Server server, Path launcher, Path jar, Path project) {
        this.server = server;
        this.launcher = launcher;
        this.jar = jar;
        this.project = project;
    }

    /** Measures; see {@link Settings} for how often. */
    public static void main(String[] arguments) throws Exception {
        Settings settings = Settings.ofSystemProperties();
        Path launcher = Path.of(System.getProperty("pglock.cli.launcher", "")).toAbsolutePath();
        Path jar = Path.of(System.getProperty("pglock.cli.jar", "")).toAbsolutePath();
        Path packages = Path.of(System.getProperty("pglock.bench.django", "")).toAbsolutePath();
        if (!Files.isExecutable(launcher) || !Files.isDirectory(packages.resolve("pglock"))) {
            throw new IllegalStateException(
                    "mvn -q -Pbench -Dpglock.bench=Command -pl pglock-bench -am"
                            + " -Dpglock.bench.django=<a folder with the Python packages pglock and pgactivity>; python3 must have Django.");
        }
        Path project = djangoProject(packages);
        try (var server = new Server();
                Connection observer = server.connect();
                Connection holder = server.connect();
                Statement statement = holder.createStatement()) {
            statement.execute("create table orders (id int)");
            holder.setAutoCommit(false);
            statement.execute("lock table orders in share mode");
            var raw = new RawResults();
            var results = new Command(server, launcher, jar, project).measure(settings.rounds() * CALLS_PER_ROUND, raw);
            Path directory = Files.createDirectories(settings.directory());
            raw.write(directory.resolve("command.csv"));
            CommandPage.chart(results).write(directory.resolve("command.svg"));
            CommandPage.of(results, Machine.describe(observer), django(project)).write(directory.resolve("command.md"));
        } finally {
            deleteTree(project);
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
        ProcessBuilder builder = new ProcessBuilder(
                switch (contender) {
                    case DJANGO -> List.of(python(), "manage.py", "pglock");
                    case LS -> List.of(launcher.toString(), "ls");
                    case LS_PLAIN ->
                        List.of(
                                Path.of(System.getProperty("java.home"), "bin", "java")
                                        .toString(),
                                "-jar",
                                jar.toString(),
                                "ls");
                    case TREE -> List.of(launcher.toString(), "tree");
                    case HELP -> List.of(launcher.toString(), "--help");
                });
        environment(builder.environment());
        Path out = project.resolve("out");
        long start = System.nanoTime();
        Process process = builder.directory(project.toFile())
                .redirectOutput(out.toFile())
                .redirectError(project.resolve("err").toFile())
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
                    + Files.readString(project.resolve("err")));
        }
        return took;
    }

    private void environment(Map<String, String> environment) {
        environment.keySet().removeIf(name -> name.startsWith("PG"));
        var url = Driver.parseURL(server.url(), null);
        if (url == null) {
            throw new IllegalStateException("not a URL of PostgreSQL: " + server.url());
        }
        environment.put("PGHOST", String.valueOf(PGProperty.PG_HOST.getOrDefault(url)));
        environment.put("PGPORT", String.valueOf(PGProperty.PG_PORT.getOrDefault(url)));
        environment.put("PGDATABASE", String.valueOf(PGProperty.PG_DBNAME.getOrDefault(url)));
        environment.put("PGUSER", server.user());
        environment.put("PGPASSWORD", server.password());
        environment.put("PYTHONPATH", System.getProperty("pglock.bench.django", ""));
        environment.put("PYTHONWARNINGS", "ignore");
        environment.put("JAVA_HOME", System.getProperty("java.home"));
    }

    private static String python() {
        return System.getProperty("pglock.bench.python", "python3");
    }

    private static String django(Path project) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(
                        python(),
                        "-c",
                        "import django, sys; print(f'Django {django.__version__}, Python {sys.version.split()[0]}')")
                .directory(project.toFile())
                .start();
        try (var answer = process.inputReader()) {
            String line = answer.readLine();
            process.waitFor();
            return String.valueOf(line);
        }
    }

    private static Path djangoProject(Path packages) throws IOException {
        Path project = Files.createTempDirectory("pglock-bench");
        Files.writeString(project.resolve("settings.py"), """
                import os

                SECRET_KEY = "measured"
                INSTALLED_APPS = ["pgactivity", "pglock"]
                DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
                DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql"} | {
                    key: os.environ["PG" + variable]
                    for key, variable in
                    {"NAME": "DATABASE", "USER": "USER", "PASSWORD": "PASSWORD", "HOST": "HOST", "PORT": "PORT"}.items()
                }}
                """);
        Files.writeString(project.resolve("manage.py"), """
                import os, sys
                from django.core.management import execute_from_command_line

                os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
                execute_from_command_line(sys.argv)
                """);
        if (!Files.isDirectory(packages.resolve("pgactivity"))) {
            throw new IOException(packages + " has no package pgactivity");
        }
        return project;
    }

    private static void deleteTree(Path folder) throws IOException {
        try (var files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
