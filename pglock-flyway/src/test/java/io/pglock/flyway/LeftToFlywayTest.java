// SPDX-License-Identifier: Apache-2.0
package io.pglock.flyway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pglock.testkit.Running;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.FutureTask;
import javax.sql.DataSource;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.flywaydb.core.api.callback.BaseCallback;
import org.flywaydb.core.api.callback.Event;
import org.flywaydb.core.api.configuration.FluentConfiguration;
import org.flywaydb.core.api.migration.BaseJavaMigration;
import org.flywaydb.core.api.migration.Context;
import org.flywaydb.core.api.output.MigrateResult;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What could not be run again exactly is Flyway's from the beginning, and fails as it does there; the blocker is named. */
@Proves(Capability.LEFT_TO_FLYWAY)
class LeftToFlywayTest extends FlywayScene {

    private static final String ALTER = "alter table orders add column note text;";

    LeftToFlywayTest(DataSource dataSource, Scenario scenario) {
        super(dataSource, scenario);
    }

    private void assertFailsAtOnce(FluentConfiguration flyway, Session blocker) {
        assertThatThrownBy(() -> flyway.load().migrate())
                .isInstanceOf(FlywayException.class)
                .rootCause()
                .hasMessageContaining("canceling statement due to lock timeout");
        assertThat(said())
                .anySatisfy(line -> assertThat(line)
                        .startsWith("ERROR ")
                        .contains("was blocked by pid " + blocker.pid() + " (report, "))
                .noneSatisfy(line -> assertThat(line).contains("Trying again"));
    }

    @Test
    void copyFromTheScript() {
        migrations.with("V1__copy.sql", "copy items from stdin;\n1\n2\n\\.\n" + ALTER);
        Session report = reader("report");

        assertFailsAtOnce(flyway(), report);
        report.commit();
        flyway().load().migrate();

        assertThat(value("select count(*) from items")).isEqualTo("2");
    }

    @Test
    void batches() {
        FlywayInUse.assumeAtLeast("10.22", "batch is not in Flyway 10.0 for everyone");
        migrations.with("V1__batch.sql", ALTER + "\ninsert into items values (1);\ninsert into items values (2);");
        Session report = reader("report");

        assertFailsAtOnce(flyway("batch", "true"), report);
        report.commit();
        flyway("batch", "true").load().migrate();

        assertThat(value("select count(*) from items")).isEqualTo("2");
    }

    @Test
    void javaMigrations() {
        Session report = reader("report");

        assertFailsAtOnce(flyway().javaMigrations(new V1__Java(true)), report);
    }

    @Test
    void whatComesAfterTheLocksOfAnEarlierMigrationOfTheSameGroup() {
        migrations
                .with("V1__first.sql", "alter table items add column note text;")
                .with("V2__second.sql", ALTER);
        Session report = reader("report");

        assertThatThrownBy(() -> flyway("group", "true").load().migrate())
                .isInstanceOf(FlywayException.class)
                .rootCause()
                .hasMessageContaining("canceling statement due to lock timeout");

        assertThat(said())
                .satisfiesAnyOf(
                        lines -> assertThat(FlywayInUse.tellsAboutStatements())
                                .as("tried again at all")
                                .isFalse(),
                        lines -> assertThat(lines)
                                .anySatisfy(line -> assertThat(line)
                                        .contains(
                                                "V2__second.sql: not tried again: its transaction holds locks from before")
                                        .contains("AccessExclusiveLock on items")))
                .anySatisfy(line -> assertThat(line).startsWith("ERROR ").contains("blocked by pid " + report.pid()));
        assertThat(history()).isEqualTo("");
    }

    @Test
    void whatAnotherCallbackListensTo() {
        FlywayInUse.assumeStatementEvents();
        migrations.with("V1__script.sql", SCRIPT);
        List<String> heard = new CopyOnWriteArrayList<>();
        FluentConfiguration flyway = flyway().callbacks(new Listening(Event.AFTER_EACH_MIGRATE_STATEMENT, heard));
        Session report = reader("report");

        assertFailsAtOnce(flyway, report);
        report.commit();
        heard.clear();
        flyway.load().migrate();

        assertThat(heard).hasSize(5);
    }

    /** Hears of every statement. */
    public static final class Listening extends BaseCallback {

        private final Event event;
        private final List<String> heard;

        Listening(Event event, List<String> heard) {
            this.event = event;
            this.heard = heard;
        }

