// SPDX-License-Identifier: Apache-2.0
package io.pglock.examples.hosts;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.argumentSet;

import io.pglock.testkit.Database;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What pglock does in every host of Flyway: a process of its own, and somebody who is really in its way. */
@PostgresTest
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class FlywayHostContract {

    private static final String NOTES_OF_V2 = "select count(*) from shop.log where entry = 'V2'";
    private static final String COLUMNS_OF_V2 = """
            select count(*) from information_schema.columns
             where table_schema = 'shop' and column_name in ('vip', 'note')""";

    /** A setting that is wrong, and what is said about it. */
    private record Mistake(FlywayHost channel, String key, String value, String message) {}

    @TempDir
    private Path folder;

    /** The host, by the name of each way in which settings are written in it. The first one is good for everything. */
    abstract Map<String, FlywayHost> channels();

    @BeforeEach
    void openTheShop(Scenario scenario) throws IOException {
        scenario.session("test")
                .execute(
                        "drop table if exists flyway_schema_history",
                        "drop schema if exists shop cascade",
                        // not in Flyway's own schema, which has to be empty before the first migration
                        "create schema shop",
                        "create table shop.customers (id int)",
                        "create table shop.orders (id int)",
                        "create table shop.log (entry text)");
        Path sql = Files.createDirectory(folder.resolve("sql"));
        Files.writeString(sql.resolve("V1__begin.sql"), "insert into shop.log values ('V1');\n");
        Files.writeString(sql.resolve("V2__extend_the_shop.sql"), """
                alter table shop.customers add column vip boolean;
                insert into shop.log values ('V2');
                alter table shop.orders add column note text;
                """);
    }

    @Test
    void getsThroughASessionThatIsIdleInATransaction(Database database, Scenario scenario) throws Exception {
        Session web = readerOfOrders(scenario);

        try (HostProcess host = start(firstChannel(), database, Map.of("prioritize", "terminate"))) {
            assertThat(host.exitCode()).as(host.output()).isZero();
            assertThat(host.output())
                    .contains("blocked by pid " + web.pid() + " (web, idle in transaction for ")
                    .contains("Terminated pid " + web.pid() + " (web, idle in transaction for ");
        }

        scenario.awaitGone(web.pid());
        assertThatV2IsThereOnce(scenario);
    }

    @Test
    void triesAgainInTheSameRunUntilTheBlockerIsGone(Database database, Scenario scenario) throws Exception {
        Session web = readerOfOrders(scenario);

        try (HostProcess host = start(
                firstChannel(),
                database,
                Map.of("prioritize", "report", "lockTimeout", "500ms", "retryDelay", "2s", "retryDeadline", "2m"))) {
            int migration = awaitWaiterForOrders(scenario, host);
            awaitPauseWithoutLocks(scenario, host, migration);
            web.commit();

            assertThat(host.exitCode()).as(host.output()).isZero();
            assertThat(host.output())
                    .contains("blocked by pid " + web.pid() + " (web, idle in transaction for ")
                    .contains("(attempt 2");
        }

        assertThatV2IsThereOnce(scenario);
    }

    @Test
    void givesUpWithFlywaysOwnErrorAndTheBlockerNamed(Database database, Scenario scenario) throws Exception {
        Session web = readerOfOrders(scenario);

        try (HostProcess host = start(
                firstChannel(),
                database,
                Map.of("prioritize", "report", "lockTimeout", "500ms", "retryAttempts", "2", "retryDelay", "100ms"))) {
            assertThat(host.exitCode()).as(host.output()).isNotZero();
            assertThat(host.output())
                    .contains("canceling statement due to lock timeout")
                    .contains("55P03")
                    .contains("(attempt 2")
                    .contains("blocked by pid " + web.pid() + " (web, idle in transaction for ");
        }

        Session test = scenario.session("test");
        assertThat(history(test)).containsExactly("1|t");
        assertThat(test.value(NOTES_OF_V2)).isEqualTo("0");
        assertThat(test.value(COLUMNS_OF_V2)).isEqualTo("0");
        scenario.await(
                "only the blocker to be left in the database",
                () -> test.execute("select application_name from pg_stat_activity where datname = current_database()"
                                + " and pid <> pg_backend_pid() and application_name <> 'testkit observer'")
                        .equals(List.of("web")));
        assertThat(test.execute("select pid, mode from pg_locks where relation = 'shop.orders'::regclass"))
                .containsExactly(web.pid() + "|AccessShareLock");
    }

    @ParameterizedTest
    @MethodSource("mistakes")
    void failsBeforeTheFirstMigrationWhen(Mistake mistake, Database database, Scenario scenario, TestInfo info)
            throws Exception {
        try (HostProcess host = start(mistake.channel(), database, Map.of(mistake.key(), mistake.value()))) {
            assertThat(host.exitCode())
                    .as(info.getDisplayName() + "\n" + host.output())
                    .isNotZero();
            // a variable of the environment is in upper case
            assertThat(host.output()).as(info.getDisplayName()).containsIgnoringCase(mistake.message());
        }

        Session test = scenario.session("test");
        assertThat(history(test)).isEmpty();
        assertThat(test.value("select count(*) from shop.log")).isEqualTo("0");
    }

    Stream<Arguments> mistakes() {
        return channels().entrySet().stream()
                .flatMap(channel -> Stream.of(
                        argumentSet(
                                "a key is misspelt in " + channel.getKey(),
                                new Mistake(channel.getValue(), "lockTimeot", "5s", "lockTimeot")),
                        argumentSet(
                                "a duration has no unit in " + channel.getKey(),
                                new Mistake(
                                        channel.getValue(),
                                        "lockTimeout",
                                        "5",
                                        "lockTimeout=5: a bare number has no unit; write 5s or 5ms"))));
    }

    private HostProcess start(FlywayHost host, Database database, Map<String, String> settings) throws IOException {
        return HostProcess.start(host.migrate(database, folder, settings), folder);
    }

    private FlywayHost firstChannel() {
        return channels().values().iterator().next();
    }

    private static Session readerOfOrders(Scenario scenario) {
        Session web = scenario.session("web");
        web.begin();
        web.execute("select * from shop.orders");
        return web;
    }

    /** The process id of the backend that waits for the table. */
    private static int awaitWaiterForOrders(Scenario scenario, HostProcess host) {
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
    private static void awaitPauseWithoutLocks(Scenario scenario, HostProcess host, int pid) {
        String locks = "select count(*) from pg_locks where pid = " + pid
                + " and relation in (select oid from pg_class where relnamespace = 'shop'::regnamespace)";
        Session test = scenario.session("test");
        scenario.await("the migration to pause, without a lock", () -> {
            assertThat(host.isAlive()).as(host.output()).isTrue();
            return test.value(locks).equals("0");
        });
    }

    private static void assertThatV2IsThereOnce(Scenario scenario) {
        Session test = scenario.session("test");
        assertThat(history(test)).containsExactly("1|t", "2|t");
        assertThat(test.value(NOTES_OF_V2)).isEqualTo("1");
        assertThat(test.value(COLUMNS_OF_V2)).isEqualTo("2");
    }

    /** Version and success, row by row; nothing where there is no such table yet. */
    private static List<String> history(Session test) {
        boolean exists = test.value("select to_regclass('flyway_schema_history') is not null")
                .equals("t");
        return exists
                ? test.execute("select version, success from flyway_schema_history order by installed_rank")
                : List.of();
    }
}
