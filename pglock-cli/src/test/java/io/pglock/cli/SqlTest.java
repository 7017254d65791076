// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.testkit.Database;
import io.pglock.testkit.Leaves;
import io.pglock.testkit.Leftover;
import io.pglock.testkit.PgBouncer;
import io.pglock.testkit.PostgresServer;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Role;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@PostgresTest
@Tag("versions")
class SqlTest {

    private static final String COLUMNS = "select count(*) from information_schema.columns where table_name = 'orders'";

    @TempDir
    Path folder;

    private Session web;

    @BeforeEach
    void orders(Scenario scenario) {
        web = scenario.session("web");
        web.execute(
                "drop table if exists orders, items",
                "create table orders (id int primary key, note text)",
                "insert into orders values (1, 'a')");
    }

    @AfterEach
    void nothingIsLeft(Scenario scenario) {
        scenario.await("pglock's sessions to be gone", () -> count(scenario, "application_name like 'pglock%'") == 0);
    }

    private static int count(Scenario scenario, String condition) throws SQLException {
        try (Statement statement = scenario.observer().createStatement();
                ResultSet row = statement.executeQuery("select count(*) from pg_stat_activity where datname ="
                        + " current_database() and " + condition)) {
            row.next();
            return row.getInt(1);
        }
    }

    @Test
    void whatTheFileItselfUndoesIsNotApplied(Database database) throws Exception {
        Path script = Files.writeString(
                folder.resolve("undone.sql"),
                "select 'kept'; begin; set lock_timeout = '1ms'; insert into orders values (2, 'b') returning id; rollback;");
        Cli.Ended ended = Cli.on(database).run("sql", script.toString());
        assertThat(ended.code()).as(ended.err()).isZero();
        assertThat(ended.out()).isEqualTo("kept\n");
        assertThat(ended.err()).contains("pglock: 1 statement applied in ");
        assertThat(web.value("select count(*) from orders")).isEqualTo("1");
    }

    private static void awaitPglockBlocked(Scenario scenario) {
        scenario.await(
                "pglock to wait for a lock",
                () -> count(scenario, "application_name = 'pglock' and wait_event_type = 'Lock'") > 0);
    }

    private String file(String name, String... lines) throws Exception {
        return Files.writeString(folder.resolve(name), String.join("\n", lines)).toString();
    }

    private static String value(Database database, String sql) throws SQLException {
        try (Connection connection = database.connect()) {
            return value(connection, sql);
        }
    }

