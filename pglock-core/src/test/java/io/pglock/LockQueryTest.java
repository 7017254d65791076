// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pglock.testkit.Database;
import io.pglock.testkit.PostgresServer;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What {@link LockQuery#list} finds, in which order, and that asking leaves no trace. */
@PostgresTest
class LockQueryTest {

    private final Scenario scenario;
    private final Connection mine;
    private final Session web;
    private final Session job;

    LockQueryTest(Scenario scenario, Connection mine) {
        this.scenario = scenario;
        this.mine = mine;
        this.web = scenario.session("web");
        this.job = scenario.session("job");
    }

    @BeforeEach
    void tables() {
        web.execute(
                "drop schema if exists billing cascade",
                "drop table if exists orders, \"Order \"\"lines\"\"\"",
                "create table orders (id int)",
                "create table \"Order \"\"lines\"\"\" (id int)",
                "create schema billing",
                "create table billing.orders (id int)");
    }

    @Test
    void findsATableOnTheSearchPathAndNoOtherOfThatName() {
        web.execute("begin", "select * from orders");
        job.execute("begin", "select * from billing.orders");

        assertThat(locks().on("orders").list())
                .extracting(LockQueryTest::application)
                .containsExactly("web");
        assertThat(locks().on("Billing.ORDERS").list())
                .extracting(LockQueryTest::application)
                .containsExactly("job");
        assertThat(locks().on("orders", "billing.orders").list()).hasSize(2);
        assertThat(locks().schema("billing").list())
                .extracting(LockQueryTest::application)
                .containsExactly("job");
        assertThat(locks().on("billing.orders").list().get(0).target().describe())
                .isEqualTo("billing.orders");
    }

    @Test
    void findsATableOnTheSearchPathOfTheAskingSession() throws SQLException {
        job.execute("begin", "select * from billing.orders");
        try (Statement statement = mine.createStatement()) {
            statement.execute("set search_path = billing");
            assertThat(locks().on("orders").list())
                    .extracting(LockQueryTest::application)
                    .containsExactly("job");
            statement.execute("reset search_path");
        }
    }

    @Test
    void findsQuotedNames() {
        web.execute("begin", "select * from \"Order \"\"lines\"\"\"");

        assertThat(locks().on("\"Order \"\"lines\"\"\"").list()).singleElement().satisfies(lock -> {
            assertThat(lock.target().relation()).contains("Order \"lines\"");
            assertThat(lock.target().describe()).isEqualTo("\"Order \"\"lines\"\"\"");
        });
        assertThat(locks().on(TableName.of("Order \"lines\"")).list()).hasSize(1);
    }

    @Test
    void aTableThatIsMissingIsAnErrorAndNotAnEmptyList() {
        assertThatThrownBy(() -> locks().on("no_such_table").list())
                .isInstanceOf(PgLockException.class)
                .hasMessageMatching(
                        "no_such_table: there is no such relation in database \\S+ on the search_path \\(.*public.*\\)\\..*");
        assertThatThrownBy(() -> locks().on("billing.nothing").tree())
                .isInstanceOf(PgLockException.class)
                .hasMessageStartingWith("billing.nothing: there is no such relation in database ");
        assertThatIllegalArgumentException().isThrownBy(() -> locks().on("a b"));
    }

    @Test
    void doesNotTakeATableOfAnotherDatabaseForOneOfThisBecauseOfItsOid(PostgresServer server) throws SQLException {
        try (Database other = server.createDatabase();
                Connection there = other.connect("there");
                Statement statement = there.createStatement()) {
            statement.execute("create table elsewhere (id int)");
            there.setAutoCommit(false);
            statement.execute("lock table elsewhere");

            List<LockInfo> found = locks().database(other.name())
                    .type(LockTarget.Type.RELATION)
                    .list();
            assertThat(found).singleElement().satisfies(lock -> {
                assertThat(lock.target().database()).contains(other.name());
                assertThat(lock.target().relation()).isEmpty();
                assertThat(lock.target().describe())
                        .isEqualTo("relation " + lock.target().relationOid().orElseThrow() + " of database "
                                + other.name());
            });
            there.rollback();
        }
    }

    @Test
    void showsWhatIsNoTable() {
        web.execute(
                "begin",
                "insert into orders values (1)",
                "select pg_advisory_lock(-42)",
                "select pg_advisory_xact_lock_shared(7, -9)",
                "drop schema billing cascade");
        List<LockInfo> all = locks().application("web").list();

        assertThat(all)
                .extracting(lock -> lock.target().type())
                .contains(
                        LockTarget.Type.RELATION,
                        LockTarget.Type.TRANSACTIONID,
                        LockTarget.Type.VIRTUALXID,
                        LockTarget.Type.OBJECT,
                        LockTarget.Type.ADVISORY);
        assertThat(all).extracting(lock -> lock.target().describe()).contains("orders", "schema billing");
        assertThat(locks().advisory(LockKey.of(-42)).list())
                .singleElement()
                .satisfies(lock -> assertThat(lock.mode()).isEqualTo(LockMode.EXCLUSIVE));
        assertThat(locks().advisory(LockKey.of(7, -9), LockKey.named("other")).list())
                .singleElement()
                .satisfies(lock -> assertThat(lock.mode()).isEqualTo(LockMode.SHARE));
        web.rollback();
        web.execute("select pg_advisory_unlock_all()");
    }

    @Test
    void filtersByWhatTheSessionIs() {
        web.execute("begin", "select * from orders");
        job.execute("begin", "lock table billing.orders in share mode");
        LockQuery relations = locks().type(LockTarget.Type.RELATION)
                .database(scenario.database().name())
                .where(lock -> lock.backend().user().isPresent()); // an autovacuum may come by

        assertThat(relations.list()).hasSize(2);
        assertThat(relations.pid(web.pid()).list())
                .extracting(LockQueryTest::application)
                .containsExactly("web");
        assertThat(relations.application("job", "other").list())
                .extracting(LockQueryTest::application)
                .containsExactly("job");
        assertThat(relations.user(scenario.database().user()).list()).hasSize(2);
        assertThat(relations.user("nobody").list()).isEmpty();
        assertThat(relations.state("idle in transaction").list()).hasSize(2);
        assertThat(relations.state("active").list()).isEmpty();
        assertThat(relations.mode(LockMode.SHARE).list())
                .extracting(LockQueryTest::application)
                .containsExactly("job");
        assertThat(relations
                        .where(lock -> lock.mode().conflictsWith(LockMode.ROW_EXCLUSIVE))
                        .list())
                .extracting(LockQueryTest::application)
                .containsExactly("job");
    }

    @Test
    void filtersByWaiting() {
        web.execute("begin", "select * from orders");
        job.start("alter table orders add note text");
        scenario.awaitBlocked(job);

        assertThat(locks().on("orders").list()).hasSize(2);
        assertThat(locks().on("orders").granted().list())
                .extracting(LockQueryTest::application)
                .containsExactly("web");
        assertThat(locks().on("orders").waiting().list())
                .extracting(LockQueryTest::application)
                .containsExactly("job");
        assertThat(locks().on("orders").waitingLongerThan(Duration.ofMinutes(1)).list())
                .isEmpty();
        scenario.await(
                "the wait to be older than 1 ms",
                () -> !locks().on("orders")
                        .waitingLongerThan(Duration.ofMillis(1))
                        .list()
                        .isEmpty());
        assertThat(locks().on("orders").granted().blocked()).isEmpty();
        assertThat(locks().on("orders").blocked()).hasSize(1);
        assertThat(locks().on("orders").list().get(0).describe())
                .matches("pid \\d+ \\(job, active .*\\) waits for ACCESS EXCLUSIVE on orders, for \\S+ so far");
    }

    /** django-pglock measures the age of the last query, so a transaction that pings never grows old (defect 13). */
    @Test
    void theAgeIsThatOfTheTransactionAndNotOfItsLastQuery() {
        web.execute("begin", "select * from orders");
        scenario.await(
                "the transaction to be older than 100 ms",
                () -> !locks().on("orders")
                        .olderThan(Duration.ofMillis(100))
                        .list()
                        .isEmpty());
        web.execute("select 1");

        List<LockInfo> old =
                locks().on("orders").olderThan(Duration.ofMillis(100)).list();
        assertThat(old).hasSize(1);
        assertThat(old.get(0).backend().stateAge().orElseThrow())
                .isLessThan(old.get(0).backend().xactAge().orElseThrow());
        assertThat(locks().on("orders").olderThan(Duration.ofMinutes(1)).list()).isEmpty();
        assertThat(locks().on("orders").stateOlderThan(Duration.ofMinutes(1)).list())
                .isEmpty();
    }

    @Test
    void sortsAndLimits() {
        web.execute("begin", "select * from orders");
        job.execute("begin", "select * from billing.orders");
        Session late = scenario.session("late");
        late.start("alter table orders add note text");
        scenario.awaitBlocked(late);
        LockQuery orders = locks().on("orders", "billing.orders");

        assertThat(orders.list().get(0).granted()).isFalse();
        assertThat(orders.sortedBy(LockQuery.Order.OLDEST_TRANSACTION).list())
                .extracting(LockQueryTest::application)
                .containsExactly("web", "job", "late");
        assertThat(orders.sortedBy(LockQuery.Order.RELATION).limit(1).list())
                .extracting(lock -> lock.target().schema())
                .containsExactly(Optional.of("billing"));
        assertThat(orders.sortedBy(LockQuery.Order.PID).list())
                .extracting(lock -> lock.backend().pid())
                .isSorted();
        assertThat(orders.sortedBy(Comparator.comparing(LockInfo::mode).reversed())
                        .limit(2)
                        .list())
                .extracting(LockQueryTest::application)
                .startsWith("late");
        assertThat(orders.limit(0).list()).isEmpty();
        assertThat(orders.limit(0).blocked()).isEmpty();
        assertThatIllegalArgumentException().isThrownBy(() -> orders.limit(-1));
    }

    /** One snapshot holds what the prompt shows and what is then done (defect 16). */
    @Test
    void theThreeShapesAreOfOneReading() {
        web.execute("begin", "select * from orders");
        job.start("alter table orders add note text");
        scenario.awaitBlocked(job);

        LockSnapshot snapshot = locks().on("orders").snapshot();
        assertThat(snapshot.locks()).hasSize(2);
        assertThat(snapshot.blocked())
                .singleElement()
                .satisfies(wait ->
                        assertThat(wait.waiting()).isSameAs(snapshot.locks().get(0)));
        assertThat(snapshot.tree().stream()).hasSize(2);
        assertThat(snapshot.notes()).isEmpty();
    }

    @Test
    void doesNotShowTheAskingSession() throws SQLException {
        mine.setAutoCommit(false);
        try (Statement statement = mine.createStatement()) {
            statement.execute("lock table orders");
        }
        assertThat(locks().on("orders").list()).isEmpty();
        assertThat(locks().application("web", "job").list()).isEmpty();
        mine.rollback();
        mine.setAutoCommit(true);
    }

    @Test
    void leavesNothingInASessionWithItsOwnSettings() throws SQLException {
        try (Connection asking = scenario.database().connect("asking");
                Statement statement = asking.createStatement()) {
            statement.execute("set lock_timeout = '7s'");
            statement.execute("set statement_timeout = '1min'");
            String before = settings(asking);
            LockQuery.on(asking).on("orders").tree();
            assertThat(settings(asking)).isEqualTo(before).startsWith("7s|1min|");

            asking.setAutoCommit(false);
            LockQuery.on(asking).on("orders").tree();
            assertThat(settings(asking)).isEqualTo(before);
            asking.rollback();

            statement.execute("set local lock_timeout = '3s'");
            LockQuery.on(asking).on("orders").tree();
            assertThat(settings(asking)).startsWith("3s|1min|");
            asking.rollback();
        }
    }

    @Test
    void leavesNoTransactionAndNoLocksBehind() throws SQLException {
        try (Connection asking = scenario.database().connect("asking")) {
            asking.setAutoCommit(false);
            LockQuery.on(asking).list();
            assertThat(locks().application("asking").list()).isEmpty();

            try (Statement statement = asking.createStatement()) {
                statement.execute("select 1");
                LockQuery.on(asking).on("orders").list();
            }
            assertThat(locks().application("asking").list())
                    .extracting(lock -> lock.target().type())
                    .containsOnly(LockTarget.Type.VIRTUALXID);
            asking.rollback();
        }
    }

    @Test
    void seesAnewWithinOneTransaction() throws SQLException {
        mine.setAutoCommit(false);
        web.execute("begin", "select * from orders");
        assertThat(locks().on("orders").list().get(0).backend().state()).contains("idle in transaction");
        web.commit();
        web.execute("begin", "lock table orders");

        assertThat(locks().on("orders").list()).singleElement().satisfies(lock -> {
            assertThat(lock.mode()).isEqualTo(LockMode.ACCESS_EXCLUSIVE);
            assertThat(lock.backend().query()).contains("lock table orders");
        });
        mine.rollback();
        mine.setAutoCommit(true);
    }

    @Test
    void aFailureLeavesTheTransactionUsable() throws SQLException {
        mine.setAutoCommit(false);
        try (Statement statement = mine.createStatement()) {
            statement.execute("select 1");
            assertThatThrownBy(() -> locks().on("no_such_table").list()).isInstanceOf(PgLockException.class);
            statement.execute("select 1");
        }
        mine.rollback();
        mine.setAutoCommit(true);
    }

    @Test
    void refusesAFailedTransaction() throws SQLException {
        mine.setAutoCommit(false);
        try (Statement statement = mine.createStatement()) {
            assertThatThrownBy(() -> statement.execute("select 1/0")).isInstanceOf(SQLException.class);
        }
        assertThatThrownBy(() -> locks().list())
                .isInstanceOf(PgLockException.class)
                .hasMessageContaining("Roll it back first");
        mine.rollback();
        mine.setAutoCommit(true);
    }

    private LockQuery locks() {
        return PgLock.on(mine).locks();
    }

    private static String application(LockInfo lock) {
        return lock.backend().application().orElse("");
    }

    private static String settings(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(
                        "select concat_ws('|', current_setting('lock_timeout'), current_setting('statement_timeout'),"
                                + " current_setting('jit', true), current_setting('search_path'))")) {
            row.next();
            return row.getString(1);
        }
    }
}
