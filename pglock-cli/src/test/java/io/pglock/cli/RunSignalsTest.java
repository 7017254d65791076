// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.pglock.LockKey;
import io.pglock.cli.Cli.Ended;
import io.pglock.testkit.Database;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What becomes of the command when pglock is told to end, when it is killed, and when the lock is lost. */
@PostgresTest
class RunSignalsTest {

    /** Answers signals, and sleeps in between so that they are heard soon. */
    private static final String LISTENS = """
            trap 'echo heard TERM; exit 3' TERM; trap 'echo heard USR1' USR1; trap 'echo heard HUP' HUP
            trap 'echo heard INT' INT; echo begun; while :; do sleep 0.05; done""";

    private static RunningCli running(Database database, String script, String... options) {
        return RunningCli.start(
                Cli.on(database),
                Stream.of(Stream.of("run", "report"), Stream.of(options), Stream.of("--", "sh", "-c", script))
                        .flatMap(each -> each)
                        .toArray(String[]::new));
    }

    /** The session that holds the lock. */
    private static int holder(Scenario scenario) throws Exception {
        try (var statement = scenario.observer().createStatement();
                var row = statement.executeQuery(
                        "select pid from pg_locks where locktype = 'advisory' and granted and objsubid = 1 and classid::bigint = "
                                + LockKey.named("report").classId())) {
            return row.next() ? row.getInt(1) : 0;
        }
    }

    private static void loseLock(Scenario scenario) throws Exception {
        try (var statement = scenario.observer().createStatement()) {
            statement.execute("select pg_terminate_backend(" + holder(scenario) + ")");
        }
    }

    @Test
    @Tag("versions")
    void signalsReachTheCommandOnceEach(Database database, Scenario scenario) throws Exception {
        try (RunningCli run = running(database, LISTENS)) {
            run.printed("begun").signal("USR1");
            run.printed("heard USR1").signal("HUP");
            run.printed("heard HUP").signal("INT");
            run.printed("heard INT").signal("TERM");
            Ended ended = run.ended();
            assertThat(ended).isEqualTo(new Ended(3, "begun\nheard USR1\nheard HUP\nheard INT\nheard TERM\n", ""));
        }
        assertThat(RunTest.isFree(scenario)).isTrue();
    }

    @Test
    void whatACommandLeavesRunningThatASignalEndedIsEndedToo(Database database, Scenario scenario, @TempDir Path folder)
            throws Exception {
        Path pid = folder.resolve("pid");
        try (RunningCli run = running(database, "sleep 300 & echo $! > " + pid + "; echo begun; wait")) {
            run.printed("begun").signal("TERM");
            assertThat(run.ended().code()).isEqualTo(128 + 15);
        }
        assertThat(ProcessHandle.of(Long.parseLong(Files.readString(pid).strip()))
                        .filter(ProcessHandle::isAlive))
                .as("the sleep that the shell had started")
                .isEmpty();
    }

    @Test
    void whoeverWaitsForTheLockEndsAtOnce(Database database, Scenario scenario) throws Exception {
        Session holder = scenario.session("holder");
        holder.execute("select pg_advisory_lock(" + LockKey.named("report").number() + ")");
        try (RunningCli run = running(database, "echo ran")) {
            run.said("is held by").signal("TERM");
            assertThat(run.ended()).extracting(Ended::code, Ended::out).containsExactly(128 + 15, "");
        }
    }

    @Test
    @Tag("versions")
    void aLostLockStopsTheCommand(Database database, Scenario scenario) throws Exception {
        try (RunningCli run = running(database, LISTENS)) {
            run.printed("begun");
            loseLock(scenario);
            Ended ended = run.ended();
            assertThat(ended.code()).isEqualTo(69);
            assertThat(ended.out()).isEqualTo("begun\nheard TERM\n");
            assertThat(ended.err())
                    .contains("the lock is lost, and somebody else may have it", "within 10s")
                    .doesNotContain("\tat ");
        }
    }

    /** A shell hears of it only when what it waits for has ended: that is told as well, and may not work on without the lock. */
    @Test
    void whatTheCommandHasStartedIsToldAtOnceThatTheLockIsLost(Database database, Scenario scenario) throws Exception {
        String script = "trap 'echo tidied up; exit 4' TERM; sh -c 'trap \"echo worker told; exit\" TERM; echo begun;"
                + " while :; do sleep 0.05; done'; echo never";
        try (RunningCli run = running(database, script, "--grace", "10m")) {
            run.printed("begun");
            loseLock(scenario);
            Ended ended = run.ended();
            assertThat(ended.code()).isEqualTo(69);
            assertThat(ended.out()).isEqualTo("begun\nworker told\ntidied up\n");
        }
    }