        @Override
        public boolean supports(Event event, org.flywaydb.core.api.callback.Context context) {
            return event == this.event;
        }

        @Override
        public void handle(Event event, org.flywaydb.core.api.callback.Context context) {
            heard.add(context.getStatement().getSql());
        }
    }

    /** What comes before is tried again all the same. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void whatAnotherCallbackForbids(boolean inATransaction) {
        FlywayInUse.assumeStatementEvents();
        String script = ALTER + "\ndrop table items;";
        if (inATransaction) {
            migrations.with("V1__script.sql", script);
        } else {
            migrations.withNonTransactional("V1__script.sql", script);
        }
        Session report = reader("report");

        FutureTask<Integer> migrating = inBackground(flyway().callbacks(new Forbidding()));
        awaitLog("Trying again when it is gone");
        report.commit();

        assertThatThrownBy(migrating::get).hasStackTraceContaining("nothing is dropped here");
        assertThat(value("select to_regclass('items')")).isEqualTo("items");
    }

    /** Comes after pglock. */
    public static final class Forbidding extends BaseCallback {

        @Override
        public String getCallbackName() {
            return "that comes after pglock";
        }

        @Override
        public boolean supports(Event event, org.flywaydb.core.api.callback.Context context) {
            return event == Event.BEFORE_EACH_MIGRATE_STATEMENT
                    && context.getStatement() != null
                    && context.getStatement().getSql().contains("drop table");
        }

        @Override
        public void handle(Event event, org.flywaydb.core.api.callback.Context context) {
            throw new FlywayException("nothing is dropped here");
        }
    }

    @Test
    void whatAnotherCallbackListensToIfItFails() {
        FlywayInUse.assumeStatementEvents();
        migrations.with("V1__script.sql", SCRIPT);
        List<String> heard = new CopyOnWriteArrayList<>();

        assertFailsAtOnce(
                flyway().callbacks(new Listening(Event.AFTER_EACH_MIGRATE_STATEMENT_ERROR, heard)), reader("report"));

        assertThat(heard).singleElement().asString().contains("alter table orders");
    }

    /** Outside a transaction each statement is undone by itself, so each is tried again by itself. */
    @Test
    void butNotSingleStatementsOutsideATransaction() {
        FlywayInUse.assumeStatementEvents();
        migrations.withNonTransactional(
                "V1__script.sql", "insert into items values (1);\n" + ALTER + "\ninsert into items values (2);");
        Session report = reader("report");

        FutureTask<Integer> migrating = inBackground(flyway());
        awaitLog("Trying again when it is gone");
        assertThat(value("select count(*) from items")).isEqualTo("1");
        report.commit();

        assertThat(await(migrating)).isEqualTo(1);
        assertThat(value("select count(*) from items")).isEqualTo("2");
        assertThat(history()).isEqualTo("1 true");
    }

    private static final String TRANSACTION_OF_ITS_OWN =
            "begin;\ninsert into items values (1);\n" + ALTER + "\ncommit;\n";

    @Test
    void aTransactionOfTheScriptsOwn() {
        FlywayInUse.assumeStatementEvents();
        migrations.withNonTransactional("V1__script.sql", TRANSACTION_OF_ITS_OWN);
        Session report = reader("report");

        assertThatThrownBy(() -> flyway().load().migrate())
                .isInstanceOf(FlywayException.class)
                .hasMessageContaining("SQL State  : 55P03")
                .hasMessageContaining("Line       : 3");

        assertThat(said())
                .singleElement()
                .asString()
                .startsWith("ERROR ")
                .contains("was blocked by pid " + report.pid() + " (report, ");
        assertThat(value("select count(*) from items")).isEqualTo("0");
    }

