// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.testkit.Database;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** {@code pglock ls} for somebody at a terminal of 120 columns. */
@PostgresTest
class LsTerminalTest {

    private static final String BOLD = "\u001b[1m";

    private final Cli cli;
    private final Session web;

    LsTerminalTest(Database database, Scenario scenario) {
        this.cli = Cli.on(database);
        this.web = scenario.session("web");
    }

    @Test
    void noLineIsLongerThanTheTerminalAndTheHeaderIsBold() {
        web.execute(
                "create table wide (id int)",
                "begin",
                "select * from wide /* " + "which is a very long query, ".repeat(10) + "*/");
        try (Tmux tmux = Tmux.start(cli, "--on", "wide")) {
            assertThat(tmux.awaitExit()).isZero();
            List<String> lines =
                    tmux.screen().lines().filter(line -> !line.isBlank()).toList();
            assertThat(lines).hasSize(2);
            assertThat(lines.get(1)).startsWith(web.pid() + " ").endsWith("…").hasSize(120);
            assertThat(tmux.styledScreen()).contains(BOLD + "PID");
        }
        try (Tmux tmux = Tmux.start(cli, "--on", "wide", "--no-color")) {
            assertThat(tmux.awaitExit()).isZero();
            assertThat(tmux.styledScreen()).contains("PID").doesNotContain(BOLD);
        }
    }

    @Test
    void aPersonSeesTheFirst25AndThatThereAreMoreOrThatThereIsNothing() {
        List<String> tables = IntStream.range(0, 30).mapToObj(i -> "many_" + i).toList();
        List<String> statements = new ArrayList<>();
        tables.forEach(table -> statements.add("create table " + table + " (id int)"));
        web.execute(statements.toArray(String[]::new));
        statements.clear();
        statements.add("begin");
        statements.add("lock table " + String.join(", ", tables));
        web.execute(statements.toArray(String[]::new));
        try (Tmux tmux = Tmux.start(cli, "-f", "rel_name__startswith=many_", "-f", "type=relation")) {
            assertThat(tmux.awaitExit()).isZero();
            assertThat(tmux.screen()).contains("pglock: these are 25 of 30; --limit none shows all");
        }
        try (Tmux tmux =
                Tmux.start(cli, "-f", "rel_name__startswith=many_", "-f", "type=relation", "--watch", "200ms")) {
            tmux.await("these are 25 of 30; --limit none shows all");
            web.execute("lock table many_0 in share mode");
            tmux.await("these are 25 of 31; --limit none shows all");
            web.execute("rollback", "begin", "lock table " + String.join(", ", tables));
            tmux.keys("C-c");
            assertThat(tmux.awaitExit()).isEqualTo(130);
        }
        assertThat(cli.run("-f", "rel_name__startswith=many_", "-f", "type=relation", "--csv", "-a", "rel_name")
                        .succeeded()
                        .lines())
                .as("a program sees all")
                .hasSize(31);
        try (Tmux tmux = Tmux.start(cli, "--on", "many_0", "-f", "granted=false")) {
            assertThat(tmux.awaitExit()).isZero();
            assertThat(tmux.screen().strip()).isEqualTo("pglock: no locks");
        }
    }

    @Test
    void watchesInPlaceUntilItIsInterrupted() {
        web.execute("create table watched (id int)", "begin", "lock table watched in share mode");
        try (Tmux tmux = Tmux.start(cli, "--on", "watched", "--watch", "200ms")) {
            tmux.await("SHARE");
            web.execute("commit", "begin", "lock table watched in row exclusive mode");
            String screen = tmux.await("ROW EXCLUSIVE");
            assertThat(screen.lines().filter(line -> line.startsWith("PID"))).hasSize(1);
            web.commit();
            tmux.await("no locks");
            tmux.keys("C-c");
            assertThat(tmux.awaitExit()).isEqualTo(130);
            assertThat(tmux.settingsAfter()).isEqualTo(tmux.settingsBefore());
        }
    }
}
