// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase;

import io.pglock.LockKey;
import io.pglock.testkit.Database;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Scenario;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import liquibase.Scope;
import liquibase.command.CommandScope;
import liquibase.database.DatabaseFactory;
import liquibase.database.jvm.JdbcConnection;
import liquibase.lockservice.LockService;
import liquibase.lockservice.LockServiceFactory;
import liquibase.resource.DirectoryResourceAccessor;
import liquibase.ui.ConsoleUIService;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** A changelog in a folder, a database without any, and Liquibases that run it under some changelog lock. */
@PostgresTest
abstract class ChangelogLockScene {

    /** Is inside the changelog for as long as somebody holds {@code gate}. */
    static final String BEHIND_THE_GATE = "lock table gate in access share mode;";

    static final String ADVISORY_LOCKS = "select count(*) from pg_locks where locktype = 'advisory'"
            + " and database = (select oid from pg_database where datname = current_database())";

    /** How a row begins that is locked with {@code both}. */
    static final String MARK =
            "pglock " + LockKey.named("liquibase public.databasechangelog").number() + ": ";

    /** What waits at the gate is to wait there. */
    static final Map<String, String> UNGUARDED = Map.of(
            "liquibase.pglock.lockTimeout", "none",
            "liquibase.pglock.retryDeadline", "0s",
            "liquibase.pglock.prioritize", "off");

    final DataSource dataSource;
    final Scenario scenario;
    Path folder = Path.of(".");

    ChangelogLockScene(DataSource dataSource, Scenario scenario) {
        this.dataSource = dataSource;
        this.scenario = scenario;
    }

    @BeforeEach
    void begin(@TempDir Path folder) throws SQLException {
        this.folder = folder;
        try (Connection connection = dataSource.getConnection()) {
            execute(connection, "drop schema if exists other cascade");
            execute(connection, "drop schema public cascade");
            execute(connection, "create schema public");
            execute(connection, "create table gate (id int)");
            execute(connection, "create table inside (who text)");
        }
    }

    /** Each of these becomes a changeset; a run that has none yet makes Liquibase's tables. */
    void changelog(String... changesets) {
        StringBuilder text = new StringBuilder("--liquibase formatted sql\n");
        for (int i = 0; i < changesets.length; i++) {
            text.append("--changeset test:")
                    .append(i + 1)
                    .append('\n')
                    .append(changesets[i])
                    .append('\n');
        }
        write("changelog.sql", text.toString());
    }

    void write(String name, String text) {
        try {
            Files.writeString(folder.resolve(name), text);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /** Work on a Liquibase that has a connection of its own. */
    @FunctionalInterface
    interface Work<T> {
        T on(liquibase.database.Database database) throws Exception;
    }

    /** Whatever it is to do, by a Liquibase with these settings ({@code pglock.changelogLock}, {@code changelogLockPollRate}). */
    <T> T with(DataSource source, Map<String, String> settings, Work<T> work) throws Exception {
        try (Connection connection = source.getConnection()) {
            return with(connection, settings, work);
        }
    }

    <T> T with(Connection connection, Map<String, String> settings, Work<T> work) throws Exception {
        Map<String, Object> scope = new HashMap<>(UNGUARDED);
        settings.forEach((key, value) -> scope.put("liquibase." + key, value));
        scope.put(Scope.Attr.resourceAccessor.name(), new DirectoryResourceAccessor(folder));
        scope.put(Scope.Attr.ui.name(), new ConsoleUIService());
        return Scope.child(scope, () -> {
            liquibase.database.Database database =
                    DatabaseFactory.getInstance().findCorrectDatabaseImplementation(new JdbcConnection(connection));
            try {
                return work.on(database);
            } finally {
                if (!connection.isClosed() && !connection.getAutoCommit()) {
                    connection.rollback();
                }
            }
        });
    }

    static Map<String, String> lock(String mode) {
        return Map.of("pglock.changelogLock", mode);
    }

    static Map<String, String> lock(String mode, String key, String value) {
        return Map.of("pglock.changelogLock", mode, key, value);
    }

    static LockService lockOf(liquibase.database.Database database) {
        return LockServiceFactory.getInstance().getLockService(database);
    }

    boolean update(Map<String, String> settings) throws Exception {
        return with(dataSource, settings, this::update);
    }

    boolean update(liquibase.database.Database database) throws Exception {
        new CommandScope("update")
                .addArgumentValue("database", database)
                .addArgumentValue("changelogFile", "changelog.sql")
                .execute();
        return true;
    }

    /** {@code rollback-one-changeset} and so on are like these: they need no changelog. */
    static String output(String command, liquibase.database.Database database) throws Exception {
        ByteArrayOutputStream output = new ByteArrayOutputStream();
        new CommandScope(command)
                .addArgumentValue("database", database)
                .setOutput(output)
                .execute();
        return output.toString(StandardCharsets.UTF_8);
    }

    /** What is said there by the work. */
    static String console(Callable<?> work) throws Exception {
        PrintStream before = System.out;
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        System.setOut(new PrintStream(said, true, StandardCharsets.UTF_8));
        try {
            work.call();
        } finally {
            System.setOut(before);
        }
        return said.toString(StandardCharsets.UTF_8);
    }

    /** Named, because that is how a session of it is told apart. */
    FutureTask<Boolean> updating(String name, Map<String, String> settings) {
        return inBackground(name, () -> with(database().dataSource(name), settings, this::update));
    }

    static <T> FutureTask<T> inBackground(String name, Callable<T> work) {
        FutureTask<T> task = new FutureTask<>(work);
        Thread thread = new Thread(task, name);
        thread.setDaemon(true);
        thread.start();
        return task;
    }

    static <T> T await(FutureTask<T> task) throws Exception {
        return task.get(30, TimeUnit.SECONDS);
    }

    void awaitInside(String name) {
        scenario.await(
                name + " to be inside the changelog",
                () -> !value("select count(*) from pg_locks join pg_stat_activity using (pid) where not granted"
                                + " and relation = 'gate'::regclass and application_name = '" + name + "'")
                        .equals("0"));
    }

    /** Idle between two tries, and it has tried; where it waits for the row, it gives the advisory lock back meanwhile. */
    void awaitWaiting(String name) {
        scenario.await(
                name + " to try for the changelog lock, and to idle",
                () -> !value("select count(*) from pg_stat_activity where application_name = '" + name
                                + "' and state = 'idle' and query ~ 'pg_(try_advisory_|advisory_un)lock'")
                        .equals("0"));
    }

    Database database() {
        return scenario.database();
    }

    String value(String sql) {
        return scenario.session("observer").value(sql);
    }

    String applied() {
        return value("select coalesce(string_agg(id, ' ' order by orderexecuted), '') from databasechangelog");
    }

    static void execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}
