// SPDX-License-Identifier: Apache-2.0
package io.pglock.flyway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.pglock.testkit.Database;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Role;
import io.pglock.testkit.Running;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.flywaydb.core.api.configuration.FluentConfiguration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@PostgresTest
@Proves(Capability.PRIORITIZE)
class BlockedMigrationTest {

    private final DataSource dataSource;
    private Migrations migrations = new Migrations(Path.of("."));

    BlockedMigrationTest(DataSource dataSource) {
        this.dataSource = dataSource;
    }

    @BeforeEach
    void begin(@TempDir Path folder) throws SQLException {
        migrations = new Migrations(folder).with("V1__add_note.sql", "alter table orders add column note text;");
        try (Connection connection = dataSource.getConnection()) {
            execute(connection, "drop table if exists flyway_schema_history, orders");
            execute(connection, "create table orders (id int)");
        }
    }

    /** Signals after 100 ms, and tries once; these settings on top. */
    private FluentConfiguration flyway(DataSource source, String... settings) {
        Map<String, String> all = new HashMap<>(Map.of(
                "flyway.pglock.lockTimeout", "9s",
                "flyway.pglock.retryDeadline", "0s",
                "flyway.pglock.prioritizeAfter", "100ms",
                "flyway.pglock.prioritizeGrace", "200ms",
                "flyway.pglock.pollInterval", "20ms"));
        for (int i = 0; i < settings.length; i += 2) {
            all.put("flyway." + settings[i], settings[i + 1]);
        }
        return Migrations.configure(
                migrations.flyway(source).baselineOnMigrate(true).baselineVersion("0"), all);
    }

    private static Session idleInTransaction(Scenario scenario) {
        Session web = scenario.session("web");
        web.begin();
        web.execute("select * from orders");
        return web;
    }

    private static FutureTask<Integer> inBackground(FluentConfiguration flyway) {
        FutureTask<Integer> migrating = new FutureTask<>(() -> flyway.load().migrate().migrationsExecuted);
        new Thread(migrating, "flyway").start();
        return migrating;
    }

