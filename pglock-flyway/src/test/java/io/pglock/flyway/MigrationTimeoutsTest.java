// SPDX-License-Identifier: Apache-2.0
package io.pglock.flyway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import org.flywaydb.core.api.FlywayException;
import org.flywaydb.core.api.configuration.FluentConfiguration;
import org.flywaydb.core.api.migration.BaseJavaMigration;
import org.flywaydb.core.api.migration.Context;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@PostgresTest
@Proves(Capability.TIMEOUTS)
class MigrationTimeoutsTest {

    private static final String TAKE_NOTE = "insert into noted select '%s', current_setting('lock_timeout'),"
            + " current_setting('statement_timeout');";

    private final DataSource dataSource;
    private Migrations migrations = new Migrations(Path.of("."));

    MigrationTimeoutsTest(DataSource dataSource) {
        this.dataSource = dataSource;
    }

    @BeforeEach
    void begin(@TempDir Path folder) throws SQLException {
        migrations = new Migrations(folder);
        try (Connection connection = dataSource.getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute("drop table if exists flyway_schema_history, noted");
            statement.execute("create table noted (migration text, lock_timeout text, statement_timeout text)");
        }
    }

    private List<String> noted() throws SQLException {
        List<String> rows = new ArrayList<>();
        try (Connection connection = dataSource.getConnection();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(
                        "select concat_ws(' ', migration, lock_timeout, statement_timeout) from noted order by migration")) {
            while (row.next()) {
                rows.add(row.getString(1));
            }
        }
        return rows;
    }

    private FluentConfiguration flyway() {
        return migrations.flyway(dataSource).baselineOnMigrate(true).baselineVersion("0");
    }

