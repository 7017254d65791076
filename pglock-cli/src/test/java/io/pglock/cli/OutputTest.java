// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.testkit.Database;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.io.IOException;
import java.io.StringReader;
import java.util.List;
import java.util.Map;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVRecord;
import org.junit.jupiter.api.Test;

/** How {@code pglock ls} shows what it found: to people, and to programs. */
@PostgresTest
class OutputTest {

    /** As nasty as somebody else's query can be. */
    private static final String QUERY = "select 'a \"b\", \u001b[31mred' as \"ä\",\n       count(*)\n  from goods";

    private final Cli cli;
    private final Session web;

    OutputTest(Database database, Scenario scenario) {
        this.cli = Cli.on(database);
        this.web = scenario.session("web");
        web.execute(
                "drop table if exists goods",
                "create table goods (id int)",
                "begin",
                QUERY + " /*route='%2Fgoods%2F\u001b',who='it\\'s me'*/");
    }

    @Test
    void aTableHasARowOnEachLineAndNothingThatMovesTheCursor() {
        Cli.Ended listed = cli.run("--on", "goods").succeeded();
        assertThat(listed.lines()).hasSize(2);
        assertThat(listed.lines().get(1))
                .as("whole, as this is no terminal")
                .endsWith("select 'a \"b\", ?[31mred' as \"ä\", count(*) from goods");
        assertThat(listed.out()).doesNotContain("\u001b");
    }

    @Test
    void expandedShowsAllThereIsOnLinesOfItsOwn() {
        Cli.Ended listed = cli.run("--on", "goods", "-e", "--no-color").succeeded();
        assertThat(listed.lines().get(0)).startsWith("── 1 ──");
        assertThat(listed.lines())
                .contains(
                        "activity_id                 " + web.pid(),
                        "mode                        ACCESS SHARE",
                        "rel_kind                    table",
                        "schema                      public",
                        "activity__query             select 'a \"b\", ?[31mred' as \"ä\",",
                        "                                   count(*)",
                        "                              from goods",
                        "activity__context           route=/goods/? who=it's me");
        assertThat(listed.out()).doesNotContain("\u001b").doesNotContain("wait_start");
    }

    @Test
    void jsonIsOneArrayWithTheAttributesAsKeys() {
        Cli.Ended listed = cli.run(
                        "--on",
                        "goods",
                        "--json",
                        "-a",
                        "pid,granted,wait_duration,activity__query,activity__context,activity__xact_duration,blocked_by")
                .succeeded();
        assertThat(listed.lines()).hasSize(3).startsWith("[").endsWith("]");
        assertThat(listed.lines().get(1))
                .startsWith("{\"activity_id\":" + web.pid() + ",\"granted\":true,\"wait_duration\":null,"
                        + "\"activity__query\":\"select 'a \\\"b\\\", \\u001B[31mred' as \\\"ä\\\",\\n       count(*)\\n  from goods\","
                        + "\"activity__context\":{\"route\":\"/goods/\\u001B\",\"who\":\"it's me\"},")
                .matches(".*\"activity__xact_duration\":\\d+\\.\\d{6},\"blocked_by\":null}");
        assertThat(cli.run("--on", "goods", "--json").succeeded().out())
                .as("without -a it is everything")
                .contains("\"rel_kind\":\"table\"", "\"activity__backend_type\":\"client backend\"", "\"ctid\":null");
    }

    @Test
    void csvIsWhatOthersReadAsCsv() throws IOException {
        Cli.Ended listed = cli.run("--on", "goods", "--csv").succeeded();
        assertThat(listed.out()).startsWith("activity_id,granted,mode,").endsWith("\r\n");
        List<CSVRecord> records = CSVFormat.RFC4180
                .builder()
                .setHeader()
                .setSkipHeaderRecord(true)
                .get()
                .parse(new StringReader(listed.out()))
                .getRecords();
        assertThat(records).singleElement().satisfies(record -> {
            Map<String, String> values = record.toMap();
            assertThat(values.get("activity_id")).isEqualTo(Integer.toString(web.pid()));
            assertThat(values.get("activity__query")).isEqualTo(QUERY);
            assertThat(values.get("wait_duration")).isEmpty();
            assertThat(values.get("activity__xact_start")).matches("\\d{4}-\\d\\d-\\d\\dT.*Z");
        });
    }

    /** JSON has only those below U+0020 escaped; U+009B is for a terminal what ESC and [ are. */
    @Test
    void nothingMovesTheCursorOfWhoLooksAtJsonOrCsvOnATerminal(Scenario scenario) {
        try (Tmux tmux = Tmux.start(cli, "--on", "goods", "--csv", "-a", "activity__query")) {
            assertThat(tmux.awaitExit()).isZero();
            assertThat(tmux.screen()).contains("?[31mred' as \"\"ä\"\",", "  from goods\"");
        }
        web.execute("commit", "begin", "select 'ä\u009b31m\u007f' from goods /*route='\u009b'*/");
        assertThat(cli.run("--on", "goods", "--json", "-a", "activity__query,activity__context")
                        .succeeded()
                        .lines()
                        .get(1))
                .isEqualTo("{\"activity__query\":\"select 'ä\\u009B31m\\u007F' from goods\","
                        + "\"activity__context\":{\"route\":\"\\u009B\"}}");
        Session other = scenario.session("other");
        other.start("alter table goods add note text");
        scenario.awaitBlockedBy(other, web);
        assertThat(cli.run("tree", "--json").succeeded().out())
                .contains("select 'ä\\u009B31m\\u007F' from goods")
                .doesNotContain("\u009b", "\u007f");
        web.execute("commit");
    }

    @Test
    void columnsStandBelowEachOtherWhereCharactersAreTwoColumnsWide() {
        web.execute(
                "commit",
                "drop table if exists \"商品\"",
                "create table \"商品\" (id int)",
                "begin",
                "lock table goods, \"商品\" in share mode");
        assertThat(cli.run(
                                "-f",
                                "mode=SHARE",
                                "-f",
                                "activity_id=" + web.pid(),
                                "-a",
                                "rel_name,mode",
                                "--sort",
                                "rel_name")
                        .succeeded()
                        .lines())
                .containsExactly("RELATION  MODE", "goods     SHARE", "商品      SHARE");
    }

    @Test
    void nothingIsNothing() {
        web.execute("commit");
        assertThat(cli.run("--on", "goods").succeeded().out()).isEmpty();
        assertThat(cli.run("--on", "goods", "--csv", "-a", "pid").succeeded().out())
                .isEqualTo("activity_id\r\n");
    }
}
