// SPDX-License-Identifier: Apache-2.0
package io.pglock.examples.hosts;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.testkit.Database;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the READMEs of the examples tell to type, typed: each time without the agent, and with it. */
@PostgresTest
class AgentExamplesTest {

    private static final Pattern COMMAND = Pattern.compile("```sh\\n(java .*)\\n```");

    @TempDir
    Path folder;

    @Test
    void aPlainProgramGetsThrough(Database database, Scenario scenario) throws Exception {
        Path example = Path.of(System.getProperty("pglock.hosts.agent-main"));
        List<String> commands = commands(example);
        Map<String, String> environment =
                Map.of("SHOP", database.url() + "?user=" + database.user() + "&password=" + database.password());
        scenario.session("test").execute("create table orders (id int)");
        Session web = scenario.session("web");
        web.begin();
        web.execute("select * from orders");

        try (HostProcess host = start(commands.get(0), example, environment)) {
            awaitWaiters(scenario, "orders", 1);
            host.kill();
        }
        scenario.session("test")
                .execute("select pg_terminate_backend(pid) from pg_stat_activity where " + web.pid()
                        + " = any (pg_blocking_pids(pid))");
        awaitWaiters(scenario, "orders", 0);

        try (HostProcess host = start(commands.get(1), example, environment)) {
            assertThat(host.exitCode()).as(host.output()).isZero();
            assertThat(host.output())
                    .contains("Terminated pid " + web.pid() + " (web, idle in transaction for ")
                    .contains("The shop is up to date.");
        }
        scenario.awaitGone(web.pid());
    }

    @Test
    void ofTwoInstancesOneRunsTheJob(Database database, Scenario scenario) throws Exception {
        Path example = Path.of(System.getProperty("pglock.hosts.agent-scheduled"));
        List<String> commands = commands(example);
        Map<String, String> environment = Map.of(
                "SPRING_DATASOURCE_URL", database.url(),
                "SPRING_DATASOURCE_USERNAME", database.user(),
                "SPRING_DATASOURCE_PASSWORD", database.password());
        Session test = scenario.session("test");
        test.execute(Files.readString(example.resolve("src/main/resources/schema.sql"))
                .split(";(?=\\s)"));
        Session gate = scenario.session("gate");
        gate.begin();
        gate.execute("lock table counted in share mode");

        try (HostProcess first = start(commands.get(0), example, environment);
                HostProcess second = start(commands.get(0), example, environment)) {
            awaitWaiters(scenario, "counted", 2);
        }
        test.execute(
                "select pg_terminate_backend(pid) from pg_locks where relation = 'counted'::regclass and not granted");
        awaitWaiters(scenario, "counted", 0);

        try (HostProcess first = start(commands.get(1), example, environment);
                HostProcess second = start(commands.get(1), example, environment)) {
            first.awaitOutput("Started Shop");
            second.awaitOutput("Started Shop");
            scenario.await("one to run it, and the other to skip it", () -> {
                assertThat(waiters(scenario, "counted")).isLessThan(2);
                return (first.output() + second.output()).contains("Nightly.run: skipped.");
            });
            gate.commit();
            scenario.await(
                    "it to be done",
                    () -> !test.value("select count(*) from counted").equals("0"));
            assertThat(first.isAlive() && second.isAlive()).isTrue();
        }
    }

    private static void awaitWaiters(Scenario scenario, String table, int count) {
        scenario.await(count + " to wait for " + table, () -> waiters(scenario, table) == count);
    }

    private static int waiters(Scenario scenario, String table) {
        return scenario.session("test")
                .execute("select pid from pg_locks where relation = '" + table + "'::regclass and not granted")
                .size();
    }

    private static List<String> commands(Path example) throws IOException {
        List<String> commands = COMMAND.matcher(Files.readString(example.resolve("README.md")))
                .results()
                .map(MatchResult::group)
                .map(block -> block.replace("```sh\n", "").replace("\n```", ""))
                .toList();
        assertThat(commands).hasSize(2);
        return commands;
    }

    private HostProcess start(String command, Path example, Map<String, String> environment) throws IOException {
        ProcessBuilder shell = new ProcessBuilder("sh", "-c", command);
        shell.environment().putAll(environment);
        shell.environment()
                .merge(
                        "PATH",
                        Path.of(System.getProperty("java.home"), "bin").toString(),
                        (path, java) -> java + File.pathSeparator + path);
        return HostProcess.start(shell, example, folder);
    }
}