    private FluentConfiguration flyway(Map<String, String> settings) {
        return Migrations.configure(flyway(), settings);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void areInForceInEveryMigrationTransactionalOrNot(boolean transactionalLock) throws SQLException {
        migrations
                .with("V1__in_a_transaction.sql", TAKE_NOTE.formatted("V1"))
                .withNonTransactional("V2__outside.sql", TAKE_NOTE.formatted("V2"))
                .with("V3__in_a_transaction.sql", TAKE_NOTE.formatted("V3"))
                .with("R__again.sql", TAKE_NOTE.formatted("R"));

        flyway(Map.of(
                        "flyway.pglock.lockTimeout", "3s",
                        "flyway.pglock.statementTimeout", "4m",
                        "flyway.postgresql.transactional.lock", String.valueOf(transactionalLock)))
                .load()
                .migrate();

        assertThat(noted())
                .containsExactly(
                        "R 3s 4min",
                        "V1 3s 4min",
                        "V2 " + FlywayInUse.lockTimeoutOutsideTransactions("3s") + " 4min",
                        "V3 3s 4min");
    }

    /** PostgreSQL takes that before the first query of one only. */
    @ParameterizedTest
    @ValueSource(strings = {"set transaction isolation level serializable", "begin isolation level serializable"})
    void leaveAScriptThatSaysWhatKindOfTransactionItsNextOneIs(String sql) throws SQLException {
        FlywayInUse.assumeStatementEvents();
        migrations.with(
                "V1__serializable.sql",
                "select 1;\ncommit;\n" + sql + ";\n"
                        + TAKE_NOTE.replace("'%s'", "current_setting('transaction_isolation')"));

        flyway().load().migrate();

        assertThat(noted()).containsExactly("serializable 2s 0");
    }

    @Test
    void areInForceInAGroup() throws SQLException {
        migrations.with("V1__a.sql", TAKE_NOTE.formatted("V1")).with("V2__b.sql", TAKE_NOTE.formatted("V2"));

        flyway().group(true).load().migrate();

        assertThat(noted()).containsExactly("V1 2s 0", "V2 2s 0");
    }

    @Test
    void giveWayToWhatAMigrationSetsItself() throws SQLException {
        migrations
                .with("V1__local.sql", "set local lock_timeout = '11s';" + TAKE_NOTE.formatted("V1"))
                .withNonTransactional("V2__session.sql", "set lock_timeout = '12s';" + TAKE_NOTE.formatted("V2"))
                .with("V3__next.sql", TAKE_NOTE.formatted("V3"));

        flyway().load().migrate();

        assertThat(noted()).containsExactly("V1 11s 0", "V2 12s 0", "V3 2s 0");
    }

    @Test
    @Proves(Capability.COMMENT)
    void giveWayToACommentAboveAMigration() throws SQLException {
        FlywayInUse.assumeStatementEvents();
        migrations
                .with("V1__a.sql", "-- pglock: lockTimeout=7s\n" + TAKE_NOTE.formatted("V1"))
                .withNonTransactional("V2__b.sql", "-- pglock: statementTimeout=8m\n" + TAKE_NOTE.formatted("V2"));

        flyway().load().migrate();

        assertThat(noted()).containsExactly("V1 7s 0", "V2 2s 8min");
    }

    /** A migration in Java with settings of its own. */
    @MigrationPolicy("lockTimeout=6s")
    public static final class V7__Notes extends BaseJavaMigration {
        @Override
        public void migrate(Context context) throws SQLException {
            try (Statement statement = context.getConnection().createStatement()) {
                statement.execute(TAKE_NOTE.formatted("V7"));
            }
        }
    }

    @Test
    @Proves(Capability.ANNOTATION)
    void giveWayToTheAnnotationOfAJavaMigration() throws SQLException {
        flyway().javaMigrations(new V7__Notes()).load().migrate();

        assertThat(noted()).containsExactly("V7 6s 0");
    }

    @Test
    void leaveNothingBehindInAPool() throws SQLException {
        HikariConfig config = new HikariConfig();
        config.setDataSource(dataSource);
        config.setMaximumPoolSize(3);
        migrations
                .withNonTransactional("V1__outside.sql", TAKE_NOTE.formatted("V1"))
                .with("V2__inside.sql", TAKE_NOTE.formatted("V2"))
                .withNonTransactional("V3__fails.sql", TAKE_NOTE.formatted("V3") + "\nselect 1/0;");
        try (HikariDataSource pool = new HikariDataSource(config)) {
            assertThatThrownBy(() -> flyway(Map.of("flyway.pglock.statementTimeout", "4m"))
                            .dataSource(pool)
                            .load()
                            .migrate())
                    .isInstanceOf(FlywayException.class)
                    .hasMessageContaining("division by zero");

            List<Connection> all = List.of(pool.getConnection(), pool.getConnection(), pool.getConnection());
            for (Connection connection : all) {
                try (connection;
                        Statement statement = connection.createStatement();
                        ResultSet row = statement.executeQuery(
                                "select current_setting('lock_timeout'), current_setting('statement_timeout')")) {
                    row.next();
                    assertThat(row.getString(1)).isEqualTo("0");
                    assertThat(row.getString(2)).isEqualTo("0");
                }
            }
        }
        String outside = FlywayInUse.lockTimeoutOutsideTransactions("2s");
        assertThat(noted()).containsExactly("V1 " + outside + " 4min", "V2 2s 4min", "V3 " + outside + " 4min");
    }

    @Test
    void endAWaitWithFlywaysOwnErrorAndACleanHistory(Scenario scenario) throws SQLException {
        Session web = scenario.session("web");
        web.begin();
        web.execute("select * from noted");
        migrations.with("V1__blocked.sql", "alter table noted add column more text;");

        FluentConfiguration flyway = flyway(Map.of(
                "flyway.pglock.lockTimeout",
                "100ms",
                "flyway.pglock.retryDeadline",
                "0s",
                "flyway.pglock.prioritize",
                "off"));
        assertThatThrownBy(() -> flyway.load().migrate())
                .isInstanceOf(FlywayException.class)
                .hasMessageContaining("55P03");

        web.commit();
        assertThat(flyway.load().migrate().migrationsExecuted).isEqualTo(1);
    }

    @Test
    @Proves(Capability.CONCURRENTLY)
    void letABuildOfAnIndexConcurrentlyWait(Scenario scenario) {
        FlywayInUse.assumeStatementEvents();
        Session observer = scenario.session("observer");
        observer.execute("create table big (id int)");
        Session writer = scenario.session("writer");
        writer.begin();
        writer.execute("insert into big values (1)");
        migrations.with("V1__index.sql", "create index concurrently big_id on big (id);");
        FluentConfiguration flyway = flyway(Map.of(
                "flyway.pglock.lockTimeout", "1ms",
                "flyway.pglock.retryDeadline", "0s",
                "flyway.pglock.prioritize", "off",
                "flyway.postgresql.transactional.lock", "false"));

        FutureTask<Integer> migrating = new FutureTask<>(() -> flyway.load().migrate().migrationsExecuted);
        Thread thread = new Thread(migrating, "flyway");
        thread.start();
        scenario.await(
                "the index build waits for the writer, longer than lockTimeout",
                () -> observer.value("select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
                                + " and query ilike 'create index concurrently%'")
                        .equals("1"));
        writer.commit();

        assertThat(await(migrating)).isEqualTo(1);
        assertThat(writer.value("select indisvalid from pg_index where indexrelid = 'big_id'::regclass"))
                .isEqualTo("t");
    }

    private static <T> T await(FutureTask<T> task) {
        try {
            return task.get(30, TimeUnit.SECONDS);
        } catch (Exception e) {
            throw new AssertionError("Flyway has not ended well within 30s", e);
        }
    }

    @Test
    void areNotInForceWhenNotEnabled() throws SQLException {
        migrations.with("V1__a.sql", TAKE_NOTE.formatted("V1"));

        flyway(Map.of("flyway.pglock.enabled", "false")).load().migrate();

        assertThat(noted()).containsExactly("V1 0 0");
    }

    @Test
    void areThereForTwoFlywaysThatShareOneCallbackAtTheSameTime(Scenario scenario) throws SQLException {
        PgLockCallback shared = new PgLockCallback();
        migrations.with("V1__a.sql", TAKE_NOTE.formatted("V1") + "select pg_advisory_lock_shared(42);");
        Session gate = scenario.session("gate");
        gate.execute("select pg_advisory_lock(42)");
        List<FutureTask<Integer>> both = new ArrayList<>();
        for (String table : List.of("history_a", "history_b")) {
            FluentConfiguration flyway = flyway(
                            Map.of("flyway.pglock.lockTimeout", "1m", "flyway.pglock.prioritize", "off"))
                    .callbacks(shared)
                    .table(table);
            FutureTask<Integer> migrating = new FutureTask<>(() -> flyway.load().migrate().migrationsExecuted);
            both.add(migrating);
            new Thread(migrating, "flyway-" + table).start();
        }
        scenario.await(
                "both migrations are in the midst of it",
                () -> gate.value(
                                "select count(*) from pg_locks where locktype = 'advisory' and objid = 42 and not granted")
                        .equals("2"));
        gate.execute("select pg_advisory_unlock(42)");

        both.forEach(migrating -> assertThat(await(migrating)).isEqualTo(1));
        assertThat(noted()).containsExactly("V1 1min 0", "V1 1min 0");
    }
}
