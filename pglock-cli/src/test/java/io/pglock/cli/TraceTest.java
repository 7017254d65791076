// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.testkit.Database;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;

@PostgresTest
@Tag("versions")
class TraceTest {

    @TempDir
    Path folder;

    private Session web;

    @BeforeEach
    void orders(Scenario scenario) {
        web = scenario.session("web");
        web.execute(
                "drop table if exists orders, items",
                "create table orders (id int primary key, n int, note text)",
                "insert into orders select i, i, 'x' from generate_series(1, 100) i",
                "create table items (id int primary key, order_id int)");
    }

    @AfterEach
    void nothingIsLeft(Scenario scenario) {
        scenario.await("pglock's sessions to be gone", () -> {
            try (Statement statement = scenario.observer().createStatement();
                    ResultSet row = statement.executeQuery("select count(*) from pg_stat_activity where datname ="
                            + " current_database() and application_name like 'pglock%'")) {
                row.next();
                return row.getInt(1) == 0;
            }
        });
    }

    private String file(String name, String... lines) throws Exception {
        return Files.writeString(folder.resolve(name), String.join("\n", lines)).toString();
    }

    private String[] lines(Database database, String... sql) throws Exception {
        Cli.Ended ended = Cli.on(database).run("trace", file("t.sql", sql));
        assertThat(ended.code()).as(ended.err()).isZero();
        return ended.out()
                .replace(folder + "/", "")
                .replaceAll("(?m)  [0-9.]+m?s$", "")
                .replaceAll("held [0-9.]+m?s", "held")
                .split("\n");
    }

    @Test
    void stringsAreWrittenAsTheServerHasThem(Database database) throws Exception {
        Cli.Ended ended = Cli.on(database)
                .environment("PGOPTIONS", "-c standard_conforming_strings=off -c backslash_quote=on")
                .run("trace", file("t.sql", "create table fresh (a text default 'it\\'s; fine');"));
        assertThat(ended.code()).as(ended.err()).isZero();
        assertThat(ended.out()).contains("creates table public.fresh");
    }

    @Test
    void saysWhatEachStatementLocksAndRewrites(Database database) throws Exception {
        String before = web.value("select pg_relation_filenode('orders')");
        assertThat(lines(
                        database,
                        "select count(*) from orders;",
                        "create index orders_n on orders (n);",
                        "alter table items add constraint fk foreign key (order_id) references orders not valid;",
                        "alter table orders add column a int;",
                        "alter table orders add column b float default random();",
                        "alter table items alter column order_id type bigint;",
                        "create table fresh (id int);",
                        "drop table items;",
                        "set search_path = nowhere;",
                        "set role none;"))
                .containsExactly(
                        "t.sql:1  select count(*) from orders",
                        "    ACCESS SHARE on public.orders, held",
                        "t.sql:2  create index orders_n on orders (n)",
                        "    ACCESS EXCLUSIVE on new index public.orders_n, held",
                        "    SHARE on public.orders, held, blocks writes of orders",
                        "    creates index public.orders_n",
                        "t.sql:3  alter table items add constraint fk foreign key (order_id...",
                        "    SHARE ROW EXCLUSIVE on public.items, held, blocks writes of items",
                        "    SHARE ROW EXCLUSIVE on public.orders, held, blocks writes of orders",
                        "t.sql:4  alter table orders add column a int",
                        "    ACCESS EXCLUSIVE on public.orders, held, blocks reads and writes of orders",
                        "t.sql:5  alter table orders add column b float default random()",
                        "    ACCESS EXCLUSIVE on index public.orders_pkey, held, blocks reads and writes of orders",
                        "    rewrites table public.orders, index public.orders_pkey",
                        "t.sql:6  alter table items alter column order_id type bigint",
                        "    ACCESS EXCLUSIVE on public.items, held, blocks reads and writes of items",
                        "    ACCESS EXCLUSIVE on index public.items_pkey, held, blocks reads and writes of items",
                        "    rewrites table public.items, index public.items_pkey",
                        "t.sql:7  create table fresh (id int)",
                        "    ACCESS EXCLUSIVE on new public.fresh, held",
                        "    creates table public.fresh",
                        "t.sql:8  drop table items",
                        "    drops table public.items, index public.items_pkey",
                        "t.sql:9  set search_path = nowhere",
                        "    no further locks",
                        "t.sql:10  set role none",
                        "    no further locks");
        assertThat(web.value("select pg_relation_filenode('orders')")).isEqualTo(before);
        assertThat(web.execute("select to_regclass('orders_n'), to_regclass('fresh')"))
                .containsExactly("|");
    }

