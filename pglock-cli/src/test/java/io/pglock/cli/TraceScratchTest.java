// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.pglock.testkit.Await;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TraceScratchTest {

    @TempDir
    Path folder;

    @TempDir
    Path cache;

    @TempDir
    Path temporary;

    private Cli cli() {
        return Cli.bare()
                .environment("XDG_CACHE_HOME", cache.toString())
                .environment("JDK_JAVA_OPTIONS", "-Djava.io.tmpdir=" + temporary);
    }

    /** Nothing but the unpacked programs, which are used again. */
    @AfterEach
    void nothingIsLeft() throws IOException {
        try (Stream<Path> left = Files.list(cache.resolve("pglock/postgres"))) {
            assertThat(left.map(path -> path.getFileName().toString())).allMatch(name -> name.startsWith("PG-"));
        }
        assertThat(servers()).isEmpty();
        assertThat(temporary).as("data and passwords").isEmptyDirectory();
    }

    private List<String> servers() {
        return ProcessHandle.allProcesses()
                .map(process -> process.info().commandLine().orElse(""))
                .filter(line -> line.contains(cache.toString()))
                .toList();
    }

    private String file(String name, String... lines) throws IOException {
        return Files.writeString(folder.resolve(name), String.join("\n", lines)).toString();
    }

    @Test
    void tracesWhatCommitsByItselfAndIsGoneAfterwards() throws IOException {
        String schema = file(
                "schema.sql",
                "\\restrict x",
                "select pg_catalog.set_config('search_path', '', false);",
                "create table public.orders (id int primary key, n int);",
                "insert into public.orders select i, i from generate_series(1, 100) i;");
        String script = file(
                "t.sql",
                "create index concurrently orders_n on orders (n);",
                "begin; alter table orders add column a int; create index on orders (a); commit;",
                "vacuum full orders;",
                "create table fresh (id int);",
                "drop table orders;");
        Cli.Ended ended = cli().run("trace", "--scratch", "--schema", schema, "--max", "SHARE", script);
        assertThat(ended.code()).as(ended.err()).isEqualTo(2);
        assertThat(ended.lines().stream().map(String::strip))
                .anyMatch(line -> line.contains("t.sql:1  create index concurrently")
                        && line.endsWith("outside of a transaction"))
                .anyMatch(
                        line -> line.matches(
                                "SHARE UPDATE EXCLUSIVE on public.orders, seen for .*, blocks schema changes and VACUUM of orders"))
                .contains("creates index public.orders_n")
                .anyMatch(line -> line.startsWith("ACCESS EXCLUSIVE on public.orders, held "))
                .contains("rewrites table public.orders, index public.orders_pkey")
                .contains("creates table public.fresh")
                .anyMatch(line -> line.startsWith("drops table public.orders"));
        assertThat(ended.err())
                .contains("t.sql:2: ACCESS EXCLUSIVE on public.orders is stronger than SHARE.")
                .doesNotContain("SLF4J", "fresh");

        String more = file("more.sql", "create table public.lines (id int);");
        String profiles = file("pglock.toml", "[profiles.shop]", "schema = [\"%s\", \"%s\"]".formatted(schema, more));
        String both = file("f.sql", "select * from lines, orders;", "vacuum orders");
        Cli.Ended failed = cli().run("trace", "--scratch", "-1", "--config-file", profiles, "-c", "shop", both);
        assertThat(failed.code()).as(failed.err()).isEqualTo(65);
        assertThat(failed.err()).contains("f.sql:2: ", "Leave out -1");
    }

    @Test
    void ctrlCStopsTheServerAndDeletesIt() throws Exception {
        String script = file("t.sql", "create table t (id int); select pg_sleep(60);");
        try (RunningCli going = RunningCli.start(cli(), "trace", "--scratch", script)) {
            going.told("create table");
            assertThat(servers()).isNotEmpty();
            going.signal("INT");
            Cli.Ended ended = going.ended();
            assertThat(ended.code()).as(ended.err()).isEqualTo(130);
            assertThat(ended.err()).contains("interrupted; the scratch server is gone.");
        }
    }

    @Test
    void ctrlCWhileItReadsEndsItAtOnce() throws Exception {
        Files.createDirectories(cache.resolve("pglock/postgres"));
        Path err = folder.resolve("err");
        Process process = cli().builder("trace", "--scratch", "--schema", "-", file("t.sql", "select 1"))
                .redirectError(err.toFile())
                .start();
        try {
            process.getOutputStream()
                    .write("-- more than a pipe takes\n".repeat(10_000).getBytes(StandardCharsets.UTF_8));
            new ProcessBuilder("kill", "-s", "INT", Long.toString(process.pid()))
                    .start()
                    .waitFor();

            assertThat(process.waitFor(10, TimeUnit.SECONDS)).as("it ends").isTrue();
            assertThat(process.exitValue()).isEqualTo(130);
            assertThat(err).content().doesNotContain("pglock: ");
        } finally {
            process.destroyForcibly();
        }
    }

    @Test
    void ctrlCWhileTheServerIsMadeLeavesNothingEither() throws Exception {
        Path servers = cache.resolve("pglock/postgres");
        String script = file("t.sql", "create table t (id int);");
        try (RunningCli going = RunningCli.start(cli(), "trace", "--scratch", script)) {
            Await.until(
                    Duration.ofSeconds(60),
                    "initdb to run",
                    () -> servers().stream().anyMatch(line -> line.contains("initdb")),
                    going::toString);
            going.signal("INT");
            Cli.Ended ended = going.ended();
            assertThat(ended.code()).as(ended.err()).isEqualTo(130);
            assertThat(ended.err()).endsWith("\npglock: interrupted; the scratch server is gone.\n");
        }
        assertThat(servers).isNotEmptyDirectory();
        assertThat(Files.getPosixFilePermissions(cache.resolve("pglock")))
                .as("nobody else may put a program there that is run")
                .isEqualTo(PosixFilePermissions.fromString("rwx------"));
    }

    /** At a terminal ctrl-c reaches those who make the server as well. */
    @ParameterizedTest
    @ValueSource(strings = {"initdb", "bin/postgres -D"})
    void ctrlCThatReachesTheServerTooLeavesNothing(String running) throws Exception {
        ProcessBuilder builder =
                cli().builder("trace", "--scratch", file("t.sql", "create table t (id int); select pg_sleep(60);"));
        builder.command(
                Stream.concat(Stream.of("setsid"), builder.command().stream()).toList());
        Process process = builder.redirectErrorStream(true).start();
        try {
            Await.until(
                    Duration.ofSeconds(60),
                    running + " to run",
                    () -> servers().stream().anyMatch(line -> line.contains(running)),
                    () -> "the servers are " + servers());

            new ProcessBuilder("kill", "-s", "INT", "--", "-" + process.pid())
                    .start()
                    .waitFor();

            assertThat(process.waitFor(60, TimeUnit.SECONDS)).as("it ends").isTrue();
        } finally {
            process.destroyForcibly();
        }
    }

    @Test
    void aPostgresThatIsInstalledIsStartedAndStoppedToo() throws IOException {
        Optional<Path> installed = installed();
        assumeTrue(installed.isPresent(), "needs a PostgreSQL in /usr/lib/postgresql");
        Cli.Ended ended = cli().run(
                        "trace",
                        "--scratch",
                        "--postgres-bin",
                        installed.get().toString(),
                        file("t.sql", "create table t (id int); create index concurrently t_id on t (id);"));
        assertThat(ended.code()).as(ended.err()).isZero();
        assertThat(ended.lines().stream().map(String::strip))
                .contains("creates table public.t", "creates index public.t_id");
        assertThat(ProcessHandle.allProcesses()
                        .map(process -> process.info().commandLine().orElse(""))
                        .filter(line -> line.contains(temporary.toString())))
                .isEmpty();
        Files.createDirectories(cache.resolve("pglock/postgres"));
    }

    /** Where Debian and its relatives have them. */
    private static Optional<Path> installed() throws IOException {
        Path all = Path.of("/usr/lib/postgresql");
        if (!Files.isDirectory(all)) {
            return Optional.empty();
        }
        try (Stream<Path> versions = Files.list(all)) {
            return versions.map(version -> version.resolve("bin"))
                    .filter(bin -> Files.isExecutable(bin.resolve("initdb")))
                    .findFirst();
        }
    }

    @Test
    void aFolderWithoutPostgresIsSaidSo() throws IOException {
        Cli.Ended ended =
                cli().run("trace", "--scratch", "--postgres-bin", folder.toString(), file("t.sql", "select 1"));
        assertThat(ended.code()).isEqualTo(69);
        assertThat(ended.err()).contains("the scratch server does not start", "has no pg_ctl and initdb");
        Files.createDirectories(cache.resolve("pglock/postgres"));
    }
}
