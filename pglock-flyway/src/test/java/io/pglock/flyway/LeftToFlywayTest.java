// SPDX-License-Identifier: Apache-2.0
package io.pglock.flyway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pglock.testkit.Running;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.FutureTask;
import javax.sql.DataSource;
import org.flywaydb.core.api.FlywayException;
import org.flywaydb.core.api.callback.BaseCallback;
import org.flywaydb.core.api.callback.Event;
import org.flywaydb.core.api.configuration.FluentConfiguration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What could not be run again exactly is Flyway's from the beginning, and fails as it does there; the blocker is named. */
@Proves(Capability.LEFT_TO_FLYWAY)
class LeftToFlywayTest extends FlywayScene {

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

        assertFailsAtOnce(flyway().javaMigrations(new WholeRunTest.V1__Java(true)), report);
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

    @Test
    void whatComesAfterALockOfTheSession() {
        FlywayInUse.assumeStatementEvents();
        migrations.with(
                "V1__script.sql",
                "do $$ begin perform pg_advisory_lock(42); end $$;\n" + ALTER
                        + "\ndo $$ begin perform pg_advisory_unlock(42); end $$;");

        assertFailsAtOnce(flywayOfThreeAttempts(), reader("report"));
    }
}