    @Test
    void aTransactionOfTheScriptsOwnWithAVictim() {
        FlywayInUse.assumeStatementEvents();
        migrations.withNonTransactional(
                "V1__script.sql", TRANSACTION_OF_ITS_OWN + "alter table orders add column more text;");
        Session report = reader("report");

        FutureTask<Integer> migrating = inBackground(flyway("pglock.lockTimeout", "1h", "pglock.maxBlockedTime", "0s"));
        scenario.awaitWaiting("orders", "AccessExclusiveLock");
        Running reading = scenario.session("web").start("select * from orders");
        scenario.awaitWaiting("orders", "AccessShareLock");
        scenario.awaitQueriesOfTheWatch(20);
        report.commit();

        assertThat(await(migrating)).isEqualTo(1);
        reading.await();
        assertThat(said()).noneSatisfy(line -> assertThat(line).contains("made way"));
        assertThat(value("select count(*) from items")).isEqualTo("1");
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    @Proves(Capability.WHOLE_RUN)
    void unlessTheWholeRunIsRepeated(boolean inATransaction) {
        Session report = reader("report");
        FluentConfiguration flyway = flyway("pglock.retryDelay", "10ms").javaMigrations(new V1__Java(inATransaction));
        FutureTask<Integer> migrating = new FutureTask<>(() -> repeated(flyway));
        new Thread(migrating, "flyway").start();
        if (!inATransaction) {
            assertThatThrownBy(migrating::get).rootCause().hasMessageContaining("lock timeout");
            return;
        }
        awaitLog("migrate: failed (lock timeout), and is repeated in ");
        report.commit();

        assertThat(await(migrating)).isEqualTo(1);
        assertThat(history()).isEqualTo("1 true");
    }

    /** Three runs at most, should it be repeated. */
    private void assertIsNotRepeated(FluentConfiguration flyway, Session blocker) {
        assertThatThrownBy(() -> PgLockFlyway.migrate(flyway.load()))
                .isInstanceOf(FlywayException.class)
                .rootCause()
                .hasMessageContaining("canceling statement due to lock timeout");
        assertThat(said())
                .anySatisfy(line -> assertThat(line).contains("was blocked by pid " + blocker.pid()))
                .noneSatisfy(line -> assertThat(line).contains("is repeated in "));
    }

    private FluentConfiguration threeRuns() {
        return flyway("pglock.retryAttempts", "3", "pglock.retryDelay", "1ms", "pglock.retryMaxDelay", "1ms");
    }

    @Test
    @Proves(Capability.WHOLE_RUN)
    void noRunIsRepeatedAfterAScriptThatHasCommitted() {
        migrations.with(
                "V1__half.sql", "insert into items values (1);\ncommit;\nset local lock_timeout = '1s';\n" + ALTER);

        assertIsNotRepeated(threeRuns(), reader("report"));

        assertThat(value("select count(*) from items")).isEqualTo("1");
    }

    @Test
    @Proves(Capability.WHOLE_RUN)
    void noRunIsRepeatedAfterAJavaMigrationThatHasCommitted() {
        assertIsNotRepeated(threeRuns().javaMigrations(new V1__Committing()), reader("report"));

        assertThat(value("select count(*) from items")).isEqualTo("1");
    }

    @Test
    @Proves(Capability.WHOLE_RUN)
    void noRunIsRepeatedAfterAMigrationThatIsNotToBeTriedAgain() {
        assertIsNotRepeated(threeRuns().javaMigrations(new V1__Once()), reader("report"));
    }

    /** Flyway forgets with the group that the first one was applied, and that has committed. */
    @Test
    @Proves(Capability.WHOLE_RUN)
    void noRunIsRepeatedAfterAnEarlierMigrationOfTheGroupHasCommitted() {
        migrations.with("V1__first.sql", "insert into items values (1);\ncommit;");

        assertIsNotRepeated(
                Migrations.configure(threeRuns(), Map.of("flyway.group", "true"))
                        .javaMigrations(new V2__Java()),
                reader("report"));

        assertThat(value("select count(*) from items")).isEqualTo("1");
    }

    @Test
    @Proves(Capability.WHOLE_RUN)
    void noRunIsRepeatedAfterAnEarlierJavaMigrationOfTheGroupHasCommitted() {
        assertIsNotRepeated(
                Migrations.configure(threeRuns(), Map.of("flyway.group", "true"))
                        .javaMigrations(new V1__Inserting(true), new V2__Java()),
                reader("report"));

        assertThat(value("select count(*) from items")).isEqualTo("1");
    }

    @Test
    @Proves(Capability.WHOLE_RUN)
    void aRunOfAGroupThatIsUndoneIsRepeated() {
        Session report = reader("report");
        FluentConfiguration flyway = flyway("pglock.retryDelay", "10ms", "group", "true")
                .javaMigrations(new V1__Inserting(false), new V2__Java());

        FutureTask<Integer> migrating = new FutureTask<>(() -> repeated(flyway));
        new Thread(migrating, "flyway").start();
        awaitLog("migrate: failed (lock timeout), and is repeated in ");
        report.commit();

        assertThat(await(migrating)).isEqualTo(2);
        assertThat(value("select count(*) from items")).isEqualTo("1");
        assertThat(history()).isEqualTo("1 true, 2 true");
    }

    private void assertIsRepeatedUntilItComesThrough() {
        Session report = reader("report");

        FutureTask<Integer> migrating = new FutureTask<>(() -> repeated(flyway("pglock.retryDelay", "10ms")));
        new Thread(migrating, "flyway").start();
        awaitLog("migrate: failed (lock timeout), and is repeated in ");
        report.commit();

        assertThat(await(migrating)).isEqualTo(1);
    }

    @Test
    @Proves(Capability.WHOLE_RUN)
    void aRunIsRepeatedAfterAQueryWhoseRowsFlywayPrints() throws SQLException {
        migrations.with("V1__query.sql", "select upgrade();");
        try (Connection connection = dataSource.getConnection()) {
            execute(connection, """
                    create or replace function upgrade() returns int language plpgsql as
                    $$ begin alter table orders add column note text; return 42; end $$""");
        }

        assertIsRepeatedUntilItComesThrough();
    }

    @Test
    @Proves(Capability.WHOLE_RUN)
    void aRunIsRepeatedAfterAScriptWithItsData() {
        migrations.with("V1__copy.sql", "copy items from stdin;\n1\n2\n\\.\n" + ALTER);

        assertIsRepeatedUntilItComesThrough();
        assertThat(value("select count(*) from items")).isEqualTo("2");
    }

    @Test
    void whatComesAfterALockOfTheSession() {
        FlywayInUse.assumeStatementEvents();
        migrations.with(
                "V1__script.sql",
                "do $$ begin perform pg_advisory_lock(42); end $$;\n" + ALTER
                        + "\ndo $$ begin perform pg_advisory_unlock(42); end $$;");

        assertFailsAtOnce(threeRuns(), reader("report"));
    }

    @Test
    @Proves(Capability.WHOLE_RUN)
    void aRunWithABadSettingFailsAsFlywaysDo() {
        Flyway flyway = flyway().load();
        pglock(flyway).setLockTimeout("1");

        assertThatThrownBy(() -> PgLockFlyway.migrate(flyway))
                .isInstanceOf(FlywayException.class)
                .hasMessageContaining("lockTimeout=1: a bare number has no unit");
    }

    @SuppressWarnings("deprecation")
    private static PgLockConfiguration pglock(Flyway flyway) {
        return flyway.getConfiguration().getPluginRegister().getPlugin(PgLockConfiguration.class);
    }

    private static int repeated(FluentConfiguration flyway) {
        // docs: flyway-repeat
        MigrateResult result = PgLockFlyway.migrate(flyway.load());
        // end
        return result.migrationsExecuted;
    }

    /** Changes orders, in a transaction or not. */
    public static final class V1__Java extends BaseJavaMigration {

        private final boolean transactional;

        V1__Java(boolean transactional) {
            this.transactional = transactional;
        }

        @Override
        public boolean canExecuteInTransaction() {
            return transactional;
        }

        @Override
        public void migrate(Context context) throws Exception {
            try (Statement statement = context.getConnection().createStatement()) {
                statement.execute(ALTER);
            }
        }
    }

    /** Has data to lose, and ends its transaction or does not. */
    public static final class V1__Inserting extends BaseJavaMigration {

        private final boolean committing;

        V1__Inserting(boolean committing) {
            this.committing = committing;
        }

        @Override
        public void migrate(Context context) throws Exception {
            execute(context.getConnection(), "insert into items values (1)");
            if (committing) {
                context.getConnection().commit();
                execute(context.getConnection(), "select 1"); // it is in a transaction again when it ends
            }
        }
    }

    /** Changes orders, after another one. */
    public static final class V2__Java extends BaseJavaMigration {

        @Override
        public void migrate(Context context) throws Exception {
            execute(context.getConnection(), ALTER);
        }
    }

    /** Ends its transaction before it changes orders. */
    public static final class V1__Committing extends BaseJavaMigration {

        @Override
        public void migrate(Context context) throws Exception {
            execute(context.getConnection(), "insert into items values (1)");
            context.getConnection().commit(); // and with the transaction goes the timeout
            execute(context.getConnection(), "set local lock_timeout = '1s'");
            execute(context.getConnection(), ALTER);
        }
    }

    /** Changes orders, if it can at once. */
    @MigrationPolicy("retryDeadline=0s")
    public static final class V1__Once extends BaseJavaMigration {

        @Override
        public void migrate(Context context) throws Exception {
            execute(context.getConnection(), ALTER);
        }
    }
}