    private static <T> T await(FutureTask<T> task) {
        try {
            return task.get(30, TimeUnit.SECONDS);
        } catch (Exception e) {
            throw new AssertionError("Flyway has not ended well within 30s", e);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void getsThroughASessionThatIsIdleInATransaction(boolean transactional, Scenario scenario) {
        Session web = idleInTransaction(scenario);
        if (!transactional) {
            migrations.withNonTransactional("V1__add_note.sql", "alter table orders add column note text;");
        }

        assertThat(flyway(dataSource, "pglock.prioritize", "terminate").load().migrate().migrationsExecuted)
                .isEqualTo(1);

        scenario.awaitGone(web.pid());
        assertThat(RecordedLog.ofPglock())
                .anySatisfy(line -> assertThat(line)
                        .startsWith("WARN pglock: V1__add_note.sql: ")
                        .contains("blocked by pid " + web.pid() + " (web, idle in transaction for ")
                        .contains("\"select * from orders\""))
                .anySatisfy(line -> assertThat(line).contains("Terminated pid " + web.pid()));
    }

    @Test
    void getsThroughARunningStatementByCancellingIt(Scenario scenario) {
        Session report = scenario.session("report");
        Running reading = report.start("select pg_sleep(60) from (select count(*) from orders) as counted");
        scenario.await(
                "the report holds its lock",
                () -> scenario.session("observer")
                        .value("select count(*) from pg_locks where relation = 'orders'::regclass and granted")
                        .equals("1"));

        assertThat(flyway(dataSource, "pglock.prioritize", "cancel").load().migrate().migrationsExecuted)
                .isEqualTo(1);

        assertThat(reading.awaitFailure().getSQLState()).isEqualTo("57014");
        assertThat(RecordedLog.ofPglock())
                .anySatisfy(line -> assertThat(line).contains("Cancelled the statement of pid " + report.pid()));
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void namesWhoIsInTheWayWhenTheMigrationFails(boolean transactional, Scenario scenario) {
        FlywayInUse.assumeLockTimeoutOutsideTransactions(transactional);
        Session web = idleInTransaction(scenario);
        if (!transactional) {
            migrations.withNonTransactional("V1__add_note.sql", "alter table orders add column note text;");
        }

        assertThatThrownBy(() -> flyway(dataSource, "pglock.lockTimeout", "1500ms")
                        .load()
                        .migrate())
                .isInstanceOf(FlywayException.class)
                .hasMessageContaining("55P03");

        assertThat(RecordedLog.ofPglock())
                .filteredOn(line -> line.startsWith("ERROR "))
                .singleElement()
                .asString()
                .startsWith("ERROR pglock: V1__add_note.sql: was blocked by pid " + web.pid()
                        + " (web, idle in transaction for ")
                .endsWith(
                        " Nothing was done to it (prioritize=report): end it, or run with prioritize=cancel or terminate.");
    }

    @Test
    @Proves(Capability.CONCURRENTLY)
    void terminatesWhoeverHoldsUpAnIndexBuildOutsideATransaction(Scenario scenario) {
        FlywayInUse.assumeStatementEvents();
        Session web = scenario.session("web");
        web.begin();
        web.execute("insert into orders values (1)");
        migrations.with("V1__add_note.sql", "create index concurrently orders_id on orders (id);");

        assertThat(flyway(
                                dataSource,
                                "pglock.prioritize",
                                "terminate",
                                "pglock.lockTimeout",
                                "1ms",
                                "postgresql.transactional.lock",
                                "false")
                        .load()
                        .migrate()
                        .migrationsExecuted)
                .isEqualTo(1);

        scenario.awaitGone(web.pid());
        assertThat(scenario.session("observer")
                        .value("select indisvalid from pg_index where indexrelid = 'orders_id'::regclass"))
                .isEqualTo("t");
    }

    @Test
    void onlyWarnsWhenThePoolHasNoConnectionLeft(Scenario scenario) {
        HikariConfig config = new HikariConfig();
        config.setDataSource(dataSource);
        config.setMaximumPoolSize(2);
        config.setConnectionTimeout(250);
        Session web = idleInTransaction(scenario);
        try (HikariDataSource pool = new HikariDataSource(config)) {
            FutureTask<Integer> migrating = inBackground(flyway(pool, "pglock.prioritize", "terminate"));
            scenario.await(
                    "the warning is in the log",
                    () -> RecordedLog.ofPglock().stream()
                            .anyMatch(line -> line.startsWith("WARN pglock: V1__add_note.sql: ")
                                    && line.contains("no side connection")));
            scenario.awaitState(web, "idle in transaction");
            web.commit();

            assertThat(await(migrating)).isEqualTo(1);
        }
        assertThat(RecordedLog.ofPglock()).hasSize(1);
    }

    @Test
    void doesNotWatchThroughTheConnectionThatItWatches() throws SQLException {
        migrations.with("V1__add_note.sql", "select pg_sleep(2); alter table orders add column note text;");
        try (Connection only = dataSource.getConnection()) {
            Connection unclosable = proxy(
                    Connection.class,
                    (proxy, method, arguments) ->
                            method.getName().equals("close") ? null : invoke(only, method, arguments));
            DataSource shared = proxy(
                    DataSource.class,
                    (proxy, method, arguments) -> method.getName().equals("getConnection")
                            ? unclosable
                            : invoke(dataSource, method, arguments));

            assertThat(flyway(shared, "pglock.prioritize", "terminate").load().migrate().migrationsExecuted)
                    .isEqualTo(1);
            assertThat(only.isClosed()).isFalse();
        }
        assertThat(RecordedLog.ofPglock())
                .singleElement()
                .asString()
                .startsWith("WARN pglock: V1__add_note.sql: ")
                .contains("a session that is in use");
    }

    private static <T> T proxy(Class<T> type, InvocationHandler handler) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, handler));
    }

