// SPDX-License-Identifier: Apache-2.0
package io.pglock.flyway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pglock.testkit.PostgresServer;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.concurrent.FutureTask;
import javax.sql.DataSource;
import org.flywaydb.core.api.FlywayException;
import org.flywaydb.core.api.migration.BaseJavaMigration;
import org.flywaydb.core.api.migration.Context;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code CREATE INDEX CONCURRENTLY} waits for the end of every older snapshot, Flyway's own among them. */
@Proves(Capability.CONCURRENTLY)
class ConcurrentlyTest extends FlywayScene {

    private static final String BUILD = "create index concurrently orders_id on orders (id);";

    ConcurrentlyTest(DataSource dataSource, Scenario scenario) {
        super(dataSource, scenario);
    }

    private String isValid(String index) {
        return value("select indisvalid from pg_index where indexrelid = '" + index + "'::regclass");
    }

    @Test
    void completesUnderFlywaysDefaultLock() {
        migrations.with("V1__index.sql", BUILD + "\ncreate index concurrently items_id on items (id);");

        assertThat(flyway("pglock.statementTimeout", "20s").load().migrate().migrationsExecuted)
                .isEqualTo(1);

        assertThat(isValid("orders_id")).isEqualTo("t");
        assertThat(isValid("items_id")).isEqualTo("t");
        assertThat(history()).isEqualTo("1 true");
        assertThat(said()).isEmpty();
    }

    @Test
    void neverSignalsFlywaysHistoryConnectionWhereThatHoldsASnapshotAllTheTime() throws SQLException {
        migrations.with("V1__index.sql", BUILD);
        isolation("set default_transaction_isolation = 'repeatable read'");
        try {
            assertThatThrownBy(() -> flyway(
                                    "pglock.prioritize", "terminate",
                                    "pglock.prioritizeAfter", "100ms",
                                    "pglock.statementTimeout", "3s",
                                    "pglock.retryDeadline", "0s")
                            .load()
                            .migrate())
                    .isInstanceOf(FlywayException.class)
                    .hasMessageContaining("57014");
        } finally {
            isolation("reset default_transaction_isolation");
        }

        assertThat(said())
                .anySatisfy(line -> assertThat(line)
                        .startsWith("WARN ")
                        .contains("blocked by pid ")
                        .contains("never signalled: it holds Flyway's history lock"))
                .anySatisfy(line -> assertThat(line)
                        .startsWith("ERROR ")
                        .contains(": never signalled, it holds Flyway's history lock")
                        .contains(FlywayInUse.tellsAboutStatements() ? "Left behind, invalid: public.orders_id" : ""))
                .noneSatisfy(line -> assertThat(line).contains("Terminated"))
                .noneSatisfy(line -> assertThat(line).contains("Cancelled"));
        assertThat(history()).isEqualTo("");
    }

    /** As in every JVM but one that plays both parts, see the module's settings for tests. */
    @Test
    @Proves(Capability.CONCURRENTLY)
    @EnabledOnOs(value = OS.LINUX, disabledReason = "only there a process can tell its own sockets")
    void saysAtOnceThatFlywaysOwnHistoryConnectionIsInTheWayAndWhatToDo() throws SQLException {
        PostgresServer.assumeSeesItsClients();
        migrations.with("V1__index.sql", BUILD);
        System.clearProperty("pglock.signalOwnJvm");
        isolation("set default_transaction_isolation = 'repeatable read'");
        try {
            assertThatThrownBy(() -> flyway(
                                    "pglock.prioritizeAfter", "1h",
                                    "pglock.statementTimeout", "3s",
                                    "pglock.retryDeadline", "0s")
                            .load()
                            .migrate())
                    .isInstanceOf(FlywayException.class);
        } finally {
            isolation("reset default_transaction_isolation");
            System.setProperty("pglock.signalOwnJvm", "true");
        }

        assertThat(said())
                .anySatisfy(line -> assertThat(line)
                        .startsWith("WARN ")
                        .contains("never signalled: it holds Flyway's history lock for this very run")
                        .contains("set flyway.postgresql.transactional.lock=false"));
    }

    private void isolation(String change) throws SQLException {
        try (Connection connection = dataSource.getConnection()) {
            execute(
                    connection,
                    "do $$ begin execute format('alter database %I " + change.replace("'", "''")
                            + "', current_database()); end $$");
        }
    }

    /** Which statements it has nobody is told, so it has to say itself that it may wait. */
    @MigrationPolicy("lockTimeout=none")
    public static final class V1__Build extends BaseJavaMigration {

        @Override
        public boolean canExecuteInTransaction() {
            return false;
        }

        @Override
        public void migrate(Context context) throws SQLException {
            execute(context.getConnection(), BUILD);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"none", "0s"})
    void inJavaOutlastsALongTransactionOnAnotherTable(String retryDeadline) {
        Session report = scenario.session("report");
        report.execute("begin isolation level repeatable read", "select * from items");

        FutureTask<Integer> migrating = inBackground(flyway(
                        "pglock.lockTimeout", "1ms",
                        "pglock.statementTimeout", "40s",
                        "pglock.retryDeadline", retryDeadline)
                .javaMigrations(new V1__Build()));
        scenario.await(
                "the build waits for the report",
                () -> migrating.isDone()
                        || value("select count(*) from pg_locks where not granted and locktype = 'virtualxid'" + " and "
                                        + report.pid() + " = any (pg_blocking_pids(pid))")
                                .equals("1"));
        report.commit();

        assertThat(await(migrating)).isEqualTo(1);
        assertThat(isValid("orders_id")).isEqualTo("t");
    }