    @Test
    void validatingLocksLittleAndMaxIsHeldAgainstIt(Database database) throws Exception {
        web.execute("alter table items add constraint fk foreign key (order_id) references orders not valid");
        String script =
                file("t.sql", "alter table items validate constraint fk;", "alter table orders add column a int;");
        Cli.Ended exceeded = Cli.on(database).run("trace", "--json", "--max", "share_update_exclusive", script);
        assertThat(exceeded.code()).as(exceeded.err()).isEqualTo(2);
        assertThat(exceeded.err())
                .contains(
                        "in one transaction that is rolled back",
                        script + ":2: ACCESS EXCLUSIVE on public.orders is stronger than SHARE UPDATE EXCLUSIVE.")
                .doesNotContain(script + ":1: ");
        JsonNode json = new ObjectMapper().readTree(exceeded.out());
        JsonNode validate = json.get("statements").get(0);
        assertThat(validate.get("line").asInt()).isEqualTo(1);
        assertThat(validate.get("locks").get(0).get("mode").asString()).isEqualTo("SHARE UPDATE EXCLUSIVE");
        assertThat(validate.get("locks").get(0).get("relation").asString()).isEqualTo("items");
        assertThat(validate.get("rewrites")).isEmpty();
        assertThat(json.get("statements")
                        .get(1)
                        .get("locks")
                        .get(0)
                        .get("blocks")
                        .asString())
                .isEqualTo("reads and writes of orders");

        assertThat(Cli.on(database)
                        .run("trace", "--max", "AccessExclusiveLock", script)
                        .code())
                .isZero();
        assertThat(Cli.on(database).run("trace", "--max", "strong", script))
                .extracting(Cli.Ended::code, Cli.Ended::err)
                .asString()
                .contains("[1, ", "strong: is not a lock mode", "SHARE ROW EXCLUSIVE");
    }

    @Test
    void waitsForALockOnlySoLong(Database database) throws Exception {
        web.begin();
        web.execute("select * from orders");
        Cli.Ended ended = Cli.on(database)
                .run("trace", "--lock-timeout", "1s", file("t.sql", "alter table orders add column a int"));
        assertThat(ended.code()).as(ended.err()).isEqualTo(75);
        assertThat(ended.err())
                .contains("t.sql:1: ", "not locked within 1s, blocked by pid " + web.pid(), "rolled back");
        web.commit();
    }

    @Test
    void ctrlCRollsBack(Database database, Scenario scenario) throws Exception {
        String script = file("t.sql", "drop table orders;", "select pg_sleep(60);");
        try (RunningCli going = RunningCli.start(Cli.on(database), "trace", script)) {
            scenario.await("the trace to sleep", () -> sleeps(scenario));
            going.signal("INT");
            Cli.Ended ended = going.ended();
            assertThat(ended.code()).as(ended.err()).isEqualTo(130);
            assertThat(ended.err()).contains("interrupted; all of it was rolled back.");
        }
        assertThat(web.value("select count(*) from orders")).isEqualTo("100");
    }

    private static boolean sleeps(Scenario scenario) throws SQLException {
        try (Statement statement = scenario.observer().createStatement();
                ResultSet row = statement.executeQuery(
                        "select 1 from pg_stat_activity where query like 'select pg_sleep%' and state = 'active'")) {
            return row.next();
        }
    }

    @Test
    void whereThereIsNoStatementAProgramGetsAnObjectAllTheSame(Database database) throws Exception {
        Cli.Ended ended = Cli.on(database).run("trace", "--json", file("t.sql", "-- nothing yet"));
        assertThat(ended.code()).isZero();
        assertThat(ended.out()).isEqualTo("{\"scratch\":false,\"statements\":[]}\n");
        assertThat(ended.err()).contains("there is no statement in ");
    }

    @Test
    void whatWouldStayIsRefused(Database database) throws Exception {
        Cli.Ended commit = Cli.on(database).run("trace", file("t.sql", "drop table items;", "commit;"));
        assertThat(commit.code()).isEqualTo(1);
        assertThat(commit.err()).contains("t.sql:2: ", "there can be no COMMIT in it", "--scratch");

        Cli.Ended concurrently = Cli.on(database)
                .run("trace", file("t.sql", "drop table items;", "create index concurrently x on orders (n);"));
        assertThat(concurrently.code()).isEqualTo(65);
        assertThat(concurrently.err()).contains("t.sql:2: ", "25001", "trace it with --scratch", "rolled back");

        Cli.Ended failed = Cli.on(database).run("trace", file("t.sql", "select 1;", "select nonsense;"));
        assertThat(failed.code()).isEqualTo(65);
        assertThat(failed.err())
                .contains("t.sql:2: column \"nonsense\" does not exist")
                .doesNotContain("Exception");
        assertThat(Cli.bare()
                        .run("trace", "--schema", "x.sql", file("t.sql", "select 1"))
                        .err())
                .contains("count only together with --scratch");
        assertThat(web.value("select count(*) from items")).isEqualTo("0");
    }

    @Test
    void jsonOnATerminalCannotMoveTheCursor(Database database) throws Exception {
        String script = file("t.sql", "select '\u009b2J\u007f'");

        Cli.Ended ended = Cli.on(database).run("trace", "--json", script);

        assertThat(ended.code()).as(ended.err()).isZero();
        assertThat(ended.out()).contains("\\u009B2J\\u007F").doesNotContain("\u009b", "\u007f");
    }
}
