// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.pglock.testkit.Call;
import io.pglock.testkit.Database;
import io.pglock.testkit.PostgresServer;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

@PostgresTest
class TableLockTest {

    private static final Duration SOON = Duration.ofMillis(50);

    private final Connection mine;

    TableLockTest(Connection mine) {
        this.mine = mine;
    }

    @BeforeAll
    static void createTables(Database database) throws SQLException {
        try (Connection connection = database.connect()) {
            Held.execute(connection, """
                    create table orders (id int);
                    create table items (id int);
                    create schema "My Schema";
                    create table "My Schema"."Say ""hi"", a.b" (id int);
                    create table "Orders" (id int);
                    create table parts (id int) partition by range (id);
                    create table parts_1 partition of parts for values from (1) to (2);
                    create table parts_2 partition of parts for values from (2) to (3);
                    create table parts_3 partition of parts for values from (3) to (4);
                    create table parts_4 partition of parts for values from (4) to (5);
                    create view some_orders as select * from orders;
                    create materialized view all_items as select * from items;
                    create view many_parts as select * from parts where id > 1;
                    create view some_parts as select * from many_parts where id not in (select id from all_items)""");
        }
    }

    @BeforeEach
    void begin() throws SQLException {
        mine.setAutoCommit(false);
    }

    @AfterEach
    void end() throws SQLException {
        Held.end(mine);
    }

    private TableLock table(String... names) {
        return PgLock.on(mine).table(names);
    }

    private static Session holding(Scenario scenario, String name, String... statements) {
        Session session = scenario.session(name);
        session.begin();
        session.execute(statements);
        return session;
    }

    @ParameterizedTest
    @EnumSource(LockMode.class)
    void locksInEveryMode(LockMode mode) throws SQLException {
        table("orders").mode(mode).timeout(SOON).acquire();

        assertThat(Held.tables(mine)).containsExactly("orders " + mode.pgLocksName());
        mine.commit();
        assertThat(Held.tables(mine)).isEmpty();
    }

    @ParameterizedTest
    @EnumSource(LockMode.class)
    void isKeptOutByExactlyTheModesThatConflict(LockMode held, Scenario scenario) {
        holding(scenario, "web", "lock table orders in " + held.sql() + " mode");

        for (LockMode wanted : LockMode.values()) {
            assertThat(table("orders").mode(wanted).noWait().tryAcquire())
                    .as(wanted + " while " + held + " is held")
                    .isEqualTo(!wanted.conflictsWith(held));
        }
    }

    @Test
    void locksAccessExclusiveWhenNotToldOtherwise() throws SQLException {
        assertThat(table("orders").tryAcquire()).isTrue();

        assertThat(Held.tables(mine)).containsExactly("orders AccessExclusiveLock");
    }

    @Test
    void locksManyTablesWithWhateverNames() throws SQLException {
        table("ORDERS", "\"Orders\"", "\"My Schema\".\"Say \"\"hi\"\", a.b\"", "public.items")
                .mode(LockMode.SHARE)
                .acquire();
        assertThat(Held.tables(mine))
                .containsExactlyInAnyOrder(
                        "orders ShareLock", "Orders ShareLock", "Say \"hi\", a.b ShareLock", "items ShareLock");
        mine.rollback();

        PgLock.on(mine)
                .table(TableName.of("My Schema", "Say \"hi\", a.b"), TableName.of("Orders"))
                .mode(LockMode.SHARE)
                .acquire();
        assertThat(Held.tables(mine)).containsExactlyInAnyOrder("Orders ShareLock", "Say \"hi\", a.b ShareLock");
    }

    @Test
    void locksPartitionsUnlessOnlyTheTableIsMeant() throws SQLException {
        table("parts").mode(LockMode.SHARE).only().timeout(SOON).acquire();
        assertThat(Held.tables(mine)).containsExactly("parts ShareLock");

        table("parts").mode(LockMode.SHARE).acquire();
        assertThat(Held.tables(mine)).hasSize(5);
    }

    @Test
    void locksTheTablesOfAView(PostgresServer server) throws SQLException {
        if (server.majorVersion() < 11) {
            assertThatExceptionOfType(PgLockException.class)
                    .isThrownBy(() -> table("some_orders").acquire())
                    .satisfies(e -> assertThat(e.sqlState()).contains("42809"));
            return;
        }
        table("some_orders").mode(LockMode.SHARE).acquire();

        assertThat(Held.tables(mine)).contains("orders ShareLock", "some_orders ShareLock");
    }

