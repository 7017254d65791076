// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.LockKey;
import io.pglock.cli.Cli.Ended;
import io.pglock.testkit.Database;
import io.pglock.testkit.PgBouncer;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@PostgresTest
class RunTest {

    @Test
    @Tag("versions")
    void oneRunsAfterTheOther(Database database, Scenario scenario, @TempDir Path folder) throws Exception {
        Path log = folder.resolve("log");
        String[] words = {
            "run",
            "report",
            "--",
            "sh",
            "-c",
            "echo begin $PGLOCK_KEY >> $0; sleep 0.3; echo end $PGLOCK_FENCING_TOKEN >> $0",
            log.toString()
        };
        try (RunningCli first = RunningCli.start(Cli.on(database), words);
                RunningCli second = RunningCli.start(Cli.on(database), words);
                RunningCli third = RunningCli.start(Cli.on(database), words)) {
            for (RunningCli each : List.of(first, second, third)) {
                assertThat(each.ended().code()).isZero();
            }
        }
        List<String> lines = Files.readAllLines(log);
        assertThat(lines).hasSize(6);
        for (int i = 0; i < 6; i += 2) {
            assertThat(lines.get(i)).isEqualTo("begin report");
            assertThat(lines.get(i + 1)).startsWith("end ");
        }
        assertThat(lines.stream().filter(line -> line.startsWith("end ")).map(line -> Long.valueOf(line.substring(4))))
                .as("the fencing tokens, in the order of the runs")
                .isSorted()
                .doesNotHaveDuplicates();
    }

    @Test
    @Tag("versions")
    void saysWhoHoldsTheKeyAndGivesUp(Database database, Scenario scenario) {
        Session holder = scenario.session("holder");
        holder.execute("select pg_advisory_lock(" + LockKey.named("report").number() + ")");
        Ended timedOut = Cli.on(database).run("run", "report", "--timeout", "1500ms", "--", "echo", "ran");
        assertThat(timedOut.code()).isEqualTo(75);
        assertThat(timedOut.out()).isEmpty();
        assertThat(timedOut.err().lines())
                .hasSize(2)
                .allMatch(line -> line.startsWith(
                        "pglock: report (" + LockKey.named("report").number() + ")"))
                .allMatch(line -> line.contains("pid " + holder.pid() + " (holder, idle"));
        assertThat(timedOut.err())
                .contains("connected since", "Waiting for it, 1500ms in all.", "not acquired within 1.5s");
        Ended atOnce = Cli.on(database).run("run", "report", "--nowait", "--", "echo", "ran");
        assertThat(atOnce.code()).isEqualTo(75);
        assertThat(atOnce.out()).isEmpty();
        assertThat(atOnce.err().lines()).hasSize(1).allMatch(line -> line.contains("pid " + holder.pid()));
    }

    /** As with all that is in pglock.toml; what stands there side by side is a mistake. */
    @Test
    void theNearerOfNowaitAndTimeoutCounts(Database database, Scenario scenario, @TempDir Path folder)
            throws Exception {
        scenario.session("holder")
                .execute("select pg_advisory_lock(" + LockKey.named("report").number() + ")");
        Path file = folder.resolve("pglock.toml");
        Cli cli = Cli.on(database).environment("PGLOCK_CONFIG", file.toString());
        String patient = "Waiting for it, 1500ms in all.";

        Files.writeString(file, """
                [defaults]
                timeout = "5m"
                [profiles.once]
                nowait = true
                [profiles.patient]
                timeout = "1500ms"
                """);
        assertThat(notAcquired(cli, "--nowait")).doesNotContain("Waiting");
        assertThat(notAcquired(cli, "-c", "once")).doesNotContain("Waiting");
        assertThat(notAcquired(cli, "-c", "once", "--timeout", "1500ms")).contains(patient);
        assertThat(notAcquired(cli, "-c", "patient", "--nowait")).doesNotContain("Waiting");

        Files.writeString(file, "[defaults]\nnowait = true\n[profiles.patient]\ntimeout = \"1500ms\"\n");
        assertThat(notAcquired(cli)).doesNotContain("Waiting");
        assertThat(notAcquired(cli, "--timeout", "1500ms")).contains(patient);
        assertThat(notAcquired(cli, "-c", "patient")).contains(patient);

        Files.writeString(file, "[defaults]\nnowait = true\ntimeout = \"1s\"\n");
        assertUsage(cli.run("run", "report", "--", "true"), "--nowait and --timeout exclude each other.");
    }

