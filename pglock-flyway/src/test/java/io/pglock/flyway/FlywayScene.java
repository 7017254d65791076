// SPDX-License-Identifier: Apache-2.0
package io.pglock.flyway;

import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import org.flywaydb.core.api.configuration.FluentConfiguration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** A table of orders and one of items, migrations in a folder, and a Flyway that tries again quickly. */
@PostgresTest
abstract class FlywayScene {

    /** On {@code orders} it is blocked by whoever reads that; by then it has changed {@code items} and has data to lose. */
    static final String SCRIPT = """
            alter table items add column note text;
            insert into items values (1, 'a');
            create function twice(n int) returns int language plpgsql as $$ begin return n * 2; end $$;
            alter table orders add column note text;
            insert into items values (2, 'b');
            """;

    /** Blocked by whoever reads {@code orders}. */
    static final String ALTER = "alter table orders add column note text;";

    final DataSource dataSource;
    final Scenario scenario;
    Migrations migrations = new Migrations(Path.of("."));

    FlywayScene(DataSource dataSource, Scenario scenario) {
        this.dataSource = dataSource;
        this.scenario = scenario;
    }

    @BeforeEach
    void begin(@TempDir Path folder) throws SQLException {
        migrations = new Migrations(folder);
        try (Connection connection = dataSource.getConnection()) {
            execute(connection, "drop table if exists flyway_schema_history, orders, items");
            execute(connection, "drop function if exists twice(int)");
            execute(connection, "drop sequence if exists runs");
            execute(connection, "create table orders (id int)");
            execute(connection, "create table items (id int)");
        }
    }

    /** Waits a second for a lock, watched from the beginning, and pauses for days, unless whoever is in the way is gone; these settings on top. */
    FluentConfiguration flyway(String... settings) {
        Map<String, String> all = new HashMap<>(Map.of(
                "flyway.pglock.lockTimeout", "1s",
                "flyway.pglock.monitorRequired", "true",
                "flyway.pglock.retryDeadline", "none",
                "flyway.pglock.retryDelay", "500h",
                "flyway.pglock.retryMaxDelay", "500h",
                "flyway.pglock.pollInterval", "20ms"));
        for (int i = 0; i < settings.length; i += 2) {
            all.put("flyway." + settings[i], settings[i + 1]);
        }
        return Migrations.configure(
                migrations.flyway(dataSource).baselineOnMigrate(true).baselineVersion("0"), all);
    }

    /** Gives up soon, and not at once, should it try again. */
    FluentConfiguration flywayOfThreeAttempts() {
        return flyway("pglock.retryAttempts", "3", "pglock.retryDelay", "1ms", "pglock.retryMaxDelay", "1ms");
    }

    /** Reads orders in a transaction that it keeps open. */
    Session reader(String name) {
        Session reader = scenario.session(name);
        reader.begin();
        reader.execute("select * from orders");
        return reader;
    }

    FutureTask<Integer> inBackground(FluentConfiguration flyway) {
        FutureTask<Integer> migrating = new FutureTask<>(() -> flyway.load().migrate().migrationsExecuted);
        new Thread(migrating, "flyway").start();
        return migrating;
    }

    static <T> T await(FutureTask<T> task) {
        try {
            return task.get(60, TimeUnit.SECONDS);
        } catch (Exception e) {
            throw new AssertionError("Flyway has not ended well within 60s", e);
        }
    }

    void awaitLog(String part) {
        scenario.await(
                "pglock to log \"" + part + "\"",
                () -> RecordedLog.ofPglock().stream().anyMatch(line -> line.contains(part)));
    }

    String value(String sql) {
        return scenario.session("observer").value(sql);
    }

    /** {@code version success, ...}, the baseline left out. */
    String history() {
        return value(
                "select string_agg(version || ' ' || success, ', ' order by installed_rank) from flyway_schema_history"
                        + " where version <> '0'");
    }

    static void execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    static List<String> said() {
        return RecordedLog.ofPglock();
    }
}
