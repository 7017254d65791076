// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.testkit.Database;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The output is a pipe, and whoever reads it goes away: {@code pglock | head}. */
@PostgresTest
class PipeTest {

    /** Their rows are more than a pipe takes before somebody reads. */
    private static final int TABLES = 400;

    @Test
    void whoReadsOnlyTheBeginningGetsThatAndTheCommandEndsInOneLine(
            Database database, Scenario scenario, @TempDir Path folder) throws Exception {
        Session holder = scenario.session("holder");
        holder.execute(IntStream.range(0, TABLES)
                .mapToObj(i -> "create table t" + i + " (id int)")
                .collect(Collectors.joining("; ")));
        holder.begin();
        holder.execute(IntStream.range(0, TABLES)
                .mapToObj(i -> "t" + i)
                .collect(Collectors.joining(", ", "lock table ", " in share mode")));

        Path err = folder.resolve("err");
        ProcessBuilder shell = Cli.on(database).builder();
        shell.command(List.of(
                "bash",
                "-c",
                "\"$1\" ls --json --limit none 2>\"$2\" | head -c 1; echo \" ${PIPESTATUS[0]}\"",
                "bash",
                Cli.launcher().toString(),
                err.toString()));
        Process process = shell.start();
        process.getOutputStream().close();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).as("has ended").isTrue();

        assertThat(out.strip()).isEqualTo("[ 141");
        assertThat(Files.readAllLines(err)).containsExactly("pglock: nobody reads the output any more");
        holder.rollback();
    }

    @Test
    void aFullDiskIsTold(Database database) throws Exception {
        assertThat(closed(database, "\"$0\" tree >/dev/full; echo $?"))
                .isEqualTo("pglock: the output cannot be written: No space left on device\n74");
    }

    @Test
    void whatIsAppliedIsToldWhereItsRowsCannotBe(Database database) throws Exception {
        assertThat(closed(
                        database,
                        "echo 'create table a (id int); select 1; create table b (id int)' | \"$0\" sql -q - >/dev/full;"
                                + " echo $?"))
                .isEqualTo("pglock: the output cannot be written: No space left on device. Applied: 2 statements, up to"
                        + " stdin:1.\n74");
    }

    /** Which server it is has to be said before. */
    @Test
    void nobodyIsEndedWhereThatCannotBeSaid(Database database, Scenario scenario) throws Exception {
        Session web = scenario.session("web");
        web.execute("create table ended (id int)", "begin", "lock table ended");
        assertThat(closed(database, "\"$0\" terminate -y " + web.pid() + " >/dev/full; echo $?"))
                .isEqualTo("pglock: the output cannot be written: No space left on device. Nothing was sent.\n74");
        assertThat(web.value("select 1")).isEqualTo("1");
    }

    /** It may take long until it is read, and others wait meanwhile. */
    @Test
    void whoReadsSlowlyKeepsNoLockOfATrace(Database database, Scenario scenario, @TempDir Path folder)
            throws Exception {
        Session web = scenario.session("web");
        web.execute("create table orders (id int)");
        Path script = Files.writeString(
                folder.resolve("t.sql"),
                "lock table orders;\n"
                        + IntStream.range(0, 2_000)
                                .mapToObj(i -> "select " + i + " from orders;")
                                .collect(Collectors.joining("\n")));
        Process tracing = Cli.on(database).builder("trace", script.toString()).start();
        try {
            tracing.getInputStream().read(); // it prints, and more than a pipe takes
            web.execute("set lock_timeout = '30s'", "select * from orders");
        } finally {
            tracing.destroyForcibly().waitFor();
        }
    }

    /** As some daemons start their programs. What is meant for the output must not end up in a file that the JVM has open. */
    @Test
    void whatIsClosedIsNoReasonToFail(Database database) throws Exception {
        assertThat(closed(database, "\"$0\" tree >&-; echo $?")).isEqualTo("0");
        assertThat(closed(database, "\"$0\" sql --dry-run - <&-; echo $?")).isEqualTo("0");
        assertThat(closed(database, "\"$0\" ls --limit 0 2>&-; echo $?")).isEqualTo("1");
    }

    private static String closed(Database database, String script) throws Exception {
        ProcessBuilder shell = Cli.on(database).builder().redirectErrorStream(true);
        shell.command(List.of("sh", "-c", script, Cli.launcher().toString()));
        Process process = shell.start();
        process.getOutputStream().close();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).as("has ended").isTrue();
        return out.strip();
    }
}
