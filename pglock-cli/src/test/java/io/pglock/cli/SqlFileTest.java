// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pglock.cli.internal.Stop;
import io.pglock.cli.internal.script.SqlFile;
import io.pglock.cli.internal.script.SqlFiles;
import io.pglock.cli.internal.script.SqlStatement;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SqlFileTest {

    private static List<String> cut(String text) {
        return cut(text, true);
    }

    private static List<String> cut(String text, boolean standardStrings) {
        return statements(text, standardStrings).stream().map(SqlStatement::sql).toList();
    }

    private static List<SqlStatement> statements(String text, boolean standardStrings) {
        return new SqlFiles(List.of(new SqlFile("f.sql", text)))
                .statements(false, standardStrings)
                .get(0);
    }

    /** However many columns it names. */
    @Test
    void copyFromStdinIsRefused() {
        String columns = IntStream.range(0, 400).mapToObj(i -> "c" + i).collect(Collectors.joining(", "));
        assertThatThrownBy(() -> cut("select 1; copy wide (" + columns + ") from stdin;\n\\."))
                .isInstanceOf(Stop.class)
                .hasMessageContaining("COPY");
    }

    /** Each is one statement, with a second one behind it. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "select 'a;b'",
                "select 'it''s; fine'",
                "select E'\\';\\\\'",
                "select e'x\\\\' ';'",
                "select E'a' -- it goes on\n  '\\';'",
                "select U&'d\\0061;'",
                "select \"a;\"\";b\" from t",
                "select $$a;b$$",
                "select $x$a;$y$;$$;$x$",
                "select a$b$c from t",
                "select $1",
                "/* a; /* nested; */ still; */ select 1",
                "select 1 /* ; */ + /* 'un */ 2",
                "select 1 -- it's; a comment\n + 2",
                "select 1 -- it's; a comment\r + 2",
                "create rule r as on insert to t do (select 1; select 2)",
                "create function f() returns int language sql begin atomic select 1; select 2; end",
                "create or replace procedure p() begin atomic select case when true then 1 else 2 end; end",
                "create function f() returns int language sql begin atomic select 1 as end; select t.case from t; end",
                "create function f() returns int language plpgsql as $$ begin return 1; end $$",
                "select array[1,2][1:2]",
                "select '' ';'",
                "select B'1', X'1F', N'x;'",
                "select 1e5, 1.5e-3, 'x'::text",
                "select 'a\\'",
                "select \u00e4$$ from t",
            })
    void cutsWhereTheStatementEnds(String statement) {
        String bare = statement.substring(
                statement.indexOf("select") > 0 && statement.startsWith("/*") ? statement.indexOf("select") : 0);
        assertThat(cut(statement + ";\nselect 2;")).containsExactly(bare, "select 2");
    }

    @Test
    void theWayThatStringsAreWrittenIsTheSessions() {
        assertThat(cut("select 'a\\';b'; select 2", false)).containsExactly("select 'a\\';b'", "select 2");
        assertThat(cut(
                        "set standard_conforming_strings = off; select 'a\\';b'; set standard_conforming_strings to 'on';"
                                + " select 'a\\'; select 2"))
                .hasSize(5);
    }

    /** Each with two statements behind it where a backslash is nothing in a string, and one where it is an escape. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "set local standard_conforming_strings = off",
                "begin; set local standard_conforming_strings = off; commit",
                "begin; set local standard_conforming_strings = off; rollback",
                "begin; set standard_conforming_strings = off; rollback",
                "set standard_conforming_strings = off; reset standard_conforming_strings",
                "set standard_conforming_strings = off; set standard_conforming_strings to default",
                "set standard_conforming_strings = off; discard all",
            })
    void whatIsSetForATransactionEndsWithIt(String before) {
        assertThat(cut(before + "; select 'a\\'; select 2")).endsWith("select 'a\\'", "select 2");
    }

    @Test
    void whatAFileSetsCountsInTheNext() {
        SqlFiles files = new SqlFiles(List.of(
                new SqlFile("a.sql", "set standard_conforming_strings = off;"),
                new SqlFile(
                        "b.sql",
                        "select 'a\\';b'; begin; set local standard_conforming_strings = on; select 'c\\'; commit"),
                new SqlFile("c.sql", "select 'd\\';e'")));
        assertThat(files.statements(false, true).stream().map(List::size)).containsExactly(1, 5, 1);
        SqlFiles single = new SqlFiles(List.of(
                new SqlFile("a.sql", "set local standard_conforming_strings = off;"),
                new SqlFile("b.sql", "select 'a\\';b'")));
        assertThat(single.units(true, true).get(0).statements()).hasSize(2);
    }

    @Test
    void emptyStatementsAndCommentsAreNone() {
        assertThat(cut(" ; ;; -- nothing\n /* at all */ ;")).isEmpty();
        assertThat(cut("select 1 -- the end")).containsExactly("select 1");
    }

    @Test
    void eachKnowsItsLine() {
        assertThat(statements("-- head\n\nselect 1;\r\n/*\n*/ select\n 2; select 3;\n", true))
                .extracting(SqlStatement::place)
                .containsExactly("f.sql:3", "f.sql:5", "f.sql:6");
    }

    @Test
    void takesTheSettingsAbove() {
        List<SqlStatement> statements =
                statements("-- pglock: lockTimeout=3s\n--pglock : prioritize=off\nselect 1;\nselect 2;", true);
        assertThat(statements.get(0).overrides())
                .containsEntry("lockTimeout", "3s")
                .containsEntry("prioritize", "off");
        assertThat(statements.get(1).overrides()).isEmpty();
    }

    @Test
    void whatPgDumpTellsPsqlIsPassedOver() {
        assertThat(cut("\\restrict abc\nselect 1;\n\\unrestrict abc\n")).containsExactly("select 1");
    }

    private static void refused(String text, String... words) {
        assertThatThrownBy(() -> cut(text)).isInstanceOf(Stop.class).hasMessageContainingAll(words);
    }

    @Test
    void whatCannotBeRunIsRefusedWithItsLine() {
        refused("select 1;\n\\i other.sql", "f.sql:2", "\\i", "Name that file");
        refused("select 1 \\gexec", "f.sql:1", "\\gexec");
        refused("\\set ON_ERROR_STOP on", "Leave it out");
        refused("select 1;\n\ncopy t (a) /* x */ from stdin;\n1\n\\.\n", "f.sql:3", "FROM STDIN");
        refused("copy t to stdout", "TO STDOUT");
        refused("select 1;\nselect 'a", "f.sql:2", "string", "does not end");
        refused("select \"a", "quoted name");
        refused("select $x$a $$", "$x$");
        refused("/* a /* b */ select 1", "comment");
        refused("select (1;\nselect 2;", "parenthesis");
        refused("create function f() returns int begin atomic select 1;", "BEGIN ATOMIC");
        refused("select 1 -- pglock: lockTimeout=1s\n;", "f.sql:1", "above the statement");
        refused("select 1;\n-- pglock: lockTimeout=1s\n", "no statement below");
        refused("select a ?? b", "??");
    }
}