    @Test
    void namesTableModeHolderAndRemedyWhenNotAcquired(Scenario scenario) {
        Session web = holding(scenario, "web", "select * from orders", "select 'thinking'");

        assertThatExceptionOfType(LockTimeoutException.class)
                .isThrownBy(() -> table("orders").timeout(SOON).acquire())
                .withMessageContaining("orders: ACCESS EXCLUSIVE lock not acquired within 50ms, blocked by pid "
                        + web.pid() + " (web, idle in transaction for ")
                .withMessageContaining("\"select 'thinking'\")")
                .withMessageContaining("pg_terminate_backend(" + web.pid() + ")")
                .satisfies(e -> assertThat(e.sqlState()).contains("55P03"));
    }

    @Test
    void namesTheHolderOfAPartitionAndNotThoseWhoDoNotConflict(Scenario scenario) {
        Session reader = holding(scenario, "reader", "select * from parts_1");
        Session writer = holding(scenario, "writer", "insert into parts values (3)");

        assertThatExceptionOfType(LockTimeoutException.class)
                .isThrownBy(() -> table("parts").mode(LockMode.SHARE).noWait().acquire())
                .withMessageContaining("not acquired at once, blocked by pid " + writer.pid() + " ")
                .satisfies(e -> assertThat(e.getMessage()).doesNotContain("pid " + reader.pid() + " "));
    }

