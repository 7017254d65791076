// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pglock.testkit.Running;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.concurrent.FutureTask;
import javax.sql.DataSource;
import liquibase.database.Database;
import liquibase.exception.CustomChangeException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Proves(Capability.CHANGESET_AGAIN)
class RetryTest extends LiquibaseScene {

    /** By the time it is blocked on {@code orders}, it has changed {@code items} and has data to lose. */
    private static final String CHANGESET = """
            <changeSet id="1" author="bob" %s>
              <addColumn tableName="items"><column name="note" type="text"/></addColumn>
              <sql>insert into items values (1, 'a')</sql>
              <addColumn tableName="orders"><column name="note" type="text"/></addColumn>
              <sql>insert into items values (2, 'b')</sql>
              <rollback>
                <dropColumn tableName="items" columnName="note"/>
                <dropColumn tableName="orders" columnName="note"/>
              </rollback>
            </changeSet>
            """;

    private static final String AGAIN = "rying again";

    RetryTest(DataSource dataSource, Scenario scenario) {
        super(dataSource, scenario);
    }

    private String locksOnItems() {
        return value("select count(*) from pg_locks where relation = 'items'::regclass and pid <> pg_backend_pid()");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "failOnError=\"false\""})
    @Proves({Capability.CHANGESET_AGAIN, Capability.FAIL_ON_ERROR})
    void aChangesetIsAppliedOnceWhenWhoeverWasInTheWayIsGone(String attributes) throws Exception {
        changelog.xml(CHANGESET.formatted(attributes));
        Session web = reader("web");

        FutureTask<Boolean> updating = inBackground(settings());
        awaitLog(AGAIN);
        assertThat(locksOnItems()).isEqualTo("0");
        assertThat(value("select count(*) from databasechangelog")).isEqualTo("0");
        web.commit();

        await(updating);
        assertThat(history()).isEqualTo("1 EXECUTED");
        assertThat(value("select string_agg(note, ',' order by id) from items")).isEqualTo("a,b");
        assertThat(said())
                .anySatisfy(line -> assertThat(line)
                        .startsWith("WARNING pglock: changelog.xml::1::bob: not locked within 1s, blocked by pid "
                                + web.pid() + " (web, idle in transaction for "))
                .anySatisfy(line -> assertThat(line).contains("through at attempt 2"));
        assertThat(log.all()).noneMatch(line -> line.startsWith("SEVERE"));
        assertThat(log.all()).anyMatch(line -> line.contains("Rows affected: 2") || line.contains("successful"));
    }

    @Test
    @Proves({Capability.CHANGESET_AGAIN, Capability.ROLLBACK})
    void aRollbackIsDoneOnceWhenWhoeverWasInTheWayIsGone() throws Exception {
        changelog.xml(CHANGESET.formatted(""));
        update(settings());
        Session web = reader("web");

        FutureTask<Boolean> rolling = inBackground(settings(), liquibase -> liquibase.rollback(1, ""));
        awaitLog("rollback of changelog.xml::1::bob: not locked within 1s");
        awaitLog(AGAIN);
        assertThat(locksOnItems()).isEqualTo("0");
        web.commit();

        await(rolling);
        assertThat(value("select count(*) from databasechangelog")).isEqualTo("0");
        assertThat(value("select count(*) from information_schema.columns where column_name = 'note'"
                        + " and table_name in ('items', 'orders')"))
                .isEqualTo("0");
    }

    @Test
    @Proves(Capability.STATEMENT_AGAIN)
    void outsideATransactionOnlyTheStatementThatFailedIsRunAgain() throws Exception {
        changelog.xml(CHANGESET.formatted("runInTransaction=\"false\""));
        Session web = reader("web");

        FutureTask<Boolean> updating = inBackground(settings());
        awaitLog(AGAIN);
        assertThat(value("select string_agg(note, ',') from items")).isEqualTo("a");
        web.commit();

        await(updating);
        assertThat(history()).isEqualTo("1 EXECUTED");
        assertThat(value("select string_agg(note, ',' order by id) from items")).isEqualTo("a,b");
    }

    /** It fails as a whole, so none of its statements is cancelled to be run again. */
    @Test
    @Proves(Capability.STATEMENT_AGAIN)
    void aTransactionThatAChangesetBeginsItselfDoesNotGiveWay() throws Exception {
        changelog.xml("""
                <changeSet id="1" author="bob" runInTransaction="false">
                  <sql>begin</sql>
                  <sql>insert into items values (1)</sql>
                  <sql>alter table orders add note text</sql>
                  <sql>commit</sql>
                </changeSet>
                """);
        Session web = reader("web");

        FutureTask<Boolean> updating = inBackground(settings("lockTimeout", "1h", "maxBlockedTime", "0s"));
        scenario.awaitWaiting("orders", "AccessExclusiveLock");
        Running reading = scenario.session("another").start("select * from orders");
        scenario.awaitWaiting("orders", "AccessShareLock");
        scenario.awaitQueriesOfTheWatch(20);
        web.commit();

        await(updating);
        reading.await();
        assertThat(said()).noneMatch(line -> line.contains("made way"));
        assertThat(history()).isEqualTo("1 EXECUTED");
        assertThat(value("select count(*) from items")).isEqualTo("1");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "runInTransaction=\"false\""})
    @Proves({Capability.CHANGESET_AGAIN, Capability.STATEMENT_AGAIN})
    void whenItIsGivenUpTheErrorIsLiquibasesAndTheBlockerIsNamed(String attributes) throws Exception {
        changelog.xml(CHANGESET.formatted(attributes));
        Session web = reader("web");

        assertThatThrownBy(() -> update(attempts(2)))
                .hasStackTraceContaining("canceling statement due to lock timeout")
                .hasStackTraceContaining("Migration failed for changeset changelog.xml::1::bob")
                .hasStackTraceContaining(
                        "Suppressed: io.pglock.PgLockException: changelog.xml::1::bob: not locked within 1s");

        assertThat(said())
                .filteredOn(line -> line.startsWith("SEVERE"))
                .singleElement()
                .asString()
                .contains("blocked by pid " + web.pid() + " (web, idle in transaction for ")
                .contains("\"select * from orders\"")
                .contains("Given up after 2 attempts");
        assertThat(value("select count(*) from databasechangelog")).isEqualTo("0");
        assertThat(value("select locked from databasechangeloglock")).isEqualTo("f");
        assertThat(locksOnItems()).isEqualTo("0");
    }

    @Test
    @Proves(Capability.FAIL_ON_ERROR)
    void withFailOnErrorFalseItIsGivenUpAsWellAndTheNextChangesetRuns() throws Exception {
        changelog.xml(CHANGESET.formatted("failOnError=\"false\"")
                + "<changeSet id=\"2\" author=\"bob\"><sql>insert into items values (3)</sql></changeSet>");
        Session web = reader("web");

        update(attempts(2));

        assertThat(said())
                .anySatisfy(line -> assertThat(line)
                        .startsWith("SEVERE pglock: changelog.xml::1::bob: not locked within 1s, blocked by pid "
                                + web.pid()));
        assertThat(history()).isEqualTo("2 EXECUTED");
        assertThat(value("select string_agg(id::text, ',') from items")).isEqualTo("3");
    }

    /** Plain Liquibase would wait for the answer, and not take its absence for one. */
    @ParameterizedTest
    @ValueSource(strings = {"HALT", "CONTINUE", "MARK_RAN", "WARN"})
    @Proves({Capability.CHANGESET_AGAIN, Capability.PRECONDITIONS})
    void aPreconditionThatIsBlockedIsNeitherMetNorNot(String onError) throws Exception {
        changelog.xml("""
                <changeSet id="1" author="bob">
                  <preConditions onFail="HALT" onError="%s">
                    <sqlCheck expectedResult="0">select count(*) from orders</sqlCheck>
                  </preConditions>
                  <sql>insert into items values (1)</sql>
                </changeSet>
                """.formatted(onError));
        Session migration = scenario.session("other-migration");
        migration.begin();
        migration.execute("lock table orders");

        FutureTask<Boolean> updating = inBackground(settings());
        awaitLog(AGAIN);
        migration.rollback();

        await(updating);
        assertThat(history()).isEqualTo("1 EXECUTED");

        migration.execute("truncate databasechangelog");
        migration.begin();
        migration.execute("lock table orders");
        assertThatThrownBy(() -> update(settings("retryDeadline", "0s")))
                .hasStackTraceContaining("canceling statement due to lock timeout");
        assertThat(value("select count(*) from databasechangelog")).isEqualTo("0");
        assertThat(value("select count(*) from items")).isEqualTo("1");
    }

    @Test
    @Proves({Capability.CHANGESET_AGAIN, Capability.PRECONDITIONS, Capability.FAIL_ON_ERROR})
    void withFailOnErrorFalseAPreconditionThatIsBlockedIsCheckedAgainToo() throws Exception {
        changelog.xml("""
                <changeSet id="1" author="bob" failOnError="false">
                  <preConditions onFail="HALT">
                    <sqlCheck expectedResult="0">select count(*) from orders</sqlCheck>
                  </preConditions>
                  <sql>insert into items values (1)</sql>
                </changeSet>
                """);
        Session migration = scenario.session("other-migration");
        migration.begin();
        migration.execute("lock table orders");

        FutureTask<Boolean> updating = inBackground(settings());
        awaitLog(AGAIN);
        migration.rollback();

        await(updating);
        assertThat(history()).isEqualTo("1 EXECUTED");
        assertThat(log.all()).noneMatch(line -> line.startsWith("SEVERE"));

        migration.execute("truncate databasechangelog");
        migration.begin();
        migration.execute("lock table orders");
        update(attempts(2));
        assertThat(said())
                .anySatisfy(line -> assertThat(line)
                        .startsWith("SEVERE pglock: changelog.xml::1::bob: not locked within 1s")
                        .contains("Given up after 2 attempts"));
        assertThat(value("select count(*) from items")).isEqualTo("1");
    }

    @Test
    void theSearchPathOfLiquibaseIsThereInEveryAttempt() throws Exception {
        try (Connection connection = dataSource.getConnection()) {
            execute(connection, "drop schema if exists other cascade");
            execute(connection, "create schema other");
        }
        changelog.xml("""
                <changeSet id="1" author="bob">
                  <sql>create table made (id int)</sql>
                  <sql>alter table public.orders add note text</sql>
                </changeSet>
                """);
        Session web = reader("web");

        FutureTask<Boolean> updating = inBackground(settings(), liquibase -> {
            liquibase.getDatabase().setDefaultSchemaName("other");
            liquibase.update("");
        });
        awaitLog(AGAIN);
        web.commit();

        await(updating);
        assertThat(value("select schemaname from pg_tables where tablename = 'made'"))
                .isEqualTo("other");
        try (Connection connection = dataSource.getConnection()) {
            execute(connection, "drop schema other cascade");
        }
    }

    @Test
    @Proves(Capability.GIVING_WAY)
    void makesWayForThoseWhoQueueUpBehindIt() throws Exception {
        changelog.xml(CHANGESET.formatted(""));
        Session web = reader("web");

        FutureTask<Boolean> updating = inBackground(settings("lockTimeout", "30s", "maxBlockedTime", "100ms"));
        scenario.await(
                "the changeset waits for orders",
                () -> value("select count(*) from pg_locks where relation = 'orders'::regclass and not granted")
                        .equals("1"));
        assertThat(scenario.session("victim").value("select count(*) from orders"))
                .isEqualTo("0"); // while web still holds its lock
        awaitLog("made way for 1 session");
        web.commit();

        await(updating);
        assertThat(history()).isEqualTo("1 EXECUTED");
    }

    /** In Java that keeps to itself what the driver reported. */
    public static final class Backfilling extends JavaChange {

        @Override
        void execute(Connection connection) throws SQLException {
            LiquibaseScene.execute(connection, "update items set id = id + 10 where id = 1");
            LiquibaseScene.execute(connection, "update items set id = id + 10 where id = 2");
        }

        @Override
        public void execute(Database database) throws CustomChangeException {
            try {
                super.execute(database);
            } catch (CustomChangeException e) {
                throw new CustomChangeException("backfill failed: " + e.getMessage());
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "failOnError=\"false\""})
    @Proves({Capability.GIVING_WAY, Capability.FAIL_ON_ERROR})
    void whatWasCancelledToGiveWayComesBackWhateverItsJavaThrows(String attributes) throws Exception {
        changelog.xml("<changeSet id=\"1\" author=\"bob\" " + attributes + "><customChange class=\""
                + Backfilling.class.getName() + "\"/></changeSet>");
        Session web = scenario.session("web");
        web.execute("insert into items values (1), (2)");
        web.begin();
        web.execute("update items set id = id where id = 2");

        FutureTask<Boolean> updating = inBackground(settings("lockTimeout", "30s", "maxBlockedTime", "100ms"));
        scenario.await(
                "the change waits for the row",
                () -> value("select count(*) from pg_locks where locktype = 'transactionid' and not granted")
                        .equals("1"));
        scenario.session("victim").execute("update items set id = id where id = 1"); // while web still has its row
        awaitLog("made way for 1 session");
        web.commit();

        await(updating);
        assertThat(history()).isEqualTo("1 EXECUTED");
        assertThat(value("select string_agg(id::text, ',' order by id) from items"))
                .isEqualTo("11,12");
        assertThat(log.all()).noneMatch(line -> line.startsWith("SEVERE"));
    }

    private void catching(String attributes) {
        changelog.xml("<changeSet id=\"1\" author=\"bob\" " + attributes + """
                ><sql splitStatements="false">
                  do $$ begin
                    alter table orders add constraint positive check (id &gt; 0);
                  exception when others then
                    raise notice 'not added: %', sqlerrm;
                  end $$
                </sql></changeSet>
                """);
    }

    private String constraints() {
        return value("select count(*) from pg_constraint where conname = 'positive'");
    }

    /** To whoever runs the changeset that is a success. */
    @Test
    void isNotToldOfALockTimeoutThatTheChangesetCatches() throws Exception {
        catching("");
        Session web = reader("web");

        update(settings());
        web.commit();

        assertThat(history()).isEqualTo("1 EXECUTED");
        assertThat(constraints()).isEqualTo("0");
    }

    /** {@code OTHERS} are all but a cancel, which is how it makes way. */
    @Test
    @Proves(Capability.GIVING_WAY)
    void withoutALockTimeoutTheChangesetHasNothingToCatchAndStillMakesWay() throws Exception {
        catching("pglock:lockTimeout=\"none\"");
        Session web = reader("web");

        FutureTask<Boolean> updating = inBackground(settings("maxBlockedTime", "100ms"));
        scenario.awaitWaiting("orders", "AccessExclusiveLock");
        scenario.session("victim").execute("select * from orders"); // behind the changeset, until that makes way
        awaitLog("made way for 1 session");
        web.commit();

        await(updating);
        assertThat(constraints()).isEqualTo("1");
    }
}
