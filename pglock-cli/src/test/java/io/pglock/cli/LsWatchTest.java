// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.testkit.Database;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import io.pglock.testkit.TcpProxy;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code pglock ls --watch}. */
@PostgresTest
class LsWatchTest {

    private static final String SILENT = "pglock: The connection to the server is lost: it does not answer any more.\n";

    @Test
    void showsWhatChangesUntilTheServerIsLost(Database database, Scenario scenario, @TempDir Path folder)
            throws Exception {
        Session web = scenario.session("web");
        web.execute("create table watched (id int)");
        Path out = folder.resolve("out");
        Path err = folder.resolve("err");
        Process watching = Cli.on(database)
                .builder("--watch", "100ms", "--on", "watched", "--json", "-a", "mode")
                .redirectOutput(out.toFile())
                .redirectError(err.toFile())
                .start();
        try {
            scenario.await("an empty list", () -> Files.readString(out).startsWith("[]\n[]\n"));
            web.execute("begin", "lock table watched in share mode");
            scenario.await("the lock", () -> Files.readString(out).contains("\n[{\"mode\":\"SHARE\"}]\n"));
            web.commit();
            scenario.await("an empty list again", () -> Files.readString(out).endsWith("}]\n[]\n"));
            terminate(scenario);
            assertThat(watching.waitFor(20, TimeUnit.SECONDS)).isTrue();
            assertThat(watching.exitValue()).isEqualTo(69);
            assertThat(Files.readString(err))
                    .startsWith("pglock: The connection to the server is lost: ")
                    .hasLineCount(1);
        } finally {
            watching.destroyForcibly();
        }
    }

    private static void terminate(Scenario scenario) throws SQLException {
        try (Statement statement = scenario.observer().createStatement()) {
            statement.executeQuery("select pg_terminate_backend(pid) from pg_stat_activity"
                    + " where application_name = 'pglock' and datname = current_database()");
        }
    }

    /** None of them waits for ever for a server of which nothing is heard any more. */
    @Test
    void aServerThatFallsSilentIsLost(Database database, Scenario scenario, @TempDir Path folder) throws Exception {
        Session web = scenario.session("web");
        web.execute("create table silent (id int)", "begin", "lock table silent");
        try (TcpProxy proxy =
                TcpProxy.to(database.server().host(), database.server().port())) {
            Cli cli = Cli.on(database)
                    .environment("PGHOST", "127.0.0.1")
                    .environment("PGPORT", Integer.toString(proxy.port()));
            Path err = folder.resolve("err");
            Process terminate = cli.builder("terminate", "--on", "silent")
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .redirectError(err.toFile())
                    .start();
            try (RunningCli list = RunningCli.start(cli, "ls", "--watch", "100ms", "--on", "silent");
                    RunningCli tree = RunningCli.start(cli, "watch", "--interval", "100ms");
                    OutputStream answer = terminate.getOutputStream()) {
                list.printed("EXCLUSIVE");
                tree.printed("nobody waits for a lock");
                scenario.await("the question", () -> Files.readString(err).contains("(y/[n])"));
                proxy.cutSilently();
                answer.write('y');
                answer.write('\n');
                answer.flush();
                assertThat(terminate.waitFor(60, TimeUnit.SECONDS)).isTrue();
                assertThat(terminate.exitValue()).isEqualTo(69);
                assertThat(Files.readString(err)).endsWith(SILENT);
                assertThat(list.ended())
                        .extracting(Cli.Ended::code, Cli.Ended::err)
                        .containsExactly(69, SILENT);
                assertThat(tree.ended())
                        .extracting(Cli.Ended::code, Cli.Ended::err)
                        .containsExactly(69, SILENT);
            } finally {
                terminate.destroyForcibly();
            }
        }
        assertThat(web.value("select 1")).isEqualTo("1");
    }

    @Test
    void belowEachOtherWithTheTimeWhereItIsNoTerminal(Database database, Scenario scenario, @TempDir Path folder)
            throws Exception {
        scenario.session("web").execute("create table timed (id int)", "begin", "lock table timed");
        Path out = folder.resolve("out");
        Process watching = Cli.on(database)
                .builder("ls", "--watch", "100ms", "--on", "timed")
                .redirectOutput(out.toFile())
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        try {
            scenario.await("two blocks", () -> Files.readString(out).split("\n\n", -1).length >= 2);
            assertThat(Files.readString(out).split("\n\n", -1)[1])
                    .matches("(?s)\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d[^\\n]*\nPID .*\n\\d+ .*ACCESS EXCLUSIVE.*")
                    .doesNotContain("\u001b");
        } finally {
            watching.destroy();
            assertThat(watching.waitFor(20, TimeUnit.SECONDS)).isTrue();
        }
    }
}