    @Test
    void dropsWhatAFailedBuildLeftAndBuildsAgain() {
        FlywayInUse.assumeStatementEvents();
        migrations.with("V1__index.sql", BUILD);
        Session writer = scenario.session("writer");
        writer.begin();
        writer.execute("insert into orders values (1)");

        FutureTask<Integer> migrating = inBackground(flyway("pglock.concurrentLockTimeout", "1s"));
        awaitLog("Trying again when it is gone");
        assertThat(isValid("orders_id")).isEqualTo("f");
        writer.commit();

        assertThat(await(migrating)).isEqualTo(1);
        assertThat(isValid("orders_id")).isEqualTo("t");
        assertThat(said())
                .anySatisfy(line -> assertThat(line).contains("orders_id").contains("dropped"));
        assertThat(history()).isEqualTo("1 true");
    }

    @Test
    void namesWhatAFailedBuildLeft() {
        FlywayInUse.assumeStatementEvents();
        migrations.with("V1__index.sql", "create unique index concurrently orders_id on orders (id);");
        value("with twice as (insert into orders values (1), (1) returning id) select count(*) from twice");

        assertThatThrownBy(() -> flyway().load().migrate())
                .isInstanceOf(FlywayException.class)
                .hasMessageContaining("SQL State  : 23505")
                .hasMessageContaining("V1__index.sql")
                .hasMessageContaining("create unique index concurrently");

        assertThat(said()).singleElement().asString().contains("Left behind, invalid: public.orders_id");
    }

    /** That attempt is Flyway's own. Whoever only has an older snapshot lets what the first one left be dropped. */
    @Test
    void namesWhatTheLastAttemptLeft() {
        FlywayInUse.assumeStatementEvents();
        migrations.with("V1__index.sql", BUILD);
        Session report = scenario.session("report");
        report.execute("begin isolation level repeatable read", "select * from items");

        assertThatThrownBy(() -> flyway(
                                "pglock.concurrentLockTimeout", "1s",
                                "pglock.retryAttempts", "2",
                                "pglock.retryDelay", "1ms",
                                "pglock.retryMaxDelay", "1ms")
                        .load()
                        .migrate())
                .isInstanceOf(FlywayException.class)
                .hasMessageContaining("SQL State  : 55P03")
                .hasMessageContaining("Line       : 1");

        assertThat(said())
                .anySatisfy(
                        line -> assertThat(line).contains("the failed attempt left public.orders_id invalid; dropped"))
                .anySatisfy(line ->
                        assertThat(line).startsWith("ERROR ").contains("Left behind, invalid: public.orders_id"));
        assertThat(isValid("orders_id")).isEqualTo("f");
    }

    @Test
    void doesNotTakeAnInvalidIndexForASuccess() {
        FlywayInUse.assumeStatementEvents();
        migrations.with("V1__index.sql", "create unique index concurrently if not exists orders_id on orders (id);");
        value("with twice as (insert into orders values (1), (1) returning id) select count(*) from twice");
        assertThatThrownBy(() -> flyway().load().migrate()).isInstanceOf(FlywayException.class);
        value("with one as (delete from orders returning id) select count(*) from one");

        assertThatThrownBy(() -> flyway().load().migrate())
                .isInstanceOf(FlywayException.class)
                .hasMessageContaining("public.orders_id exists and is invalid")
                .hasMessageContaining("DROP INDEX CONCURRENTLY public.orders_id");

        assertThat(history()).isEqualTo("");
    }

    /** It holds a snapshot between two tries for the migration lock, and the build waits for that until it gives up. */
    @Test
    void namesASecondFlywayThatWaitsForTheMigrationLockAndNeverSignalsIt() {
        migrations
                .with("V1__index.sql", "select pg_advisory_lock(7), pg_advisory_unlock(7);\n" + BUILD)
                .with("V1__index.sql.conf", "executeInTransaction=false");
        Session gate = scenario.session("gate");
        gate.execute("select pg_advisory_lock(7)");
        FutureTask<Integer> first = inBackground(flyway(
                "pglock.prioritize", "terminate",
                "pglock.prioritizeAfter", "100ms",
                "pglock.protect", "gate",
                "pglock.lockTimeout", "1h"));
        scenario.await(
                "the first Flyway to wait at the gate",
                () -> value("select count(*) from pg_locks where not granted and locktype = 'advisory'")
                        .equals("1"));
        FutureTask<Integer> second = inBackground(flyway("lockRetryCount", "8"));
        scenario.await(
                "the second Flyway to wait for the migration lock",
                () -> !value("select count(*) from pg_stat_activity where state = 'idle in transaction' and query like"
                                + " 'SELECT pg_try_advisory_xact_lock%' and pid not in (select pid from pg_locks where"
                                + " locktype = 'advisory' and granted)")
                        .equals("0"));
        gate.execute("select pg_advisory_unlock(7)");

        assertThat(await(first)).isEqualTo(1);
        assertThatThrownBy(second::get).rootCause().hasMessageContaining("Number of retries exceeded");
        assertThat(said())
                .anySatisfy(line ->
                        assertThat(line).contains("never signalled: another Flyway that waits for the migration lock"))
                .noneSatisfy(line -> assertThat(line).contains("Terminated"));
        assertThat(isValid("orders_id")).isEqualTo("t");
    }
}