    @Test
    void aCommandThatDoesNotStopIsKilled(Database database, Scenario scenario) throws Exception {
        String deaf = "trap '' TERM; echo begun; while :; do sleep 0.05; done; echo never";
        try (RunningCli run = running(database, deaf, "--grace", "200ms")) {
            run.printed("begun");
            loseLock(scenario);
            assertThat(run.ended()).extracting(Ended::code, Ended::out).containsExactly(69, "begun\n");
        }
        try (RunningCli run = running(database, LISTENS, "--on-lost", "kill")) {
            run.printed("begun");
            loseLock(scenario);
            assertThat(run.ended()).extracting(Ended::code, Ended::out).containsExactly(69, "begun\n");
        }
    }

    @Test
    void whatACommandLeavesRunningIsKilledBeforePglockEnds(Database database, Scenario scenario, @TempDir Path folder)
            throws Exception {
        Path pid = folder.resolve("pid");
        String leavesADeafOne = "sh -c 'trap \"\" TERM; echo begun; while :; do sleep 0.05; done' & echo $! > " + pid
                + "; trap 'exit 3' TERM; while :; do sleep 0.05; done";
        try (RunningCli run = running(database, leavesADeafOne, "--grace", "500ms")) {
            run.printed("begun");
            loseLock(scenario);
            assertThat(run.ended()).extracting(Ended::code, Ended::out).containsExactly(69, "begun\n");
        }
        ProcessHandle.of(Long.parseLong(Files.readString(pid).strip()))
                .ifPresent(deaf -> scenario.await("the deaf one to be gone", () -> !deaf.isAlive()));
    }

    @Test
    void aLostLockMayBeNoMoreThanAWarning(Database database, Scenario scenario) throws Exception {
        String patient = "trap 'exit 4' USR1; echo begun; while :; do sleep 0.05; done";
        try (RunningCli run = running(database, patient, "--on-lost=warn")) {
            run.printed("begun");
            loseLock(scenario);
            run.said("The command goes on").signal("USR1");
            assertThat(run.ended().code()).isEqualTo(4);
        }
    }

    @Test
    @Tag("versions")
    void theLockIsFreeWhenPglockIsKilled(Database database, Scenario scenario, @TempDir Path folder) throws Exception {
        Path pid = folder.resolve("pid");
        try (RunningCli run = running(database, "echo $$ > " + pid + "; echo begun; exec sleep 300")) {
            run.printed("begun");
            assertThat(holder(scenario)).isNotZero();
            run.signal("KILL");
            assertThat(run.ended().code()).isEqualTo(128 + 9);
        } finally {
            ProcessHandle.of(Long.parseLong(Files.readString(pid).strip())).ifPresent(ProcessHandle::destroyForcibly);
        }
        scenario.await("the lock to be free", () -> RunTest.isFree(scenario));
    }

    @Test
    void controlCReachesTheCommandOnce(Database database, Scenario scenario, @TempDir Path folder) throws Exception {
        assumeTrue(new ProcessBuilder("sh", "-c", "command -v tmux").start().waitFor() == 0, "needs tmux");
        Path log = Files.createFile(folder.resolve("log"));
        Path code = folder.resolve("code");
        Path script = Files.writeString(
                folder.resolve("script"),
                "trap 'echo INT >> " + log + "' INT; trap 'exit 5' TERM; echo begun >> " + log
                        + "; while :; do sleep 0.05; done");
        String socket = "pglock-" + ProcessHandle.current().pid();
        StringBuilder line = new StringBuilder();
        for (Map.Entry<String, String> each : Cli.on(database).environment().entrySet()) {
            line.append("export ")
                    .append(each.getKey())
                    .append("='")
                    .append(each.getValue())
                    .append("'; ");
        }
        line.append("trap : INT; ")
                .append(Cli.launcher())
                .append(" run report -- sh ")
                .append(script)
                .append("; echo $? > ")
                .append(code);
        try {
            new ProcessBuilder("tmux", "-L", socket, "-f", "/dev/null", "new-session", "-d", line.toString())
                    .start()
                    .waitFor();
            scenario.await("the command to begin", () -> Files.readString(log).contains("begun"));
            tmux(socket, "send-keys", "C-c");
            scenario.await("Control-C to arrive", () -> Files.readString(log).contains("INT"));
            long pglock = ProcessHandle.allProcesses()
                    .filter(each -> each.info().commandLine().orElse("").contains("sh " + script)
                            && each.info().command().orElse("").endsWith("java"))
                    .findFirst()
                    .orElseThrow()
                    .pid();
            new ProcessBuilder("kill", "-TERM", Long.toString(pglock)).start().waitFor();
            scenario.await(
                    "pglock to end",
                    () -> Files.exists(code) && !Files.readString(code).isEmpty());
            assertThat(Files.readString(code)).isEqualTo("5\n");
            assertThat(Files.readString(log)).isEqualTo("begun\nINT\n");
        } finally {
            tmux(socket, "kill-server");
        }
    }

    private static void tmux(String socket, String... words) throws Exception {
        new ProcessBuilder(Stream.concat(Stream.of("tmux", "-L", socket), Stream.of(words))
                        .toList())
                .start()
                .waitFor();
    }
}
