// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase;

import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Running;
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
import liquibase.Contexts;
import liquibase.LabelExpression;
import liquibase.Liquibase;
import liquibase.Scope;
import liquibase.change.core.RawSQLChange;
import liquibase.changelog.ChangeSet;
import liquibase.changelog.DatabaseChangeLog;
import liquibase.database.Database;
import liquibase.database.DatabaseFactory;
import liquibase.database.jvm.JdbcConnection;
import liquibase.resource.DirectoryResourceAccessor;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** A table of orders and one of items, a changelog in a folder, and a Liquibase that tries again quickly. */
@PostgresTest
abstract class LiquibaseScene {

    /** What is done with a Liquibase. */
    @FunctionalInterface
    interface Work {
        void run(Liquibase liquibase) throws Exception;
    }

    private static final Work UPDATE = liquibase -> liquibase.update(new Contexts(), new LabelExpression());

    final DataSource dataSource;
    final Scenario scenario;
    final RecordedLog log = new RecordedLog();
    Changelog changelog = new Changelog(Path.of("."));
    String file = "changelog.xml";

    LiquibaseScene(DataSource dataSource, Scenario scenario) {
        this.dataSource = dataSource;
        this.scenario = scenario;
    }

    @BeforeEach
    void begin(@TempDir Path folder) throws SQLException {
        changelog = new Changelog(folder);
        try (Connection connection = dataSource.getConnection()) {
            execute(connection, "drop table if exists databasechangelog, databasechangeloglock, orders, items");
            execute(connection, "create table orders (id int)");
            execute(connection, "create table items (id int)");
        }
    }

    /** Waits a second for a lock, watched from the beginning, and pauses for days, unless whoever is in the way is gone; these settings on top. */
    static Map<String, String> settings(String... more) {
        Map<String, String> all = new HashMap<>(Map.of(
                "lockTimeout", "1s",
                "monitorRequired", "true",
                "retryDeadline", "none",
                "retryDelay", "500h",
                "retryMaxDelay", "500h",
                "pollInterval", "20ms"));
        for (int i = 0; i < more.length; i += 2) {
            all.put(more[i], more[i + 1]);
        }
        return all;
    }

    /** As {@link #settings}, but so many attempts, one right after the other. */
    static Map<String, String> attempts(int most) {
        return settings("retryAttempts", String.valueOf(most), "retryDelay", "1ms", "retryMaxDelay", "1ms");
    }

    /** The changelog, with a connection of its own, and the data source for pglock. */
    void liquibase(Map<String, String> settings, Work work) throws Exception {
        liquibase(dataSource, settings, work);
    }

    void liquibase(DataSource source, Map<String, String> settings, Work work) throws Exception {
        try (Connection connection = source.getConnection()) {
            Database database =
                    DatabaseFactory.getInstance().findCorrectDatabaseImplementation(new JdbcConnection(connection));
            PgLockLiquibase.attach(database, source, settings);
            Scope.child(Scope.Attr.logService.name(), log, () -> {
                work.run(new Liquibase(file, new DirectoryResourceAccessor(changelog.folder()), database));
            });
        }
    }

    void update(Map<String, String> settings) throws Exception {
        liquibase(settings, UPDATE);
    }

    FutureTask<Boolean> inBackground(Map<String, String> settings) {
        return inBackground(settings, UPDATE);
    }

    FutureTask<Boolean> inBackground(Map<String, String> settings, Work work) {
        FutureTask<Boolean> task = new FutureTask<>(() -> {
            liquibase(settings, work);
            return true;
        });
        new Thread(task, "liquibase").start();
        return task;
    }

    /** The changelog of a program: its changesets were not made by pglock's service. */
    FutureTask<Boolean> made(Map<String, String> settings, boolean inTransaction, String... changes) {
        DatabaseChangeLog made = new DatabaseChangeLog("made");
        ChangeSet changeSet = new ChangeSet("1", "bob", true, false, "made", null, null, inTransaction, made);
        for (String sql : changes) {
            changeSet.addChange(new RawSQLChange(sql));
        }
        made.addChangeSet(changeSet);
        return inBackground(
                settings,
                liquibase -> new Liquibase(
                                made, new DirectoryResourceAccessor(changelog.folder()), liquibase.getDatabase())
                        .update(""));
    }

    /** One that has waited behind Liquibase for orders, for far longer than {@code maxBlockedTime=100ms} lets it. */
    Running awaitVictim(FutureTask<Boolean> updating) {
        scenario.await(
                "the changeset waits for orders",
                () -> value("select count(*) from pg_locks where relation = 'orders'::regclass and not granted")
                        .equals("1"));
        Running victim = scenario.session("victim").start("select count(*) from orders");
        scenario.await(
                "the victim has waited for a second",
                () -> updating.isDone()
                        || value("select count(*) from pg_stat_activity where application_name = 'victim'"
                                        + " and wait_event_type = 'Lock'"
                                        + " and clock_timestamp() - query_start > interval '1s'")
                                .equals("1"));
        return victim;
    }

    static <T> T await(FutureTask<T> task) {
        try {
            return task.get(60, TimeUnit.SECONDS);
        } catch (Exception e) {
            throw new AssertionError("Liquibase has not ended well within 60s", e);
        }
    }

    /** Reads orders in a transaction that it keeps open. */
    Session reader(String name) {
        Session reader = scenario.session(name);
        reader.begin();
        reader.execute("select * from orders");
        return reader;
    }

    void awaitLog(String part) {
        scenario.await(
                "pglock to log \"" + part + "\"", () -> log.ofPglock().stream().anyMatch(line -> line.contains(part)));
    }

    String value(String sql) {
        return scenario.session("observer").value(sql);
    }

    /** {@code id EXECUTED, ...} */
    String history() {
        return value("select string_agg(id || ' ' || exectype, ', ' order by orderexecuted) from databasechangelog");
    }

    static void execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    List<String> said() {
        return log.ofPglock();
    }
}
