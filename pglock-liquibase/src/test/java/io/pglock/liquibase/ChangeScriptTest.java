// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pglock.LockKey;
import io.pglock.testkit.Database;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.nio.file.Files;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Locale;
import java.util.concurrent.FutureTask;
import liquibase.changelog.ChangeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What Liquibase prints, undoes and remembers of the change types. */
@Proves(Capability.CHANGES)
class ChangeScriptTest extends ChangeScene {

    ChangeScriptTest(Database database, Scenario scenario) {
        super(database, scenario);
    }

    @ParameterizedTest
    @ValueSource(strings = {"lock.xml", "lock.yaml", "lock.json"})
    void printsWhatItWouldRun(String changelog) throws Exception {
        String script = updateSql(resource(changelog));

        String expected = Files.readString(folder.resolve(resource("lock.sql"))).replaceAll("(?m)^--.*\n", "");
        for (String change : expected.split("\n\n", -1)) {
            assertThat(script).contains(change.strip());
        }
        assertThat(script.toLowerCase(Locale.ROOT)).doesNotContainPattern("(?m)^(begin|commit)");
    }

    /** As {@code psql --single-transaction} runs it: text in, and a transaction around. */
    @Test
    void printsAScriptThatRunsAndLocksAndPutsTheTimeoutBack() throws Exception {
        String script = updateSql(oneXml("""
                <pglock:advisoryLock key="it's \\ $pglock$" lockTimeout="nowait"/>
                <pglock:advisoryLock id="7, 42" lockTimeout="4s"/>
                <pglock:lockTable tableName="orders" mode="SHARE" lockTimeout="5s"/>
                <pglock:lockTable lockTimeout="nowait">
                    <pglock:table schemaName="billing" tableName="invoices"/>
                </pglock:lockTable>"""));

        try (Connection psql = database.connect("liquibase");
                Statement statement = psql.createStatement()) {
            psql.setAutoCommit(false);
            statement.execute("set local lock_timeout = '3s'");
            statement.execute(script);

            LockKey key = LockKey.named("it's \\ $pglock$");
            assertThat(held(scenario.session("watcher")))
                    .contains("7/42/2 ExclusiveLock", key.classId() + "/" + key.objId() + "/1 ExclusiveLock")
                    .endsWith("billing.invoices AccessExclusiveLock, orders ShareLock");
            assertThat(value(statement, "show lock_timeout")).isEqualTo("3s");
            psql.commit();
        }
        assertThat(scenario.session("watcher").value("select count(*) from databasechangelog"))
                .isEqualTo("1");
    }

    @Test
    void printsAScriptThatFailsOutsideATransactionAndLeavesNoTimeoutBehind() throws Exception {
        String script = updateSql(oneXml("<pglock:lockTable tableName='orders' lockTimeout='5s'/>"));
        int lock = script.indexOf("lock table public.orders in access exclusive mode;");
        String before = script.substring(script.indexOf("select set_config('pglock.before_lock_table'"), lock);

        try (Connection psql = database.connect();
                Statement statement = psql.createStatement()) {
            statement.execute(before);
            assertThatThrownBy(() -> statement.execute(script.substring(lock, script.indexOf(';', lock))))
                    .hasMessageContaining("transaction block");
            assertThat(value(statement, "show lock_timeout")).isEqualTo("0");
        }
    }

    private static String value(Statement statement, String query) throws SQLException {
        try (ResultSet rows = statement.executeQuery(query)) {
            rows.next();
            return rows.getString(1);
        }
    }

    /** With the changes around it, which Liquibase undoes by itself: the lock needs nothing. */
    @ParameterizedTest
    @ValueSource(strings = {"lock.xml", "lock.yaml", "lock.json"})
    void isRolledBackByDoingNothing(String changelog) throws Exception {
        String resource = resource(changelog);
        update(resource);
        assertThat(columnsOfOrders()).isEqualTo("id,invoice");

        rollback(resource, 1);

        assertThat(columnsOfOrders()).isEqualTo("id");
        assertThat(scenario.session("watcher").value("select count(*) from databasechangelog"))
                .isEqualTo("0");
    }