    private static Object invoke(Object target, Method method, Object[] arguments) throws Throwable {
        try {
            return method.invoke(target, arguments);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }

    @Test
    void goesOnWhenTheWatchsConnectionIsKilled(Scenario scenario) {
        Session web = idleInTransaction(scenario);
        Session observer = scenario.session("observer");
        String watches = " from pg_stat_activity where application_name = 'pglock' and datname = current_database()";

        FutureTask<Integer> migrating = inBackground(flyway(dataSource, "pglock.prioritize", "report"));
        scenario.await(
                "the watch has named the blocker", () -> !RecordedLog.ofPglock().isEmpty());
        assertThat(observer.value("select count(pg_terminate_backend(pid))" + watches))
                .isEqualTo("1");
        scenario.await(
                "the warning is in the log",
                () -> RecordedLog.ofPglock().stream().anyMatch(line -> line.contains("trying again")));
        web.commit();

        assertThat(await(migrating)).isEqualTo(1);
    }

    @Test
    void saysWhatRightIsMissingAndGoesOn(Scenario scenario, Database database) throws SQLException {
        Role owner = scenario.role("owner", "all on schema public", "create on database " + database.name());
        Role other = scenario.role("other", "select on orders");
        try (Connection setUp = dataSource.getConnection()) {
            execute(setUp, "alter table orders owner to " + owner.name());
        }
        try (Connection web = scenario.connectAs(other)) {
            web.setAutoCommit(false);
            execute(web, "select * from orders");
            FluentConfiguration flyway = flyway(dataSource, "pglock.prioritize", "terminate")
                    .dataSource(database.url(), owner.name(), owner.password());

            FutureTask<Integer> migrating = inBackground(flyway);
            scenario.await(
                    "the grant is named in the log",
                    () -> RecordedLog.ofPglock().stream()
                            .anyMatch(line -> line.contains("not cancelled")
                                    && line.contains("pg_signal_backend TO " + owner.name())));
            web.rollback();
            assertThat(await(migrating)).isEqualTo(1);
        }
        try (Connection connection = dataSource.getConnection()) {
            execute(connection, "drop table flyway_schema_history, orders");
        }
    }

    @Test
    void refusesTheFirstMigrationWithoutASideConnectionThatIsRequired(Scenario scenario) {
        assertThatThrownBy(() -> flyway(
                                dataSource,
                                "pglock.monitorRequired",
                                "true",
                                "pglock.monitorUrl",
                                "jdbc:postgresql://127.0.0.1:1/none")
                        .load()
                        .migrate())
                .hasMessageContaining(
                        "V1__add_note.sql: not begun, because monitorRequired=true and nobody can watch: ");

        assertThat(scenario.session("observer").value("select count(*) from flyway_schema_history where version = '1'"))
                .isEqualTo("0");
    }

    @Test
    @Proves(Capability.TYPED)
    void worksAsTheExampleInTheManual(Scenario scenario, Database database) {
        FlywayInUse.assumeAtLeast("11.14", "before 11.14 Flyway's configuration has no getConfigurationExtension");
        Session web = idleInTransaction(scenario);
        String url = database.url();
        String user = database.user();
        String password = database.password();
        Path folder = migrations.folder();
        RecordedLog.clear();
        // docs: flyway-java
        FluentConfiguration configuration = Flyway.configure()
                .dataSource(url, user, password)
                .locations("filesystem:" + folder)
                .baselineOnMigrate(true)
                .baselineVersion("0")
                .loggers(RecordedLog.class.getName());
        PgLockConfiguration pglock = configuration.getConfigurationExtension(PgLockConfiguration.class);
        pglock.setPrioritize("terminate");
        pglock.setLockTimeout("5s");
        configuration.load().migrate();
        // end

        scenario.awaitGone(web.pid());
        assertThat(RecordedLog.ofPglock())
                .anySatisfy(line -> assertThat(line).contains("Terminated pid " + web.pid() + " "));
    }

    private static void execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}
