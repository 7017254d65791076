// SPDX-License-Identifier: Apache-2.0
package io.pglock.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.postgresql.PGConnection;

@PostgresTest
class ScenarioTest {
    private final Scenario scenario;
    private final Session web;
    private final Session migration;

    ScenarioTest(Scenario scenario) {
        this.scenario = scenario;
        this.web = scenario.session("web");
        this.migration = scenario.session("migration");
    }

    @BeforeEach
    void createsTheTable() {
        web.execute(
                "drop table if exists orders", "create table orders (id int)", "insert into orders values (1), (2)");
    }

    @Test
    void waitsUntilASessionIsReallyBlocked() {
        migration.begin();
        migration.execute("lock table orders");

        Running reading = web.start("select count(*) from orders");
        scenario.awaitBlocked(web);
        scenario.awaitBlocked(web.pid());
        scenario.awaitBlockedBy(web, migration);

        assertThat(reading.isDone()).isFalse();
        assertThat(scenario.pidsBlocking(web)).containsExactly(migration.pid());

        migration.commit();
        assertThat(reading.result()).containsExactly("2");
        scenario.awaitNotBlocked(web);
    }

    @Test
    void showsTheLockTableOnRequest() {
        scenario.assumePreparedTransactions();
        migration.begin();
        migration.execute("lock table orders in share mode", "prepare transaction 'forgotten'");
        Running updating = web.start("update orders\n   set id = 3");
        scenario.awaitBlocked(web);

        assertThat(scenario.lockTable())
                .contains("pid", "session", "blocked by")
                .containsPattern("prepared +forgotten .* relation +orders +ShareLock +held")
                .containsPattern(web.pid() + " +web .* orders +RowExclusiveLock +WAITS .* update orders set id = 3");

        migration.execute("rollback prepared 'forgotten'");
        updating.await();
    }

    @Test
    void aWaitThatFailsSaysWhatForAndShowsTheLockTable() throws SQLException {
        migration.begin();
        migration.execute("lock table orders in share mode");

        try (var observer = new Observer(scenario.database());
                var impatient = new Scenario(scenario.database(), observer, Duration.ofMillis(100))) {
            Session reader = impatient.session("reader");
            assertThatThrownBy(() -> impatient.awaitBlocked(reader))
                    .isInstanceOf(AssertionError.class)
                    .hasMessageStartingWith("waited 100 ms for reader (pid %d) to wait for a lock\n", reader.pid())
                    .hasMessageContaining("locks in " + scenario.database().name() + ":\n")
                    .message()
                    .containsPattern(
                            migration.pid() + " +migration +idle in transaction +relation +orders +ShareLock +held");

            Running updating = reader.start("update orders set id = 3");
            assertThatThrownBy(updating::await)
                    .isInstanceOf(AssertionError.class)
                    .hasMessageStartingWith("waited 100 ms for reader: update orders set id = 3 to end\n")
                    .message()
                    .containsPattern(
                            reader.pid() + " +reader +active .* orders +RowExclusiveLock +WAITS +" + migration.pid());
        }
        migration.rollback();
        assertThat(scenario.lockTable()).endsWith("(none)");
    }

    @Test
    void sessionsRunWhatTheyAreToldInOrderAndOnTheirOwnThread() {
        CountDownLatch latch = new CountDownLatch(1);
        Call<Boolean> waiting = web.run(connection -> latch.await(10, TimeUnit.SECONDS));
        Call<String> after = web.run(connection -> Thread.currentThread().getName());
        assertThat(after.isDone()).isFalse();

        latch.countDown();

        assertThat(waiting.await()).isTrue();
        assertThat(after.await()).isEqualTo("testkit-session-web");
        assertThat(web.execute("select 1", "select id, null, true from orders order by id"))
                .containsExactly("1||t", "2||t");
        assertThat(web.execute("delete from orders")).isEmpty();
    }

    @Test
    void sessionsCarryTheirNameAndAreOpenedOnce() throws SQLException {
        assertThat(scenario.session("web")).isSameAs(web);
        assertThat(web.value("show application_name")).isEqualTo("web");
        assertThat(web.value("select pg_backend_pid()")).isEqualTo(String.valueOf(web.pid()));
        assertThat(web.connection().unwrap(PGConnection.class).getBackendPID()).isEqualTo(web.pid());
        assertThat(web).hasToString("web (pid " + web.pid() + ", latest: web: select pg_backend_pid() (ended))");
    }

