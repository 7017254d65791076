// SPDX-License-Identifier: Apache-2.0
package io.pglock.examples.hosts;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.testkit.Database;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/**
 * A shop, and two migrations of it, for Flyway and for Liquibase; the second one needs the table of orders, after it has
 * changed others.
 */
@PostgresTest
abstract class ShopScene {

    static final String NOTES_OF_V2 = "select count(*) from shop.log where entry = 'V2'";
    static final String COLUMNS_OF_V2 = """
            select count(*) from information_schema.columns
             where table_schema = 'shop' and column_name in ('vip', 'note')""";

    private static final String BEGIN = "insert into shop.log values ('V1');\n";
    private static final String EXTEND_THE_SHOP = """
            alter table shop.customers add column vip boolean;
            insert into shop.log values ('V2');
            alter table shop.orders add column note text;
            """;

    @TempDir
    Path folder;

    @BeforeEach
    void openTheShop(Scenario scenario) throws IOException {
        scenario.session("test")
                .execute(
                        "drop table if exists flyway_schema_history, databasechangelog, databasechangeloglock",
                        "drop schema if exists shop cascade",
                        // not in Flyway's own schema, which has to be empty before the first migration
                        "create schema shop",
                        "create table shop.customers (id int)",
                        "create table shop.orders (id int)",
                        "create table shop.log (entry text)");
        Path sql = Files.createDirectory(folder.resolve("sql"));
        Files.writeString(sql.resolve("V1__begin.sql"), BEGIN);
        Files.writeString(sql.resolve("V2__extend_the_shop.sql"), EXTEND_THE_SHOP);
        Files.writeString(
                folder.resolve("changelog.sql"),
                "--liquibase formatted sql\n--changeset shop:1\n" + BEGIN + "--changeset shop:2\n" + EXTEND_THE_SHOP);
    }

    final HostProcess start(Host host, Database database, Map<String, String> settings) throws IOException {
        return HostProcess.start(host.migrate(database, folder, settings), folder);
    }

    static Session readerOfOrders(Scenario scenario) {
        Session web = scenario.session("web");
        web.begin();
        web.execute("select * from shop.orders");
        return web;
    }

    /** The process id of the backend that waits for the table. */
    static int awaitWaiterForOrders(Scenario scenario, HostProcess host) {
        String waiters = "select pid from pg_locks where relation = 'shop.orders'::regclass and not granted";
        Session test = scenario.session("test");
        var waiter = new int[1];
        scenario.await("the migration to wait for the table", () -> {
            assertThat(host.isAlive()).as(host.output()).isTrue();
            List<String> pids = test.execute(waiters);
            if (pids.isEmpty()) {
                return false;
            }
            waiter[0] = Integer.parseInt(pids.get(0));
            return true;
        });
        return waiter[0];
    }

    /** It has given up for now: nobody can queue up behind it, on any of the tables. */
    static void awaitPauseWithoutLocks(Scenario scenario, HostProcess host, int pid) {
        String locks = "select count(*) from pg_locks where pid = " + pid
                + " and relation in (select oid from pg_class where relnamespace = 'shop'::regnamespace)";
        Session test = scenario.session("test");
        scenario.await("the migration to pause, without a lock", () -> {
            assertThat(host.isAlive()).as(host.output()).isTrue();
            return test.value(locks).equals("0");
        });
    }

    /** The blocker is alone, with what it had, and there is no trace of the migration that it was in the way of. */
    static void assertThatNothingIsLeftOfV2(Scenario scenario, Session web) {
        Session test = scenario.session("test");
        scenario.await(
                "only the blocker to be left in the database",
                () -> test.execute("select application_name from pg_stat_activity where datname = current_database()"
                                + " and pid <> pg_backend_pid() and application_name <> 'testkit observer'")
                        .equals(List.of("web")));
        assertThat(test.execute("select pid, mode from pg_locks where relation = 'shop.orders'::regclass"))
                .containsExactly(web.pid() + "|AccessShareLock");
        assertThat(history(test)).containsExactly("1|t");
        assertThat(changelogIsLocked(test)).isFalse();
        assertThat(test.value(NOTES_OF_V2)).isEqualTo("0");
        assertThat(test.value(COLUMNS_OF_V2)).isEqualTo("0");
    }

    static void assertThatV2IsThereOnce(Scenario scenario) {
        Session test = scenario.session("test");
        assertThat(history(test)).containsExactly("1|t", "2|t");
        assertThat(test.value(NOTES_OF_V2)).isEqualTo("1");
        assertThat(test.value(COLUMNS_OF_V2)).isEqualTo("2");
    }

    /** Version and success, row by row, of either; nothing where there is no such table yet. */
    static List<String> history(Session test) {
        if (exists(test, "flyway_schema_history")) {
            return test.execute("select version, success from flyway_schema_history order by installed_rank");
        }
        return exists(test, "databasechangelog")
                ? test.execute("select id, exectype = 'EXECUTED' from databasechangelog order by orderexecuted")
                : List.of();
    }

    /** By a row of Liquibase's own table. */
    static boolean changelogIsLocked(Session test) {
        return exists(test, "databasechangeloglock")
                && test.execute("select locked from databasechangeloglock").contains("t");
    }

    private static boolean exists(Session test, String table) {
        return test.value("select to_regclass('" + table + "') is not null").equals("t");
    }
}