    @Test
    void locksBeforeARollbackWhereTheRollbackSaysSo() throws Exception {
        String resource = resource("rollback.xml");
        update(resource);
        Session reader = scenario.session("reader");
        reader.begin();
        reader.execute("select * from orders");

        Session watcher = scenario.session("watcher");
        FutureTask<Void> rollingBack = inBackground(() -> rollback(resource, 1));
        scenario.await(
                "the rollback to wait for its lock",
                () -> watcher
                        .execute(
                                "select query from pg_stat_activity where application_name = 'liquibase' and wait_event_type = 'Lock'")
                        .stream()
                        .anyMatch(query -> query.contains("lock table public.orders")));
        assertThat(columnsOfOrders()).isEqualTo("id,note");
        reader.commit();
        await(rollingBack);

        assertThat(columnsOfOrders()).isEqualTo("id");
    }

    private String columnsOfOrders() {
        return scenario.session("watcher").value("""
                select string_agg(attname, ',' order by attnum) from pg_attribute
                where attrelid = 'orders'::regclass and attnum > 0 and not attisdropped""");
    }

    @Test
    void keepsItsChecksumWhenTheTimeoutComesLater() throws Exception {
        String before =
                "<pglock:advisoryLock id='42'/><pglock:lockTable mode='SHARE'><pglock:table tableName='orders'/>"
                        + "</pglock:lockTable>";
        update(oneXml(before));
        String sum = checksum();

        update(oneXml(
                before.replace("id='42'", "id='42' lockTimeout='5s'").replace("mode=", "lockTimeout='nowait' mode=")));

        assertThat(checksum()).isEqualTo(sum);
    }

    /** The same on every Liquibase and in every format, or an upgrade would find all changelogs changed. */
    @ParameterizedTest
    @ValueSource(strings = {"lock.xml", "lock.yaml", "lock.json"})
    void hasTheSameChecksumEverywhere(String changelog) throws Exception {
        update(resource(changelog));

        assertThat(checksum()).isEqualTo("9:650cd63166de83431ebb9c9d57eab026");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "<pglock:lockTable tableName='orders'/> | <pglock:lockTable tableName='items'/>",
                "<pglock:lockTable tableName='orders'/> | <pglock:lockTable tableName='orders' schemaName='public'/>",
                "<pglock:lockTable tableName='orders'/> | <pglock:lockTable tableName='orders' mode='SHARE'/>",
                "<pglock:lockTable tableName='orders'/> | <pglock:lockTable tableName='orders' only='true'/>",
                "<pglock:lockTable><pglock:table tableName='a'/><pglock:table tableName='b'/></pglock:lockTable>"
                        + " | <pglock:lockTable><pglock:table tableName='b'/><pglock:table tableName='a'/></pglock:lockTable>",
                "<pglock:advisoryLock id='42'/> | <pglock:advisoryLock id='43'/>",
                "<pglock:advisoryLock id='42'/> | <pglock:advisoryLock id='42' shared='true'/>",
                "<pglock:advisoryLock key='a'/> | <pglock:advisoryLock key='b'/>"
            })
    void hasAnotherChecksumWhenItLocksSomethingElse(String one, String other) throws Exception {
        assertThat(checksumOf(one)).isNotEqualTo(checksumOf(other));
    }

    private String checksumOf(String change) throws Exception {
        return liquibase(oneXml(change), liquibase -> {
            ChangeSet changeSet =
                    liquibase.getDatabaseChangeLog().getChangeSets().get(0);
            return changeSet.getChanges().get(0).generateCheckSum().toString();
        });
    }

    private String checksum() {
        return scenario.session("watcher").value("select md5sum from databasechangelog");
    }
}