    private static String notAcquired(Cli cli, String... options) {
        Ended ended = cli.run(Stream.of(Stream.of("run", "report"), Stream.of(options), Stream.of("--", "echo", "ran"))
                .flatMap(words -> words)
                .toArray(String[]::new));
        assertThat(ended.code()).as(ended.toString()).isEqualTo(75);
        assertThat(ended.out()).isEmpty();
        return ended.err();
    }

    /** Another server, or no command at all, were they pglock's. */
    @Test
    void whatFollowsTheCommandIsTheCommands(Database database) {
        String[] options = {"-h", "-p", "5433", "--host", "nowhere.invalid", "--", "-V"};
        for (List<String> before : List.of(List.of("run", "report"), List.of("run", "report", "--nowait", "--"))) {
            Ended ended = Cli.on(database)
                    .run(Stream.of(before.stream(), Stream.of("echo"), Stream.of(options))
                            .flatMap(words -> words)
                            .toArray(String[]::new));
            assertThat(ended.succeeded().out()).isEqualTo(String.join(" ", options) + "\n");
        }
        assertThat(Cli.bare().run("run", "report").err()).contains("Missing required parameter");
        assertThat(Cli.bare().run("run", "report", "--").err()).contains("Missing required parameter");
        assertThat(Cli.bare().run("run", "report", "--help").succeeded().out()).contains("KEY -- COMMAND");
    }

    @Test
    void waitsForEverAndThenRuns(Database database, Scenario scenario) throws Exception {
        Session holder = scenario.session("holder");
        holder.execute("select pg_advisory_lock(" + LockKey.named("report").number() + ")");
        try (RunningCli waiting = RunningCli.start(Cli.on(database), "run", "report", "--", "echo", "ran")) {
            waiting.said("is held by pid " + holder.pid());
            assertThat(waiting.process().isAlive()).isTrue();
            holder.execute("select pg_advisory_unlock_all()");
            assertThat(waiting.ended()).extracting(Ended::code, Ended::out).containsExactly(0, "ran\n");
        }
    }

    @Test
    void sharedGoesWithSharedOnly(Database database, Scenario scenario) throws Exception {
        try (RunningCli first = RunningCli.start(
                Cli.on(database),
                "run",
                "report",
                "--shared",
                "--",
                "sh",
                "-c",
                "echo begun; cat /dev/zero > /dev/null")) {
            first.printed("begun");
            assertThat(Cli.on(database)
                            .run("run", "report", "--shared", "--nowait", "--", "echo", "too")
                            .succeeded()
                            .out())
                    .isEqualTo("too\n");
            assertThat(Cli.on(database)
                            .run("run", "report", "--nowait", "--", "echo", "alone")
                            .code())
                    .isEqualTo(75);
        }
        scenario.await("the lock to be free", () -> isFree(scenario));
    }

    static boolean isFree(Scenario scenario) throws Exception {
        try (var statement = scenario.observer().createStatement();
                var row = statement.executeQuery(
                        "select count(*) from pg_locks where locktype = 'advisory' and database ="
                                + " (select oid from pg_database where datname = current_database())")) {
            row.next();
            return row.getInt(1) == 0;
        }
    }

    @Test
    @Tag("versions")
    void passesInputOutputAndExitCodeOn(Database database) {
        Ended ended = Cli.on(database)
                .input("typed\n")
                .run("run", "report", "--", "sh", "-c", "cat; echo problem >&2; exit 7");
        assertThat(ended).isEqualTo(new Ended(7, "typed\n", "problem\n"));
        assertThat(Cli.on(database)
                        .run("run", "report", "--", "sh", "-c", "kill -KILL $$")
                        .code())
                .isEqualTo(128 + 9);
        assertThat(Cli.on(database)
                        .run("run", "report", "--", "echo", "-x", "--", "--help")
                        .out())
                .isEqualTo("-x -- --help\n");
    }