    /** To lock a view is to lock its tables, and theirs. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void namesTheHolderOfATableOfAView(boolean only, PostgresServer server, Scenario scenario) {
        server.assumeAtLeast(11);
        Session other = holding(scenario, "other", "lock table items in access exclusive mode");
        Session web = holding(scenario, "web", "insert into parts_3 values (3)");
        TableLock view = table("some_parts").mode(LockMode.SHARE).noWait();

        assertThatExceptionOfType(LockTimeoutException.class)
                .isThrownBy(() -> (only ? view.only() : view).acquire())
                .withMessageContaining("not acquired at once, blocked by pid " + web.pid() + " ")
                .satisfies(e -> assertThat(e.getMessage()).doesNotContain("pid " + other.pid() + " "));
    }

    @Test
    void saysBehindWhomItQueuesWhenNobodyHoldsAConflictingLock(Scenario scenario) {
        Session reader = holding(scenario, "reader", "select * from orders");
        Session ddl = scenario.session("ddl");
        ddl.start("alter table orders add column note text");
        scenario.awaitBlockedBy(ddl, reader);

        assertThatExceptionOfType(LockTimeoutException.class)
                .isThrownBy(() -> table("orders")
                        .mode(LockMode.ROW_EXCLUSIVE)
                        .timeout(SOON)
                        .acquire())
                .withMessageContaining("queued behind pid " + ddl.pid() + " (ddl, active");
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void leavesTheTransactionUsableWhenNotAcquired(boolean wait, Scenario scenario) throws SQLException {
        holding(scenario, "web", "select * from items");
        Held.execute(mine, "set local lock_timeout = '77ms'");
        Held.execute(mine, "set local statement_timeout = '1min'");
        Held.execute(mine, "insert into \"Orders\" values (1)");

        assertThat(table("orders", "items").timeout(wait ? SOON : Duration.ZERO).tryAcquire())
                .isFalse();

        assertThat(Held.setting(mine, "lock_timeout")).isEqualTo("77ms");
        assertThat(Held.setting(mine, "statement_timeout")).isEqualTo("1min");
        assertThat(Held.tables(mine)).as("what was locked before").containsExactly("Orders RowExclusiveLock");
        assertThat(Held.column(mine, "select id from \"Orders\"")).containsExactly("1");
        mine.rollback();
        assertThat(Held.setting(mine, "lock_timeout")).isEqualTo("0");
        assertThat(Held.setting(mine, "statement_timeout")).isEqualTo("0");
    }

    @Test
    void restoresTheCallersTimeoutsWhenAcquired() throws SQLException {
        Held.execute(mine, "set local lock_timeout = '77ms'");
        Held.execute(mine, "set local statement_timeout = '1min'");

        table("orders").timeout(SOON).acquire();
        table("items").noTimeout().acquire();

        assertThat(Held.setting(mine, "lock_timeout")).isEqualTo("77ms");
        assertThat(Held.setting(mine, "statement_timeout")).isEqualTo("1min");
        mine.commit();
        assertThat(Held.setting(mine, "lock_timeout")).isEqualTo("0");
        assertThat(Held.setting(mine, "statement_timeout")).isEqualTo("0");
    }

    @Test
    void waitsAsLongAsTheSessionsLockTimeoutSaysWhenNotTold(Scenario scenario) throws SQLException {
        holding(scenario, "web", "select * from orders");
        Held.execute(mine, "set local lock_timeout = '50ms'");

        assertThat(table("orders").tryAcquire()).isFalse();
    }

    @Test
    void waitsForEverWithNoTimeoutWhateverTheSessionsIs(Scenario scenario) {
        Session web = holding(scenario, "web", "select * from orders");
        Session job = holding(scenario, "job", "set local lock_timeout = '50ms'");
        Session late = holding(scenario, "late", "set local lock_timeout = '60ms'");

        Call<Boolean> acquiring = job.run(
                connection -> PgLock.on(connection).table("orders").noTimeout().tryAcquire());
        scenario.awaitBlockedBy(job, web);
        assertThat(late.run(connection -> PgLock.on(connection).table("orders").tryAcquire())
                        .await())
                .isFalse();
        web.commit();

        assertThat(acquiring.await()).isTrue();
    }

    /** lock_timeout counts anew for each partition: four that get free one after the other would be waited for four times. */
    @ParameterizedTest
    @ValueSource(strings = {"extended", "simple"})
    void waitsForAllPartitionsTogetherNoLongerThanTheTimeout(String queryMode, Scenario scenario, Database database)
            throws Exception {
        List<Session> holders = new ArrayList<>();
        for (int i = 1; i <= 4; i++) {
            holders.add(holding(scenario, "web-" + i, "select * from parts_" + i));
        }
        Session job = scenario.session("job");
        String url = database.url() + (database.url().contains("?") ? "&" : "?") + "preferQueryMode=" + queryMode
                + "&ApplicationName=deadline";
        try (Connection connection = DriverManager.getConnection(url, database.user(), database.password())) {
            connection.setAutoCommit(false);
            int pid = connection.unwrap(org.postgresql.PGConnection.class).getBackendPID();
            Call<Boolean> acquiring = job.run(own -> PgLock.on(connection)
                    .table("parts")
                    .timeout(Duration.ofMillis(400))
                    .tryAcquire());
            scenario.awaitBlocked(pid);
            // every partition becomes free within the timeout of its own lock, the second one only after the deadline
            // of all
            scenario.await("a while on the first partition", () -> acquiring.isDone() || hasRunFor(250, pid, scenario));
            holders.get(0).commit();
            scenario.await("the deadline", () -> acquiring.isDone() || hasRunFor(550, pid, scenario));
            holders.forEach(Session::commit);

            assertThat(acquiring.await()).isFalse();
            assertThat(Held.tables(connection)).isEmpty();
            connection.rollback();
        }
    }

    /** A query before LOCK TABLE would have PostgreSQL take the snapshot of the transaction before the lock is granted. */
    @ParameterizedTest
    @CsvSource({"true, false", "false, false", "true, true", "false, true"})
    void seesWhatTheHolderCommittedInRepeatableRead(boolean forEver, boolean hasBegun, Scenario scenario) {
        Session web = scenario.session("web");
        web.execute(
                "create table if not exists accounts as select 1 as balance",
                "begin",
                "update accounts set balance = balance + 1");
        String before = web.value("select balance from accounts");
        Session job = scenario.session("job");

        Call<List<String>> updating = job.run(connection -> {
            connection.setAutoCommit(false);
            if (hasBegun) { // and what has to be known of a new connection is asked inside the transaction
                Held.execute(connection, "set transaction isolation level repeatable read");
            } else {
                connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
            }
            TableLock request = PgLock.on(connection).table("accounts");
            (forEver ? request.noTimeout() : request.timeout(Duration.ofSeconds(20))).acquire();
            List<String> seen = Held.column(connection, "select balance from accounts");
            Held.execute(connection, "update accounts set balance = balance + 1");
            connection.commit();
            return seen;
        });
        scenario.awaitBlockedBy(job, web);
        web.commit();

        assertThat(updating.await()).containsExactly(before);
    }