    private static String value(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            row.next();
            return row.getString(1);
        }
    }

    @Test
    void appliesFilesAndTheInput(Database database) throws Exception {
        String first = file(
                "a.sql",
                "create table items (id int);",
                "do $$ begin raise notice 'hello; there'; end $$;",
                "begin; insert into items values (1); insert into items values (2); commit;",
                "select id, null, 'x' from items order by id;");
        Cli.Ended ended = Cli.on(database).input("insert into items values (3)").run("sql", first, "-");
        assertThat(ended.code()).as(ended.err()).isZero();
        assertThat(ended.lines()).containsExactly("1||x", "2||x");
        assertThat(ended.err())
                .contains(
                        first + ":1 create table items (id int)  ",
                        first + ":2: NOTICE: hello; there",
                        "stdin:1 insert",
                        "8 statements applied in ");
        assertThat(value(database, "select count(*) from items")).isEqualTo("3");
        Cli.on(database).run("sql", "-q", file("q.sql", "vacuum orders;")).succeeded();
    }

    @Test
    void hardCasesGetThrough(Database database) throws Exception {
        String hard = file(
                "hard.sql",
                "create table \"a;b\" (x text);",
                "insert into \"a;b\" values ('it''s; 1'), (E'\\';2'), ($q$3;$$;$q$), ('??');",
                "/* a /* nested; */ b; */ insert into \"a;b\" values (U&'d\\0061t\\+000061;');",
                "create rule r as on update to \"a;b\" do instead (select 1; select 2);",
                database.server().majorVersion() >= 14
                        ? "create function f(i int) returns int begin atomic select 1; select case when i > 1 then i"
                                + " else 5 end as end; end;"
                        : "create function f(i int) returns int language sql as 'select 1; select 5';",
                "set standard_conforming_strings = off;",
                "set escape_string_warning = off;",
                "insert into \"a;b\" values ('x\\';y');",
                "set standard_conforming_strings = on;",
                "select '[1]'::jsonb ? 'a', f(1), x from \"a;b\" order by x collate \"C\" desc limit 1;");
        Cli.Ended ended = Cli.on(database).run("sql", "-q", hard);
        assertThat(ended.code()).as(ended.err()).isZero();
        assertThat(ended.lines()).containsExactly("f|5|x';y");
        assertThat(value(database, "select string_agg(x, '|' order by x collate \"C\") from \"a;b\""))
                .isEqualTo("';2|3;$$;|??|data;|it's; 1|x';y");
    }

    @Test
    void isTriedAgainUntilTheBlockerIsGone(Database database, Scenario scenario) throws Exception {
        web.begin();
        web.execute("select * from orders");
        String script = file(
                "a.sql",
                "create table items (id int);",
                "begin;",
                "insert into items values (1);",
                "alter table orders add column total int;",
                "commit;");
        Path report = folder.resolve("report.jsonl");
        try (RunningCli going = RunningCli.start(
                Cli.on(database).environment("PGLOCK_RETRY_DELAY", "20ms"),
                "sql",
                "--lock-timeout",
                "200ms",
                "--report",
                report.toString(),
                script)) {
            going.told("Trying again when it is gone");
            assertThat(web.value("select count(*) from items")).isEqualTo("0");
            web.commit();
            Cli.Ended ended = going.ended();
            assertThat(ended.code()).as(ended.err()).isZero();
            assertThat(ended.err())
                    .contains(script + ":2-5: not locked within 200ms, blocked by pid " + web.pid() + " (web")
                    .containsPattern("a.sql:4 alter table .*, attempt [2-9]");
        }
        assertThat(value(database, "select count(*) || '' from items where true"))
                .isEqualTo("1");
        assertThat(Files.readAllLines(report)).hasSize(2).last().asString().contains("lock timeout", "\"done\"");
    }

    @Test
    void endsWhoIsInTheWayIfItIsTo(Database database) throws Exception {
        web.begin();
        web.execute("select * from orders");
        String script = file(
                "a.sql",
                "select 1;",
                "-- pglock: prioritize=terminate prioritizeAfter=100ms",
                "alter table orders add column total int;");
        Cli.Ended ended = Cli.on(database).run("sql", "-q", script);
        assertThat(ended.code()).as(ended.err()).isZero();
        assertThat(ended.err()).contains("a.sql:3: ", "Terminated pid ", "pid " + web.pid());
        assertThat(value(database, COLUMNS)).isEqualTo("3");
    }

    @Test
    void makesWayForReadersAndSaysWhoWasInTheWayWhenItGivesUp(Database database, Scenario scenario) throws Exception {
        web.begin();
        web.execute("select * from orders");
        String script = file("a.sql", "create table items (id int);", "alter table orders add column total int;");
        Session reader = scenario.session("reader");
        try (RunningCli going =
                RunningCli.start(Cli.on(database), "sql", "--lock-timeout", "30s", "--retry-attempts", "2", script)) {
            awaitPglockBlocked(scenario);
            reader.execute("select * from orders"); // would wait for 30s
            going.told("made way for 1 session");
            going.signal("INT"); // in the pause
            Cli.Ended ended = going.ended();
            assertThat(ended.code()).as(ended.err()).isEqualTo(130);
            assertThat(ended.err())
                    .contains("interrupted at " + script + ":2", "Applied: 1 statement, up to " + script + ":1.");
        }
        Cli.Ended gaveUp = Cli.on(database)
                .run("sql", "-1", "--retry-attempts=1", "--lock-timeout=1s", file("b.sql", "drop table orders;"));
        assertThat(gaveUp.code()).as(gaveUp.err()).isEqualTo(75);
        assertThat(gaveUp.err())
                .contains("b.sql:1: ", "SQLSTATE 55P03", "blocked by pid " + web.pid(), "Nothing was applied.");
        web.commit();
    }

    @Test
    void ctrlCCancelsTheStatementAndLeavesNothingBehind(Database database, Scenario scenario) throws Exception {
        String script = file("a.sql", "create table items (id int);", "select pg_sleep(60);");
        try (RunningCli going = RunningCli.start(Cli.on(database), "sql", "-1", script)) {
            scenario.await("pglock to sleep", () -> count(scenario, "query like 'select pg_sleep%'") > 0);
            going.signal("INT");
            Cli.Ended ended = going.ended();
            assertThat(ended.code()).as(ended.err()).isEqualTo(130);
            assertThat(ended.err()).contains("interrupted at " + script + ":2. Nothing was applied.");
        }
        assertThat(value(database, "select to_regclass('items')")).isNull();
    }

    @Test
    void ctrlCNamesTheInvalidIndexThatIsLeft(Database database, Scenario scenario) throws Exception {
        web.begin();
        web.execute("update orders set id = id"); // CONCURRENTLY waits for who writes
        String script = file("a.sql", "create index concurrently orders_of_now on orders (id);");
        try (RunningCli going = RunningCli.start(Cli.on(database), "sql", "--prioritize", "off", script)) {
            awaitPglockBlocked(scenario);
            going.signal("INT");
            Cli.Ended ended = going.ended();
            assertThat(ended.code()).as(ended.err()).isEqualTo(130);
            assertThat(ended.err())
                    .contains("interrupted at " + script + ":1. Nothing was applied.", "invalid", "orders_of_now");
        }
        web.rollback();
    }

    @Test
    void stopsAtTheFirstFailureAndSaysWhere(Database database) throws Exception {
        String script = file(
                "a.sql",
                "create table items (id int);",
                "begin;",
                "insert into items values (1);",
                "select id,",
                "\tnonsense from items;",
                "commit;",
                "drop table items;");
        Cli.Ended ended = Cli.on(database).run("sql", script);
        assertThat(ended.code()).isEqualTo(65);
        assertThat(ended.err())
                .contains(
                        script + ":5: column \"nonsense\" does not exist (SQLSTATE 42703)",
                        "5 | \tnonsense from items",
                        "\n      \t^",
                        "Applied before: 1 statement, up to " + script + ":1. Undone: the transaction from " + script
                                + ":2 on.")
                .doesNotContain("Exception", "\tat ");
        assertThat(value(database, "select count(*) from items")).isEqualTo("0");

        Cli.Ended single =
                Cli.on(database).run("sql", "-1", file("b.sql", "drop table items;"), file("c.sql", "vacuum orders;"));
        assertThat(single.code()).isEqualTo(65);
        assertThat(single.err()).contains("c.sql:1: ", "25001", "Leave out -1", "Nothing was applied.");
        assertThat(value(database, "select to_regclass('items')")).isEqualTo("items");
    }

    @Test
    void aSetThatFailsIsSaidWithItsPlaceToo(Database database, Scenario scenario) throws Exception {
        Role limited = scenario.role("limited");
        String script = file("a.sql", "select 1;", "set role " + database.user() + ";");
        Cli.Ended ended = Cli.on(database)
                .environment("PGUSER", limited.name())
                .environment("PGPASSWORD", limited.password())
                .run("sql", script);
        assertThat(ended.code()).as(ended.err()).isEqualTo(65);
        assertThat(ended.err())
                .contains(
                        script + ":2: permission denied to set role",
                        "(SQLSTATE 42501)",
                        "Applied before: 1 statement, up to " + script + ":1.");
    }

    /** What a file sets would stay in a connection of the pooler's, and its statements would run in others, without a timeout. */
    @Test
    @Leaves(what = Leftover.SESSION, because = "the sessions of the pool end with PgBouncer, a moment later")
    void isRefusedThroughAPoolerUnlessItIsOneTransaction(Database database) throws Exception {
        String own = file("own.sql", "set lock_timeout = '3s';", "alter table orders add column total int;");
        String none = file("none.sql", "-- pglock: lockTimeout=none", "alter table orders add column total int;");
        String named =
                file("named.sql", "set application_name = 'left behind';", "alter table orders add column total int;");
        String off = file("off.sql", "-- pglock: enabled=false", "alter table orders add column total int;");
        for (String mode : new String[] {"transaction", "session"}) {
            try (PgBouncer bouncer = PgBouncer.startOrSkip(database, mode)) {
                Cli through = Cli.on(database)
                        .environment("PGHOST", "127.0.0.1")
                        .environment("PGPORT", Integer.toString(bouncer.port()));
                for (String script : new String[] {own, none, named}) {
                    Cli.Ended refused = through.run("sql", script);
                    assertThat(refused.code()).as(refused.toString()).isEqualTo(69);
                    assertThat(refused.err())
                            .startsWith("pglock: pglock sql without -1: session locks and settings do not survive")
                            .hasLineCount(1);
                    assertThat(value(database, COLUMNS)).as(script).isEqualTo("2");
                }
                try (Connection pooled = bouncer.dataSource().getConnection()) {
                    assertThat(value(pooled, "show lock_timeout")).isEqualTo("0");
                    assertThat(value(pooled, "show application_name")).isNotEqualTo("left behind");
                }
                assertThat(through.run("sql", "-1", none).code()).isZero();
                assertThat(value(database, COLUMNS)).isEqualTo("3");
                web.execute("alter table orders drop column total");
                assertThat(through.run("sql", off).code()).as("asked for").isZero();
                web.execute("alter table orders drop column total");
            }
        }
    }

    @Test
    void aTimeoutThatTheFileSetsCountsFromThereOn(Database database) throws Exception {
        String script = file(
                "a.sql",
                "show lock_timeout;",
                "set lock_timeout = '7s';",
                "show lock_timeout;",
                "-- pglock: lockTimeout=4s",
                "show lock_timeout;",
                "show lock_timeout;");
        assertThat(shown(database, "--lock-timeout=3s", script)).containsExactly("3s", "7s", "4s", "7s");
    }

    private static List<String> shown(Database database, String lockTimeout, String script) throws Exception {
        return Cli.on(database)
                .run("sql", "-q", lockTimeout, script)
                .succeeded()
                .lines();
    }

    @Test
    void aTimeoutThatATransactionOfTheFileSetsCountsAfterItToo(Database database) throws Exception {
        String script = file(
                "a.sql",
                "begin; set lock_timeout = '7s'; set local statement_timeout = '9s'; commit;",
                "show lock_timeout;",
                "begin; set lock_timeout = '8s'; rollback;",
                "show lock_timeout;",
                "reset all;",
                "show lock_timeout;",
                "set lock_timeout = '6s';",
                "set lock_timeout to default;",
                "show lock_timeout;",
                "show statement_timeout;");
        assertThat(shown(database, "--lock-timeout=3s", script)).containsExactly("7s", "7s", "3s", "3s", "0");
    }

    @Test
    void aTimeoutThatATransactionOfTheFileTakesBackDoesNotCountAfterIt(Database database) throws Exception {
        String script = file(
                "a.sql",
                "begin; set statement_timeout = '1s'; reset statement_timeout; set lock_timeout = '9s';",
                "set lock_timeout to default; commit;",
                "show statement_timeout;",
                "show lock_timeout;",
                "begin; set lock_timeout = '7s'; savepoint \"A b\"; set lock_timeout = '1ms'; savepoint c;",
                "rollback work to savepoint \"A b\"; commit;",
                "show lock_timeout;",
                "begin; savepoint a; reset lock_timeout; savepoint a; set lock_timeout = '1ms'; release a;",
                "rollback to A /* the first */; commit;",
                "show lock_timeout;",
                "begin; savepoint s; set lock_timeout = '1ms'; rollback to /* \"see above\" */ s; commit;",
                "show lock_timeout;",
                "begin; savepoint \"a\"\"b\"; set lock_timeout = '1ms'; savepoint \"b\"; rollback to \"a\"\"b\"; commit;",
                "show lock_timeout;",
                "-- pglock: lockTimeout=4s",
                "begin; reset all; commit;",
                "show lock_timeout;");
        assertThat(shown(database, "--lock-timeout=3s", script))
                .containsExactly("0", "3s", "7s", "7s", "7s", "7s", "3s");
        assertThat(shown(database, "--lock-timeout=none", script))
                .containsExactly("0", "0", "7s", "7s", "7s", "7s", "0");
    }

    @Test
    void everyFlagCanBeSaidAndTakenBack(Database database) throws Exception {
        String script = file("a.sql", "show lock_timeout;");
        Path profiles = Files.writeString(folder.resolve("pglock.toml"), """
                [profiles.inert]
                enabled = false
                [profiles.watched]
                monitor-required = true
                """);
        Cli cli = Cli.on(database).environment("PGLOCK_CONFIG", profiles.toString());
        Cli unwatched = cli.environment("PGLOCK_MONITOR_URL", "jdbc:postgresql://127.0.0.1:1/nowhere");

        assertThat(cli.run("sql", "-q", "--enabled", script).succeeded().lines())
                .containsExactly("2s");
        assertThat(cli.run("sql", "-q", "--no-enabled", script).succeeded().lines())
                .containsExactly("0");
        assertThat(cli.environment("PGLOCK_ENABLED", "false")
                        .run("sql", "-q", "--enabled", script)
                        .succeeded()
                        .lines())
                .containsExactly("2s");
        assertThat(cli.run("sql", "-q", "-c", "inert", script).succeeded().lines())
                .containsExactly("0");
        assertThat(cli.run("sql", "-q", "-c", "inert", "--enabled", script)
                        .succeeded()
                        .lines())
                .containsExactly("2s");
        for (String[] required : new String[][] {{"--monitor-required"}, {"-c", "watched"}}) {
            Cli.Ended ended = unwatched.run(Stream.of(List.of("sql", "-q"), List.of(required), List.of(script))
                    .flatMap(List::stream)
                    .toArray(String[]::new));
            assertThat(ended.code()).as(ended.err()).isNotZero();
            assertThat(ended.err()).contains("127.0.0.1:1").doesNotContain("defect");
        }
        for (String taken : new String[] {"--enabled", "--no-monitor-required"}) {
            Cli.Ended ended = unwatched.run("sql", "-q", taken, script);
            assertThat(ended.code()).as(ended.err()).isZero();
            assertThat(ended.lines()).containsExactly("2s");
        }
        assertThat(unwatched
                        .run("sql", "-q", "-c", "watched", "--no-monitor-required", script)
                        .code())
                .isZero();
    }

    @Test
    void whatIsWrongIsRefusedBeforeAnythingIsDone(Database database) throws Exception {
        String good = file("good.sql", "create table items (id int);");
        for (List<String> wrong : List.of(
                List.of("begin;", "begin", "f.sql:1", "is not ended in the file"),
                List.of("commit;", "commit", "f.sql:1", "no BEGIN"),
                List.of("select 1;\n\\echo x\n", "psql", "f.sql:2", "\\echo"),
                List.of("-- pglock: lockTimeot=1s\nselect 1;", "setting", "f.sql:2", "Did you mean lockTimeout?"))) {
            Cli.Ended ended = Cli.on(database).run("sql", good, file("f.sql", wrong.get(0)));
            assertThat(ended.code()).as(wrong + ended.err()).isEqualTo(1);
            assertThat(ended.err()).contains(wrong.get(2), wrong.get(3)).doesNotContain("Exception");
        }
        assertThat(Cli.on(database).run("sql", "-1", good, file("f.sql", "start transaction; commit")))
                .satisfies(ended -> assertThat(ended.code()).isEqualTo(1))
                .extracting(Cli.Ended::err)
                .asString()
                .contains("f.sql:1", "leave out -1, or this START");
        assertThat(Cli.on(database).environment("PGLOCK_RETRY_DELAY", "x").run("sql", "--lock-timeout=5", good))
                .extracting(Cli.Ended::code, Cli.Ended::err)
                .satisfies(ended -> assertThat(ended)
                        .asString()
                        .contains("[1, ", "--lock-timeout=5: a bare number has no unit", "PGLOCK_RETRY_DELAY=x"));
        assertThat(Cli.on(database).run("sql", good, "/nowhere/x.sql").err())
                .contains("/nowhere/x.sql: there is no such file");
        assertThat(Cli.bare().run("sql", "--dry-run", good).succeeded().out())
                .contains("good.sql:1  create table items");
        assertThat(value(database, "select to_regclass('items')")).isNull();
    }

    @Test
    void theMarkStandsBelowTheCharacterThatIsMeant(Database database) throws Exception {
        Cli.Ended ended = Cli.on(database).run("sql", file("a.sql", "select 'é',\t'商品' frm x;"));
        assertThat(ended.code()).isEqualTo(65);
        assertThat(ended.err()).contains("  1 | select 'é',\t'商品' frm x\n                 \t           ^\n");
    }

    @Test
    void aLostServerIsSaidSo(Database database, Scenario scenario) throws Exception {
        String script = file("a.sql", "create table items (id int);", "begin; select pg_sleep(60); commit;");
        try (RunningCli going = RunningCli.start(Cli.on(database), "sql", script)) {
            scenario.await("pglock to sleep", () -> count(scenario, "query like 'select pg_sleep%'") > 0);
            web.execute("select pg_terminate_backend(pid) from pg_stat_activity where query like 'select pg_sleep%'"
                    + " and pid <> pg_backend_pid()");
            Cli.Ended ended = going.ended();
            assertThat(ended.code()).as(ended.err()).isEqualTo(69);
            assertThat(ended.err())
                    .contains(script + ":2: ", "57P01", "up to " + script + ":1.")
                    .doesNotContain("Exception", "\tat ");
        }
    }

    private interface Script {
        void runs(Database shop, RunningCli going, int pid) throws Exception;
    }

    /** Beside a script that waits in its commit for a standby which never comes. */
    private static void whileItWaitsForAStandby(Scenario scenario, Script script, String... words) throws Exception {
        try (PostgresServer own = PostgresServer.startEmbedded(
                        Map.of("synchronous_standby_names", "nobody", "synchronous_commit", "local"));
                Database shop = own.createDatabase();
                RunningCli going = RunningCli.start(Cli.on(shop), words)) {
            String waits = "select max(pid) from pg_stat_activity where wait_event = 'SyncRep'";
            scenario.await("the commit to wait for a standby", () -> value(shop, waits) != null);
            script.runs(shop, going, Integer.parseInt(value(shop, waits)));
        }
    }

    /** The server has it, or not: it was about to say so. */
    @Test
    void whetherItIsCommittedIsNotKnownWhenTheAnswerIsLost(Scenario scenario) throws Exception {
        String local = "set local synchronous_commit = on;";
        String before = "It is not known whether ";
        String after = " Look before running it again.";
        String single = file("a.sql", local, "create table items (id int);");
        String block = file("b.sql", "select 1;", "begin;", local, "create table items (id int);", "commit;");
        String alone = file("c.sql", "set synchronous_commit = on;", "create table items (id int);");
        for (String[] each : new String[][] {
            {
                "-1",
                single,
                "  " + before + "the transaction from " + single
                        + ":1 on was committed: the connection was lost at its COMMIT." + after
            },
            {
                "-q",
                block,
                "  Applied before: 1 statement, up to " + block + ":1. " + before + "the transaction from " + block
                        + ":2 on was committed: the connection was lost at its COMMIT." + after
            },
            {
                "-q",
                alone,
                "  Applied before: 1 statement, up to " + alone + ":1. " + before + alone
                        + ":2 was applied: the connection was lost while it ran." + after
            }
        }) {
            whileItWaitsForAStandby(
                    scenario,
                    (shop, going, pid) -> {
                        value(shop, "select pg_terminate_backend(" + pid + ")");
                        Cli.Ended ended = going.ended();
                        assertThat(ended.code()).as(ended.err()).isEqualTo(69);
                        assertThat(ended.err())
                                .contains(each[2])
                                .doesNotContain("Nothing was applied", "Undone", "Exception");
                        assertThat(value(shop, "select to_regclass('items')")).isEqualTo("items");
                    },
                    "sql",
                    each[0],
                    each[1]);
        }
    }

    @Test
    void ctrlCEndsTheWaitForAStandby(Scenario scenario) throws Exception {
        String script = file("a.sql", "set local synchronous_commit = on;", "create table items (id int);");
        whileItWaitsForAStandby(
                scenario,
                (shop, going, pid) -> {
                    going.signal("INT");
                    Cli.Ended ended = going.ended();
                    assertThat(ended.code()).as(ended.err()).isEqualTo(130);
                    assertThat(ended.err())
                            .contains("WARNING: canceling wait for synchronous replication due to user request")
                            .contains(
                                    "interrupted at " + script + ":2. Applied: 2 statements, up to " + script + ":2.");
                    assertThat(value(shop, "select to_regclass('items')")).isEqualTo("items");
                    assertThat(value(shop, "select count(*) from pg_stat_activity where pid = " + pid))
                            .isEqualTo("0");
                },
                "sql",
                "-q",
                "-1",
                script);
    }

    @Test
    void theManualsFileIsApplied(Database database) {
        Cli.Ended ended = Cli.on(database).run("sql", "src/test/resources/docs/add_note.sql");
        assertThat(ended.code()).as(ended.err()).isZero();
        assertThat(ended.err()).contains("add_note.sql:14 create index concurrently", "8 statements applied");
    }
}
