// SPDX-License-Identifier: Apache-2.0
package io.pglock.flyway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pglock.testkit.Running;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.sql.SQLException;
import java.util.concurrent.FutureTask;
import javax.sql.DataSource;
import org.flywaydb.core.api.FlywayException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A script that could not get a lock is undone, and run again from its first statement. */
@Proves(Capability.REPLAY)
class ReplayTest extends FlywayScene {

    ReplayTest(DataSource dataSource, Scenario scenario) {
        super(dataSource, scenario);
    }

    @BeforeEach
    void needsToKnowTheStatements() {
        FlywayInUse.assumeStatementEvents();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void goesInWhenTheBlockerIsGoneAndHasHeldNothingMeanwhile(boolean group) {
        migrations.with("V1__script.sql", SCRIPT);
        Session report = reader("report");

        FutureTask<Integer> migrating = inBackground(flyway("group", Boolean.toString(group)));
        awaitLog("Trying again when it is gone");
        assertThat(value("select count(*) from pg_locks where mode <> 'AccessShareLock' and locktype = 'relation'"
                        + " and relation in ('orders'::regclass, 'items'::regclass)"))
                .isEqualTo("0");
        report.commit();

        assertThat(await(migrating)).isEqualTo(1);
        assertThat(history()).isEqualTo("1 true");
        assertThat(value("select string_agg(id || note, ',' order by id) from items"))
                .isEqualTo("1a,2b");
        assertThat(value("select twice(21)")).isEqualTo("42");
        assertThat(value("select count(note) from orders")).isEqualTo("0");
        assertThat(said())
                .anySatisfy(line -> assertThat(line)
                        .startsWith("WARN pglock: V1__script.sql: not locked within 1s, blocked by pid " + report.pid()
                                + " (report, idle in transaction for ")
                        .contains("\"select * from orders\"). Trying again when it is gone, at the latest in ")
                        .contains("(attempt 2)."))
                .anySatisfy(line -> assertThat(line).startsWith("INFO pglock: V1__script.sql: through at attempt "));
    }

    @Test
    @Proves(Capability.GIVING_WAY)
    void makesWayForWhoeverComesAlong() {
        migrations.with("V1__script.sql", SCRIPT);
        Session report = reader("report");

        FutureTask<Integer> migrating =
                inBackground(flyway("pglock.lockTimeout", "1h", "pglock.maxBlockedTime", "100ms"));
        scenario.await(
                "the migration to wait for orders",
                () -> !value("select count(*) from pg_locks where not granted and relation = 'orders'::regclass")
                        .equals("0"));
        Session web = scenario.session("web");
        web.execute("select * from orders"); // behind the migration, until that makes way
        assertThat(report.value("select 1")).isEqualTo("1");
        awaitLog("made way for 1 session that had waited behind it for up to ");
        report.commit();

        assertThat(await(migrating)).isEqualTo(1);
        assertThat(value("select count(*) from items")).isEqualTo("2");
    }

    @Test
    void endsWithFlywaysOwnErrorAndNamesTheBlocker() {
        migrations.with("V1__script.sql", SCRIPT);
        Session report = reader("report");

        assertThatThrownBy(() -> flyway("pglock.retryAttempts", "2", "pglock.retryDelay", "10ms")
                        .load()
                        .migrate())
                .isInstanceOf(FlywayException.class)
                .hasMessageContaining("SQL State  : 55P03")
                .hasMessageContaining("Line       : 4");

        assertThat(said()).filteredOn(line -> line.contains("Trying again")).hasSize(1);
        assertThat(said())
                .anySatisfy(line -> assertThat(line)
                        .startsWith("ERROR pglock: V1__script.sql: was blocked by pid " + report.pid())
                        .contains("Given up after 2 attempts in "));
        assertThat(history()).isEqualTo("");
        assertThat(value("select count(*) from items")).isEqualTo("0");
    }

    @Test
    void leavesAnyOtherErrorToFlyway() {
        migrations.with(
                "V1__script.sql",
                "alter table items add column note text;\nselect 1;\ninsert into items values ('x');");

        assertThatThrownBy(() -> flyway().load().migrate())
                .isInstanceOf(FlywayException.class)
                .hasMessageContaining("SQL State  : 22P02")
                .hasMessageContaining("Line       : 3")
                .hasRootCauseInstanceOf(SQLException.class);

        assertThat(said()).isEmpty();
        assertThat(history()).isEqualTo("");
    }

    /** What it would take to run it again shows in what Flyway has run of it, and not only in what was run from here. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "select nextval('runs'), pg_sleep(10.1);", // whose rows Flyway prints
                "do $$ begin perform nextval('runs'), pg_sleep(10.1); end $$;"
            })
    void runsNothingLongASecondTimeToReportAnError(String backfill) {
        scenario.session("observer").execute("create sequence runs");
        migrations.with("V1__script.sql", backfill + "\nalter table items add column id int;");

        assertThatThrownBy(() -> flyway().load().migrate())
                .isInstanceOf(FlywayException.class)
                .hasMessageContaining("SQL State  : 42701");

        assertThat(value("select last_value from runs")).isEqualTo("1");
        assertThat(history()).isEqualTo("");
    }

    /** It has been undone by then, and what that had cost it costs again. */
    @Test
    void runsNothingLongASecondTimeWhereItCannotBeTriedAgain() {
        scenario.session("observer").execute("create sequence runs");
        migrations
                .with("V1__first.sql", "alter table items add column note text;")
                .with("V2__second.sql", "do $$ begin perform nextval('runs'), pg_sleep(10.1); end $$;\n" + ALTER);
        Session report = reader("report");

        assertThatThrownBy(() -> flyway("group", "true").load().migrate())
                .isInstanceOf(FlywayException.class)
                .hasMessageContaining("SQL State  : 55P03");

        assertThat(value("select last_value from runs")).isEqualTo("1");
        assertThat(said())
                .anySatisfy(line -> assertThat(line).contains("its transaction holds locks from before"))
                .anySatisfy(line -> assertThat(line).startsWith("ERROR ").contains("blocked by pid " + report.pid()));
        assertThat(history()).isEqualTo("");
    }

    @Test
    void endsWithAUsersCancel() {
        migrations.with("V1__script.sql", SCRIPT);
        reader("report");

        FutureTask<Integer> migrating = inBackground(flyway("pglock.lockTimeout", "1h"));
        String waiting = "from pg_locks where not granted and relation = 'orders'::regclass";
        scenario.await(
                "the migration to wait",
                () -> value("select count(*) " + waiting).equals("1"));
        value("select pg_cancel_backend(pid) " + waiting);

        assertThatThrownBy(() -> migrating.get()).rootCause().hasMessageContaining("user request");
        assertThat(said()).noneSatisfy(line -> assertThat(line).contains("Trying again"));
    }

    @Test
    void retriesADeadlock() {
        migrations.with(
                "V1__script.sql",
                "alter table items add column note text;\ndo $$ begin perform pg_advisory_xact_lock(7); end $$;\n"
                        + "alter table orders add column note text;");
        Session gate = scenario.session("gate");
        gate.execute("select pg_advisory_lock(7)");
        Session other = reader("other");
        FutureTask<Integer> migrating = inBackground(flyway(
                "pglock.lockTimeout", "1h",
                "pglock.maxBlockedTime", "none",
                "pglock.retryDelay", "100ms", // PostgreSQL may be quicker to end it than the watch to see by whom
                "pglock.retryMaxDelay", "100ms",
                "initSql", "set deadlock_timeout = '1s'"));
        scenario.await(
                "the migration to wait at the gate",
                () -> value("select count(*) from pg_locks where not granted and locktype = 'advisory'")
                        .equals("1"));
        other.execute("set deadlock_timeout = '1h'"); // the migration is the one that is ended
        Running reading = other.start("select * from items");
        scenario.awaitBlocked(other);
        gate.execute("select pg_advisory_unlock(7)");

        awaitLog("ended by PostgreSQL to resolve a deadlock");
        reading.await();
        other.commit();

        assertThat(await(migrating)).isEqualTo(1);
        assertThat(history()).isEqualTo("1 true");
    }

    @Test
    void keepsTheTimeoutThatTheMigrationSetsInEveryAttempt() {
        migrations.with("V1__script.sql", """
                set local lock_timeout = '1500ms';
                alter table orders add column note text;
                alter table items add column seen text;
                insert into items (seen) values (current_setting('lock_timeout'));
                """);
        Session report = reader("report");

        FutureTask<Integer> migrating = inBackground(flyway("pglock.lockTimeout", "1h"));
        awaitLog("Trying again when it is gone");
        report.commit();

        assertThat(await(migrating)).isEqualTo(1);
        assertThat(value("select seen from items")).isEqualTo("1500ms");
    }

    @Test
    @Proves(Capability.LEFT_TO_FLYWAY)
    void leavesToFlywayWhatHasItsOwnTransactions() {
        migrations.with(
                "V1__script.sql", "insert into items values (1);\ncommit;\nbegin;\ninsert into items values (2);");

        flyway().load().migrate();

        assertThat(value("select count(*) from items")).isEqualTo("2");
        assertThat(history()).isEqualTo("1 true");
    }

    @Test
    void printsRowsAndNoticesAsFlywayDoes() {
        migrations.with(
                "V1__script.sql",
                "select 40 + 2 as answer;\ndo $$ begin raise notice 'a notice'; raise warning 'a warning'; end $$;");

        flyway().load().migrate();

        assertThat(RecordedLog.all())
                .anySatisfy(line -> assertThat(line).contains("answer").contains("42"))
                .contains("INFO DB: a notice")
                .anySatisfy(line -> assertThat(line).startsWith("WARN DB: a warning"));
    }

    @Test
    void writesNoLineToTheLogForEachStatement() {
        migrations.with("V1__script.sql", SCRIPT);

        flyway().load().migrate();

        assertThat(RecordedLog.all()).noneSatisfy(line -> assertThat(line).contains("MigrateStatement"));
    }

    private static final String CATCHING = """
            do $$ begin
              alter table orders add constraint positive check (id > 0);
            exception when others then
              raise notice 'not added: %', sqlerrm;
            end $$;
            """;

    private String constraints() {
        return value("select count(*) from pg_constraint where conname = 'positive'");
    }

    /** To whoever runs the script that is a success. */
    @Test
    void isNotToldOfALockTimeoutThatTheScriptCatches() {
        migrations.with("V1__script.sql", CATCHING);
        Session report = reader("report");

        assertThat(flyway().load().migrate().migrationsExecuted).isEqualTo(1);
        report.commit();

        assertThat(history()).isEqualTo("1 true");
        assertThat(constraints()).isEqualTo("0");
    }

    /** {@code OTHERS} are all but a cancel, which is how it makes way. */
    @Test
    @Proves(Capability.GIVING_WAY)
    void withoutALockTimeoutTheScriptHasNothingToCatchAndStillMakesWay() {
        migrations.with("V1__script.sql", "-- pglock: lockTimeout=none\n" + CATCHING);
        Session report = reader("report");

        FutureTask<Integer> migrating = inBackground(flyway("pglock.maxBlockedTime", "100ms"));
        scenario.awaitWaiting("orders", "AccessExclusiveLock");
        scenario.session("web").execute("select * from orders"); // behind the migration, until that makes way
        awaitLog("made way for 1 session");
        report.commit();

        assertThat(await(migrating)).isEqualTo(1);
        assertThat(constraints()).isEqualTo("1");
    }
}
