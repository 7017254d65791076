// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase;

import io.pglock.testkit.Database;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import liquibase.Contexts;
import liquibase.LabelExpression;
import liquibase.Liquibase;
import liquibase.database.DatabaseFactory;
import liquibase.database.jvm.JdbcConnection;
import liquibase.resource.DirectoryResourceAccessor;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/**
 * Two tables, changelogs in a folder, and a Liquibase that runs them through a session named {@code liquibase}, without pglock's
 * guard: what the change types do, they do by themselves.
 */
@PostgresTest
abstract class ChangeScene {

    /** What a changeset waits for while the test looks at what it holds. */
    static final int GATE = 99;

    private static final String XML = """
            <?xml version="1.0" encoding="UTF-8"?>
            <databaseChangeLog xmlns="http://www.liquibase.org/xml/ns/dbchangelog"
                xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:pglock="http://pglock.io/xml/ns/pglock"
                xsi:schemaLocation="
                    http://www.liquibase.org/xml/ns/dbchangelog http://www.liquibase.org/xml/ns/dbchangelog/dbchangelog-latest.xsd
                    http://pglock.io/xml/ns/pglock http://pglock.io/xml/ns/pglock/pglock-latest.xsd">
            <changeSets>
            </databaseChangeLog>
            """;

    final Database database;
    final Scenario scenario;
    Path folder = Path.of(".");

    ChangeScene(Database database, Scenario scenario) {
        this.database = database;
        this.scenario = scenario;
    }

    @BeforeEach
    void begin(@TempDir Path folder) {
        this.folder = folder;
        scenario.session("setup")
                .execute(
                        "drop table if exists databasechangelog, databasechangeloglock, orders, noted",
                        "drop schema if exists billing cascade",
                        "create table orders (id int)",
                        "create schema billing",
                        "create table billing.invoices (id int)",
                        "create table noted (position serial, lock_timeout text default current_setting('lock_timeout'))");
        scenario.session("setup").close();
    }

    /** A changelog of this module's test resources. */
    String resource(String name) throws Exception {
        try (var stream = ChangeScene.class.getResourceAsStream("/changes/" + name)) {
            Files.write(folder.resolve(name), stream.readAllBytes());
        }
        return name;
    }

    String write(String name, String text) throws Exception {
        Files.writeString(folder.resolve(name), text);
        return name;
    }

    /** A changelog in XML with these changesets. */
    String xml(String changeSets) throws Exception {
        return write("changelog.xml", XML.replace("<changeSets>", changeSets));
    }

    /** A changelog in XML with one changeset with these changes. */
    String oneXml(String changes) throws Exception {
        return xml("<changeSet id='1' author='test'>" + changes + "</changeSet>");
    }

    /** A changelog in YAML with one changeset with this one change, written on one line. */
    String oneYaml(String change) throws Exception {
        return write("changelog.yaml", """
                databaseChangeLog:
                  - changeSet:
                      id: 1
                      author: test
                      changes:
                        - <change>
                """.replace("<change>", change));
    }

    /** A change that waits until the test lets it through. */
    static String gate() {
        return "<sql>select pg_advisory_xact_lock(" + GATE + ")</sql>";
    }

    /** A change that notes which {@code lock_timeout} is in force. */
    static String note() {
        return "<sql>insert into noted default values</sql>";
    }

    interface Work<T> {
        T on(Liquibase liquibase) throws Exception;
    }

    <T> T liquibase(String changelog, Work<T> work) throws Exception {
        try (Connection connection = database.connect("liquibase")) {
            liquibase.database.Database liquibasesOwn =
                    DatabaseFactory.getInstance().findCorrectDatabaseImplementation(new JdbcConnection(connection));
            PgLockLiquibase.attach(liquibasesOwn, database.dataSource(), Map.of("enabled", "false"));
            return work.on(new Liquibase(changelog, new DirectoryResourceAccessor(folder), liquibasesOwn));
        }
    }

    Void update(String changelog) throws Exception {
        return liquibase(changelog, liquibase -> {
            liquibase.update(new Contexts(), new LabelExpression());
            return null;
        });
    }

    Void rollback(String changelog, int changeSets) throws Exception {
        return liquibase(changelog, liquibase -> {
            liquibase.rollback(changeSets, "");
            return null;
        });
    }

    /** What {@code update-sql} prints. */
    @SuppressWarnings("deprecation")
    String updateSql(String changelog) throws Exception {
        return liquibase(changelog, liquibase -> {
            StringWriter script = new StringWriter();
            liquibase.update(new Contexts(), new LabelExpression(), script);
            return script.toString();
        });
    }

    static <T> FutureTask<T> inBackground(Callable<T> work) {
        FutureTask<T> task = new FutureTask<>(work);
        new Thread(task, "liquibase").start();
        return task;
    }

    static <T> T await(FutureTask<T> task) throws Exception {
        return task.get(30, TimeUnit.SECONDS);
    }

    /** The failure of the background task, with everything that caused it. */
    static Throwable awaitFailure(FutureTask<?> task) throws Exception {
        try {
            throw new AssertionError("was expected to fail, and gave " + await(task));
        } catch (ExecutionException e) {
            return e.getCause();
        }
    }

    static String sqlState(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof SQLException sql && sql.getSQLState() != null) {
                return sql.getSQLState();
            }
        }
        return "none";
    }

    /** Runs it in the background with the gate closed, and gives what the changeset holds when it waits there. */
    String heldAtTheGate(String changelog) throws Exception {
        Session gate = scenario.session("gate");
        gate.execute("select pg_advisory_lock(" + GATE + ")");
        FutureTask<Void> updating = inBackground(() -> update(changelog));
        Session watcher = scenario.session("watcher");
        scenario.await(
                "the changeset to come to the gate",
                () -> !watcher.execute("select 1 from pg_locks where not granted and objid = " + GATE)
                                .isEmpty()
                        || updating.isDone());
        String held = held(watcher);
        gate.execute("select pg_advisory_unlock(" + GATE + ")");
        await(updating);
        return held;
    }

    /** {@code orders ShareLock, ...} and {@code classid/objid/objsubid ShareLock, ...} of the session named liquibase. */
    static String held(Session watcher) {
        return String.join(", ", watcher.execute("""
                select case l.locktype when 'relation' then l.relation::regclass::text
                                       else concat_ws('/', l.classid, l.objid, l.objsubid) end || ' ' || l.mode
                from pg_locks l join pg_stat_activity a on a.pid = l.pid
                where a.application_name = 'liquibase' and l.granted
                  and (l.locktype = 'advisory'
                       or l.locktype = 'relation' and l.relation::regclass::text ~ '^(orders|billing|"?Order|parts)')
                order by 1"""));
    }

    String noted() {
        return String.join(
                ", ", scenario.session("watcher").execute("select lock_timeout from noted order by position"));
    }

    static String messages(Throwable failure) {
        StringBuilder messages = new StringBuilder();
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            messages.append(cause.getMessage()).append('\n');
        }
        return messages.toString();
    }
}