    @Test
    void anExpectedFailureIsTheOneOfTheServer() {
        assertThat(web.start("select * from missing").awaitFailure().getSQLState())
                .isEqualTo("42P01");
        assertThatThrownBy(() -> web.execute("select * from missing"))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("web: select * from missing failed")
                .hasCauseInstanceOf(SQLException.class);
        assertThatThrownBy(() -> web.start("select 1").awaitFailure())
                .isInstanceOf(AssertionError.class)
                .hasMessage("web: select 1 was expected to fail, and gave [1]");
        assertThatThrownBy(() -> web.run(connection -> Integer.parseInt("x")).awaitFailure(SQLException.class))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining(
                        "was expected to fail with SQLException, not with java.lang.NumberFormatException");
        assertThatThrownBy(() -> web.value("select id from orders"))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("was expected to give one row, and gave [1, 2]");
    }

    @Test
    void aStatementCanBeCancelled() {
        migration.begin();
        migration.execute("lock table orders");
        Running reading = web.start("table orders");
        scenario.awaitBlocked(web);

        web.cancel();

        assertThat(reading.awaitFailure().getSQLState()).isEqualTo("57014");
        assertThat(web.value("select 1")).isEqualTo("1");
    }

    @Test
    void aSessionCanBeInterrupted() {
        Call<Boolean> waiting = web.run(connection -> new CountDownLatch(1).await(10, TimeUnit.SECONDS));

        web.interrupt();

        assertThat(waiting.awaitFailure(InterruptedException.class)).isNotNull();
    }

    @Test
    void aKilledSessionIsGone() {
        Running sleeping = web.start("select pg_sleep(60)");
        scenario.awaitState(web, "active");

        web.kill();

        assertThat(sleeping.awaitFailure().getSQLState()).isIn("57P01", "08006");
        scenario.awaitGone(web.pid());
    }

    @Test
    void aClosedSessionTakesItsTransactionAlongAndCanBeOpenedAgain() {
        web.begin();
        web.execute("delete from orders");
        scenario.awaitState(web, "idle in transaction");
        Running sleeping = web.start("select pg_sleep(60)");

        web.close();

        assertThat(sleeping.isDone()).isTrue();
        assertThat(scenario.session("web")).isNotSameAs(web);
        assertThat(scenario.session("web").value("select count(*) from orders")).isEqualTo("2");
    }

    @Test
    void aParallelWorkerThatWaitsCountsForItsLeader(PostgresServer server) {
        server.assumeAtLeast(13);
        web.execute(
                server.majorVersion() >= 16 ? "set debug_parallel_query = on" : "set force_parallel_mode = on", """
                create or replace function takes_lock() returns text language plpgsql parallel safe as
                $$ begin perform pg_advisory_xact_lock(42); return 'taken'; end $$""");
        migration.execute("select pg_advisory_lock(42)");

        Running taking = web.start("select takes_lock()");
        scenario.awaitBlocked(web);

        assertThat(migration.value("select pid from pg_locks where not granted"))
                .isNotEqualTo(String.valueOf(web.pid()));
        migration.execute("select pg_advisory_unlock(42)");
        assertThat(taking.result()).containsExactly("taken");
    }

    @Test
    void aRoleIsNoSuperuserAndHasWhatItWasGranted() throws SQLException {
        Role reader = scenario.role("reader", "select on orders", "pg_signal_backend");

        try (Connection connection = scenario.connectAs(reader)) {
            assertThat(Rows.read(connection, "select current_user, usesuper from pg_user where usename = current_user"))
                    .containsExactly(reader.name() + "|f");
            assertThat(Rows.read(connection, "select count(*) from orders")).containsExactly("2");
            assertThatThrownBy(() -> Rows.execute(connection, "delete from orders"))
                    .isInstanceOfSatisfying(
                            SQLException.class, e -> assertThat(e.getSQLState()).isEqualTo("42501"));
        }
    }
}
