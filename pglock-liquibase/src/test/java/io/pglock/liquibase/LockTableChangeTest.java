// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.LockKey;
import io.pglock.testkit.Database;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.util.List;
import java.util.concurrent.FutureTask;
import liquibase.changelog.ChangeSet;
import liquibase.changelog.DatabaseChangeLog;
import liquibase.statement.SqlStatement;
import liquibase.statement.core.RawParameterizedSqlStatement;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Proves(Capability.CHANGES)
class LockTableChangeTest extends ChangeScene {

    LockTableChangeTest(Database database, Scenario scenario) {
        super(database, scenario);
    }

    /** The column needs more than the lock that it has, which is what the test sees it wait for. */
    @ParameterizedTest
    @ValueSource(strings = {"lock.xml", "lock.yaml", "lock.json"})
    void locksItsTablesBeforeTheChangesThatFollow(String changelog) throws Exception {
        String resource = resource(changelog);
        Session reader = scenario.session("reader");
        reader.begin();
        reader.execute("select * from orders");

        FutureTask<Void> updating = inBackground(() -> update(resource));
        scenario.await(
                "the column to be waited for",
                () -> !reader.execute("select 1 from pg_locks where not granted and mode = 'AccessExclusiveLock'")
                        .isEmpty());
        String held = held(reader);
        reader.commit();
        await(updating);

        LockKey key = LockKey.named("nightly-report");
        assertThat(held)
                .isEqualTo(key.classId() + "/" + key.objId() + "/1 ExclusiveLock, "
                        + "billing.invoices ShareRowExclusiveLock, orders ShareRowExclusiveLock");
        assertThat(held(scenario.session("watcher"))).isEmpty();
        assertThat(scenario.session("watcher").execute("select invoice from orders"))
                .isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "mode='SHARE', ShareLock",
        "mode='access share', AccessShareLock",
        "mode='${mode}', RowShareLock",
        "'', AccessExclusiveLock"
    })
    void takesOneTableByItsAttributesInTheModeGiven(String mode, String expected) throws Exception {
        String changelog = xml("<property name='mode' value='ROW  SHARE'/><changeSet id='1' author='test'>"
                + "<pglock:lockTable tableName='orders' " + mode.replace("'", "\"") + "/>" + gate() + "</changeSet>");

        assertThat(heldAtTheGate(changelog)).isEqualTo("orders " + expected);
    }

    @ParameterizedTest
    @CsvSource({"true, parts ShareLock", "false, 'parts ShareLock, parts_1 ShareLock'"})
    void leavesPartitionsOutWhereItIsTold(boolean only, String expected) throws Exception {
        scenario.session("watcher")
                .execute(
                        "drop table if exists parts",
                        "create table parts (id int) partition by list (id)",
                        "create table parts_1 partition of parts for values in (1)");

        assertThat(heldAtTheGate(
                        oneXml("<pglock:lockTable tableName='parts' mode='SHARE' only='" + only + "'/>" + gate())))
                .isEqualTo(expected);
    }

    @Test
    void quotesNamesAsLiquibaseDoes() throws Exception {
        scenario.session("watcher")
                .execute("drop table if exists \"Order \"\"lines\"", "create table \"Order \"\"lines\" (id int)");
        String changelog = xml("<changeSet id='1' author='test' objectQuotingStrategy='QUOTE_ALL_OBJECTS'>"
                + "<pglock:lockTable tableName='Order &quot;lines' mode='SHARE'/>" + gate() + "</changeSet>");

        assertThat(heldAtTheGate(changelog)).isEqualTo("\"Order \"\"lines\" ShareLock");
    }

    @ParameterizedTest
    @ValueSource(strings = {"300ms", "nowait", "PT0.3S", "${wait}"})
    void failsAsALockTimeoutWhenItIsNotAcquiredInTime(String wait) throws Exception {
        Session writer = scenario.session("writer");
        writer.begin();
        writer.execute("insert into orders values (1)");
        String changelog = xml(
                "<property name='wait' value='NOWAIT'/><changeSet id='1' author='test'><createTable tableName='orders_2'><column name='a' type='int'/></createTable>"
                        + "<pglock:lockTable tableName='orders' mode='SHARE' lockTimeout='" + wait + "'/></changeSet>");

        Throwable failure = awaitFailure(inBackground(() -> update(changelog)));
        writer.commit();

        assertThat(sqlState(failure)).isEqualTo("55P03");
        assertThat(scenario.session("watcher").value("select to_regclass('orders_2') is null"))
                .isEqualTo("t");
        assertThat(scenario.session("watcher").value("select count(*) from databasechangelog"))
                .isEqualTo("0");
    }

    /** As a guard sets it before the changes, and as a changeset of its own accord. */
    @ParameterizedTest
    @ValueSource(strings = {"3s", "0", "1234567ms"})
    void putsTheLockTimeoutBackThatWasInForce(String before) throws Exception {
        update(oneXml("<sql>set local lock_timeout = '" + before + "'</sql>" + note()
                + "<pglock:lockTable tableName='orders' lockTimeout='1234ms'/>" + note()
                + "<pglock:lockTable lockTimeout='2s'><pglock:table schemaName='billing' tableName='invoices'/></pglock:lockTable>"
                + note()));

        assertThat(noted()).isEqualTo(String.join(", ", before, before, before));
    }

    @Test
    void waitsWithItsOwnTimeoutAndWithNoOther() throws Exception {
        Session gate = scenario.session("gate");
        gate.begin();
        gate.execute("lock table orders in exclusive mode");
        String changelog = oneXml("<sql>set local lock_timeout = '50ms'</sql>"
                + "<pglock:lockTable tableName='orders' lockTimeout='1h'/>");

        Session watcher = scenario.session("watcher");
        FutureTask<Void> updating = inBackground(() -> update(changelog));
        scenario.await(
                "the changeset to wait for longer than the lock_timeout before",
                () -> "t"
                        .equals(
                                watcher.value(
                                        "select count(*) > 0 from pg_stat_activity where application_name = 'liquibase'"
                                                + " and wait_event_type = 'Lock' and clock_timestamp() - query_start > interval '500ms'")));
        gate.commit();

        await(updating);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "lockTimeout='none'"})
    void waitsAsLongAsLockTimeoutSaysWhenItSaysNothing(String none) throws Exception {
        Session gate = scenario.session("gate");
        gate.begin();
        gate.execute("lock table orders in exclusive mode");

        Throwable failure = awaitFailure(inBackground(() -> update(oneXml(
                "<sql>set local lock_timeout = '50ms'</sql><pglock:lockTable tableName='orders' " + none + "/>"))));

        gate.commit();
        assertThat(sqlState(failure)).isEqualTo("55P03");
    }

    /** From code: what a program would put into a changelog that it makes itself. */
    @Test
    void canBeMadeInJava() throws Exception {
        LockTableChange change = new LockTableChange();
        change.setTables(
                List.of(new LockTableChange.Table("billing", "invoices"), new LockTableChange.Table(null, "orders")));
        change.setMode("SHARE");
        change.setOnly(true);
        change.setLockTimeout("nowait");

        String sql = liquibase("none.xml", liquibase -> {
            SqlStatement statement = change.generateStatements(liquibase.getDatabase())[0];
            assertThat(change.validate(liquibase.getDatabase()).hasErrors()).isFalse();
            return ((RawParameterizedSqlStatement) statement).getSql();
        });

        assertThat(sql).isEqualTo("lock table only billing.invoices, only public.orders in share mode nowait");
        assertThat(change.getConfirmationMessage())
                .isEqualTo("billing.invoices, orders locked in SHARE mode until the end of the transaction");
        assertThat(change.getDescription()).isEqualTo("lockTable billing.invoices, orders");
    }

    @Test
    void runsFromAChangelogThatWasMadeInJava() throws Exception {
        LockTableChange lock = new LockTableChange();
        lock.setTableName("orders");
        LockKey key = LockKey.of(7, 42);
        AdvisoryLockChange advisory = new AdvisoryLockChange();
        advisory.setId("7, 42");
        String description = liquibase("made.xml", liquibase -> {
            DatabaseChangeLog made = new DatabaseChangeLog("made.xml");
            ChangeSet changeSet = new ChangeSet("1", "test", false, false, "made.xml", null, null, made);
            changeSet.addChange(lock);
            changeSet.addChange(advisory);
            made.addChangeSet(changeSet);
            new liquibase.Liquibase(made, liquibase.getResourceAccessor(), liquibase.getDatabase()).update("");
            return changeSet.getDescription();
        });

        assertThat(description).isEqualTo("lockTable orders; advisoryLock " + key.first() + ", " + key.second());
        assertThat(scenario.session("watcher").value("select description from databasechangelog"))
                .isEqualTo(description);
    }
}
