// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pglock.testkit.Running;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.io.StringWriter;
import java.sql.Connection;
import java.sql.DriverManager;
import java.util.Map;
import java.util.concurrent.FutureTask;
import javax.sql.DataSource;
import liquibase.Liquibase;
import liquibase.Scope;
import liquibase.change.core.RawSQLChange;
import liquibase.changelog.ChangeSet;
import liquibase.changelog.DatabaseChangeLog;
import liquibase.database.Database;
import liquibase.database.DatabaseFactory;
import liquibase.database.jvm.JdbcConnection;
import liquibase.executor.ExecutorService;
import liquibase.executor.jvm.JdbcExecutor;
import liquibase.lockservice.LockServiceFactory;
import liquibase.lockservice.StandardLockService;
import liquibase.resource.DirectoryResourceAccessor;
import org.junit.jupiter.api.Test;

/** What pglock leaves as it is, and what it can do no more than a part of its work for. */
@Proves(Capability.LEFT_ALONE)
class UntouchedTest extends LiquibaseScene {

    private static final String CHANGESETS = """
            <property name="pglock.lockTimeout" value="9s"/>
            <changeSet id="1" author="bob" pglock:statementTimeout="7s">
              <comment>pglock retryDeadline=1m</comment>
              <addColumn tableName="items"><column name="note" type="text"/></addColumn>
              <rollback><dropColumn tableName="items" columnName="note"/></rollback>
            </changeSet>
            <changeSet id="2" author="bob" runInTransaction="false">
              <sql>create index concurrently items_id on items (id)</sql>
              <rollback><sql>drop index concurrently items_id</sql></rollback>
            </changeSet>
            """;

    UntouchedTest(DataSource dataSource, Scenario scenario) {
        super(dataSource, scenario);
    }

    @SuppressWarnings("deprecation") // the way that there is in every Liquibase
    private String updateSql(Map<String, String> settings) throws Exception {
        StringWriter script = new StringWriter();
        liquibase(settings, liquibase -> {
            liquibase.update("", script);
            liquibase.futureRollbackSQL(script);
        });
        return script.toString()
                .replaceAll("(?m)^--.*(Ran at|Against|Lock Database).*$", "")
                .replaceAll("'\\d{10}'", "")
                .replaceAll("LOCKEDBY = '[^']*'|LOCKGRANTED = [^,]*", "");
    }

    @Test
    void theSqlThatIsOnlyPrinted() throws Exception {
        changelog.xml(CHANGESETS);
        // With pglock or without, the first script of Liquibase 4.27 sets the search path more often than the next.
        updateSql(settings("enabled", "false"));

        String script = updateSql(settings());

        assertThat(script)
                .contains("ADD note TEXT")
                .doesNotContain("lock_timeout")
                .doesNotContain("pglock_unit");
        assertThat(script).isEqualTo(updateSql(settings("enabled", "false")));
        assertThat(value("select count(*) from information_schema.columns where column_name = 'note'"))
                .isEqualTo("0");
    }

    @Test
    void anotherDatabase() throws Exception {
        changelog.xml(CHANGESETS.replace("concurrently", ""));
        try (Connection connection = DriverManager.getConnection("jdbc:h2:mem:")) {
            execute(connection, "create table items (id int)");
            Database database =
                    DatabaseFactory.getInstance().findCorrectDatabaseImplementation(new JdbcConnection(connection));
            Scope.child(Scope.Attr.logService.name(), log, () -> {
                Liquibase liquibase = new Liquibase(file, new DirectoryResourceAccessor(changelog.folder()), database);
                liquibase.update("");
                liquibase.rollback(2, "");
            });

            assertThat(Scope.getCurrentScope()
                            .getSingleton(ExecutorService.class)
                            .getExecutor("jdbc", database))
                    .isExactlyInstanceOf(JdbcExecutor.class);
        }
        assertThat(said()).isEmpty();
    }

    @Test
    void aChangesetThatDoesNotRunThroughJdbcOfWhichItWarns() throws Exception {
        changelog.xml("""
                <changeSet id="1" author="bob" runWith="noted"><sql>alter table orders add note text</sql></changeSet>
                """);

        update(settings());

        assertThat(NotingExecutor.NOTED).containsExactly("alter table orders add note text");
        assertThat(said())
                .singleElement()
                .asString()
                .startsWith("WARNING pglock: changelog.xml::1::bob: not guarded, because it runs with noted");
    }

    /** Nobody tells when such a changeset ends. */
    @Test
    void ofAChangesetThatAProgramMadeOnlyTheFirstChangeIsRunAgain() throws Exception {
        Session web = reader("web");

        FutureTask<Boolean> updating = made("alter table orders add note text", "insert into items values (1)");
        awaitLog("rying again");
        web.commit();
        await(updating);

        assertThat(history()).isEqualTo("1 EXECUTED");
        assertThat(value("select count(*) from items")).isEqualTo("1");

        Session next = reader("next");
        assertThatThrownBy(() -> run(made("insert into items values (2)", "alter table orders add more text")))
                .hasStackTraceContaining("canceling statement due to lock timeout");
        assertThat(said())
                .anySatisfy(line -> assertThat(line)
                        .startsWith("SEVERE pglock: made::1::bob: not locked within 1s, blocked by pid " + next.pid()));
        assertThat(value("select count(*) from items")).isEqualTo("1");
    }