    @Test
    void aCommandThatIsNotThereOrNoProgramHasItsCodes(Database database, @TempDir Path folder) throws Exception {
        assertThat(Cli.on(database).run("run", "report", "--", "there-is-no-such-command"))
                .isEqualTo(new Ended(127, "", "pglock: there-is-no-such-command: there is no such command.\n"));
        Path text = Files.writeString(folder.resolve("notes.txt"), "no program");
        assertThat(Cli.on(database).run("run", "report", "--", text.toString()))
                .isEqualTo(new Ended(126, "", "pglock: " + text + ": may not be executed.\n"));
    }

    @Test
    void aKeyMayBeANumberOrTwo(Database database, Scenario scenario) {
        Session holder = scenario.session("holder");
        holder.execute("select pg_advisory_lock(-42), pg_advisory_lock(7, 8)");
        assertThat(Cli.on(database)
                        .run("run", "--number", "-42", "--nowait", "--", "true")
                        .code())
                .isEqualTo(75);
        assertThat(Cli.on(database)
                        .run("run", "--number", "7,8", "--nowait", "--", "true")
                        .code())
                .isEqualTo(75);
        Cli.on(database).run("run", "42", "--nowait", "--", "true").succeeded();
    }

    @Test
    void wrongUsageIsSaidBeforeAnythingHappens() {
        Cli nowhere = Cli.bare().environment("PGHOST", "nowhere.invalid");
        assertUsage(nowhere.run("run"), "Missing required parameters: 'KEY', 'COMMAND'");
        assertUsage(nowhere.run("run", "report"), "Missing required parameter: 'COMMAND'");
        assertUsage(nowhere.run("run", "report", "--"), "Missing required parameter: 'COMMAND'");
        assertUsage(
                nowhere.run("run", "report", "--nowait", "--timeout", "1s", "--", "true"),
                "--nowait and --timeout exclude each other.");
        assertUsage(
                nowhere.run("run", "report", "--timeout", "30", "--", "true"),
                "--timeout 30 has no unit; write 30s or 30ms");
        assertUsage(nowhere.run("run", "report", "--on-lost", "cry", "--", "true"), "--on-lost");
        assertUsage(nowhere.run("run", "--number", "report", "--", "true"), "\"report\" is not a number");
        assertUsage(nowhere.run("run", "", "--", "true"), "KEY is empty");
    }

    private static void assertUsage(Ended ended, String message) {
        assertThat(ended.code()).isEqualTo(1);
        assertThat(ended.out()).isEmpty();
        assertThat(ended.err()).startsWith("pglock: ").contains(message).doesNotContain("\tat ");
    }

    /** Otherwise it would be another lock under cron than at a terminal. */
    @Test
    void aNameIsTheSameOneWhereThereIsNoLocale(Database database) throws Exception {
        assertNameIsKept(database, "C");
        assertNameIsKept(database, "xx_XX.UTF-8"); // as ssh brings one along that is not installed
    }

    private static void assertNameIsKept(Database database, String locale) throws Exception {
        ProcessBuilder shell = Cli.on(database).builder();
        shell.command(List.of(
                "sh",
                "-c",
                "LC_ALL=$1 \"$0\" run \"$(printf 'caf\\303\\251')\" -- printenv PGLOCK_KEY LC_ALL",
                Cli.launcher().toString(),
                locale));
        Process process = shell.start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).isZero();
        assertThat(out).isEqualTo("caf\u00e9\n" + locale + "\n");
    }

    @Test
    void isRefusedThroughATransactionPooler(Database database) {
        try (PgBouncer bouncer = PgBouncer.startOrSkip(database, "transaction")) {
            Ended refused = Cli.on(database)
                    .environment("PGHOST", "127.0.0.1")
                    .environment("PGPORT", Integer.toString(bouncer.port()))
                    .run("run", "report", "--", "echo", "ran");
            assertThat(refused.code()).isEqualTo(69);
            assertThat(refused.out()).isEmpty();
            assertThat(refused.err().lines()).hasSize(1).allMatch(line -> line.contains("pool_mode=session"));
        }
    }
}