    private static boolean hasRunFor(int millis, int pid, Scenario scenario) throws SQLException {
        String sql = "select 1 from pg_stat_activity where pid = " + pid
                + " and clock_timestamp() - query_start > interval '" + millis + " ms'";
        return !Held.column(scenario.observer(), sql).isEmpty();
    }

    @Test
    void failsWithTheCallersOwnStatementTimeoutWhenThatIsStricter(Scenario scenario) throws SQLException {
        holding(scenario, "web", "select * from orders");
        Held.execute(mine, "set local statement_timeout = '100ms'");

        assertThatExceptionOfType(PgLockException.class)
                .isThrownBy(
                        () -> table("orders").timeout(Duration.ofSeconds(20)).tryAcquire())
                .satisfies(e -> assertThat(e.sqlState()).contains("57014"));
        assertThat(Held.setting(mine, "statement_timeout")).isEqualTo("100ms");
        assertThat(Held.column(mine, "select 1")).containsExactly("1");
    }

    // django-pglock defect 6: whatever goes wrong while waiting counts as "not acquired"
    @Test
    void tellsACancelFromNotAcquired(Scenario scenario) {
        Session web = holding(scenario, "web", "select * from orders");
        Session job = holding(scenario, "job", "select 1");

        Call<Boolean> acquiring = job.run(connection -> PgLock.on(connection)
                .table("orders")
                .timeout(Duration.ofSeconds(20))
                .tryAcquire());
        scenario.awaitBlockedBy(job, web);
        job.cancel();

        assertThat(acquiring.awaitFailure(PgLockException.class).sqlState()).contains("57014");
        assertThat(job.value("select 1")).isEqualTo("1");
    }

    @Test
    void tellsADeadlockFromNotAcquired(Scenario scenario) {
        Session one = holding(scenario, "one", "set local deadlock_timeout = '10ms'", "lock table orders");
        Session two = holding(scenario, "two", "set local deadlock_timeout = '1min'", "lock table items");
        two.start("lock table orders");
        scenario.awaitBlockedBy(two, one);

        LockDeadlockException failure = one.run(connection -> PgLock.on(connection)
                        .table("items")
                        .timeout(Duration.ofSeconds(20))
                        .tryAcquire())
                .awaitFailure(LockDeadlockException.class);

        assertThat(failure.sqlState()).contains("40P01");
        assertThat(one.value("select 1")).isEqualTo("1");
        one.rollback();
    }

    @Test
    void saysWhatPostgresSaysOfATableThatDoesNotExist() throws SQLException {
        assertThatExceptionOfType(PgLockException.class)
                .isThrownBy(() -> table("orders", "no_such_table").timeout(SOON).tryAcquire())
                .withMessageContaining("no_such_table")
                .satisfies(e -> assertThat(e.sqlState()).contains("42P01"));
        assertThat(Held.tables(mine)).isEmpty();
    }

    @Test
    void saysWhatPostgresSaysOfATableThatMayNotBeLocked(Scenario scenario) throws SQLException {
        try (Connection connection = scenario.connectAs(scenario.role("reader"))) {
            connection.setAutoCommit(false);

            assertThatExceptionOfType(PgLockException.class)
                    .isThrownBy(() -> PgLock.on(connection).table("orders").tryAcquire())
                    .satisfies(e -> assertThat(e.sqlState()).contains("42501"));
            assertThat(Held.column(connection, "select 1")).containsExactly("1");
            connection.rollback();
        }
    }

    @Test
    void isRefusedOutsideATransaction() throws SQLException {
        mine.rollback();
        mine.setAutoCommit(true);

        assertThatExceptionOfType(LockNotSupportedException.class)
                .isThrownBy(() -> table("orders").mode(LockMode.SHARE).acquire())
                .withMessageContaining("orders: SHARE lock")
                .withMessageContaining("setAutoCommit(false)");
    }

    @Test
    void refusesNoTableAndBadNamesBeforeAnySql() {
        assertThatIllegalArgumentException().isThrownBy(() -> table());
        assertThatIllegalArgumentException().isThrownBy(() -> PgLock.on(mine).table(new TableName[0]));
        assertThatIllegalArgumentException().isThrownBy(() -> table("orders; drop table orders"));
        assertThatIllegalArgumentException().isThrownBy(() -> table("orders").timeout(Duration.ofMillis(-1)));
        assertThatCode(() -> table("orders")
                        .timeout(Duration.ofMillis(Integer.MAX_VALUE))
                        .acquire())
                .doesNotThrowAnyException();
    }
}