    @Test
    void ofAChangesetThatAProgramMadeAChangeThatCommitsItselfIsNotRunAgain() throws Exception {
        reader("web");

        assertThatThrownBy(
                        () -> run(
                                made(
                                        attempts(2),
                                        "insert into items values (1); commit; set local lock_timeout = '1s'; alter table orders add note text")))
                .hasStackTraceContaining("canceling statement due to lock timeout");

        assertThat(said())
                .anySatisfy(line -> assertThat(line)
                        .contains("made::1::bob: not tried again, because it has ended its transaction itself"));
        assertThat(value("select count(*) from items")).isEqualTo("1");
    }

    /** Its second change could not be undone without the first. */
    @Test
    @Proves(Capability.GIVING_WAY)
    void ofAChangesetThatAProgramMadeOnlyTheFirstChangeMakesWay() throws Exception {
        Session web = reader("web");

        FutureTask<Boolean> updating = made(
                settings("lockTimeout", "30s", "maxBlockedTime", "100ms"),
                "insert into items values (1)",
                "alter table orders add note text");
        Running victim = awaitVictim(updating);
        web.commit();

        await(updating);
        assertThat(history()).isEqualTo("1 EXECUTED");
        assertThat(victim.result()).containsExactly("0");
    }

    /** Such a changeset has been applied: its rollback. */
    private Work rollback(boolean inTransaction, String... sql) throws Exception {
        DatabaseChangeLog made = new DatabaseChangeLog("made");
        ChangeSet changeSet = new ChangeSet("1", "bob", true, false, "made", null, null, inTransaction, made);
        changeSet.addChange(new RawSQLChange("select 1"));
        for (String undoing : sql) {
            changeSet.addRollbackChange(new RawSQLChange(undoing));
        }
        made.addChangeSet(changeSet);
        run(made("select 1"));
        return liquibase -> new Liquibase(
                        made, new DirectoryResourceAccessor(changelog.folder()), liquibase.getDatabase())
                .rollback(1, "");
    }

    /** What its Java has done before is not seen. */
    @Test
    @Proves(Capability.ROLLBACK)
    void theRollbackOfAChangesetThatAProgramMadeIsGuardedAndNotRunAgain() throws Exception {
        Session web = reader("web");

        FutureTask<Boolean> rolling = inBackground(
                settings(), rollback(true, "insert into items values (1)", "alter table orders add note text"));
        awaitLog("rollback of made::1::bob: not locked within 1s, blocked by pid " + web.pid());

        assertThatThrownBy(() -> run(rolling)).hasStackTraceContaining("canceling statement due to lock timeout");
        assertThat(said()).noneMatch(line -> line.contains("rying again"));
        assertThat(value("select count(*) from items")).isEqualTo("0");
        assertThat(history()).isEqualTo("1 EXECUTED");
    }

    @Test
    @Proves(Capability.ROLLBACK)
    void ofTheRollbackOfAChangesetThatAProgramMadeAStatementOutsideATransactionIsRunAgain() throws Exception {
        Session web = reader("web");

        FutureTask<Boolean> rolling = inBackground(
                settings(), rollback(false, "insert into items values (1)", "alter table orders add note text"));
        awaitLog("rying again");
        web.commit();

        await(rolling);
        assertThat(value("select count(*) from items")).isEqualTo("1");
        assertThat(value("select count(*) from databasechangelog")).isEqualTo("0");
    }

    /** Its row in the changelog is Liquibase's own, with the timeouts of that. */
    @Test
    @Proves(Capability.ROLLBACK)
    void whatFollowsTheRollbackOfAChangesetThatAProgramMade() throws Exception {
        Work rollback = rollback(true, "insert into items values (1)");
        Session web = scenario.session("web");
        web.begin();
        web.execute("lock table databasechangelog in share mode");

        FutureTask<Boolean> rolling = inBackground(settings(), rollback);
        scenario.await(
                "Liquibase has waited for its table for longer than a lockTimeout",
                () -> rolling.isDone()
                        || value("select count(*) from pg_locks join pg_stat_activity using (pid)"
                                        + " where relation = 'databasechangelog'::regclass and not granted"
                                        + " and clock_timestamp() - query_start > interval '1500ms'")
                                .equals("1"));
        web.commit();

        await(rolling);
        assertThat(value("select count(*) from items")).isEqualTo("1");
        assertThat(value("select count(*) from databasechangelog")).isEqualTo("0");
    }

    private static void run(FutureTask<Boolean> task) throws Exception {
        task.get();
    }

    private FutureTask<Boolean> made(String... changes) {
        return made(settings(), changes);
    }

    private FutureTask<Boolean> made(Map<String, String> settings, String... changes) {
        return made(settings, true, changes);
    }

    /** As one that locks nothing, and is in the jar of a well-known server, has. */
    public static final class Preceding extends StandardLockService {

        @Override
        public int getPriority() {
            return Integer.MAX_VALUE;
        }
    }

    @Test
    void theLockServiceOfAnotherThatPrecedesOursOfWhichItWarns() throws Exception {
        changelog.xml("<changeSet id=\"1\" author=\"bob\"><sql>select 1</sql></changeSet>");
        LockServiceFactory.getInstance().register(new Preceding());
        try {
            update(settings("changelogLock", "advisory"));
        } finally {
            LockServiceFactory.reset();
        }
        assertThat(said())
                .anySatisfy(
                        line -> assertThat(line)
                                .contains(
                                        "changelogLock=advisory has no effect: io.pglock.liquibase.UntouchedTest$Preceding precedes it"));
    }
}
