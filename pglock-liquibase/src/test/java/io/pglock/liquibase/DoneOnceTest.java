// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.pglock.testkit.PgBouncer;
import io.pglock.testkit.Running;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import liquibase.Scope;
import liquibase.change.core.RawSQLChange;
import liquibase.change.custom.CustomTaskRollback;
import liquibase.database.Database;
import liquibase.exception.CustomChangeException;
import liquibase.exception.DatabaseException;
import liquibase.executor.Executor;
import liquibase.executor.ExecutorService;
import liquibase.statement.SqlStatement;
import liquibase.statement.core.RawSqlStatement;
import liquibase.util.LiquibaseUtil;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What cannot be undone is not done again, and what is done again is done once. */
@Proves(Capability.CHANGESET_AGAIN)
class DoneOnceTest extends LiquibaseScene {

    DoneOnceTest(DataSource dataSource, Scenario scenario) {
        super(dataSource, scenario);
    }

    /** Of what is undone in Java alone nobody is told when that has ended. */
    private static final String MAY_HAVE_ENDED = "its Java may have ended its transaction itself";

    private void assertSaidNotToBeTriedAgain(String because) {
        assertThat(said())
                .anySatisfy(line ->
                        assertThat(line).contains("changelog.xml::1::bob: not tried again, because " + because));
    }

    @Test
    void aChangesetThatCommitsItselfIsNotRunTwice() throws Exception {
        changelog.xml("""
                <changeSet id="1" author="bob">
                  <sql>insert into items values (1); commit; alter table orders add note text</sql>
                </changeSet>
                """);
        reader("web");

        assertThatThrownBy(() -> update(settings())).hasStackTraceContaining("canceling statement due to lock timeout");

        assertSaidNotToBeTriedAgain("it has ended its transaction itself");
        assertThat(value("select count(*) from items")).isEqualTo("1");
    }

    /** There what has been committed in it stays, whatever becomes of the rest. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "<sql splitStatements=\"false\">%s</sql>",
                "<sql endDelimiter=\"/\">%s/</sql>",
                "<sql>select 1</sql><rollback><sql splitStatements=\"false\">%s</sql></rollback>"
            })
    @Proves({Capability.STATEMENT_AGAIN, Capability.ROLLBACK})
    void outsideOfATransactionAPieceOfSeveralCommandsIsNotRunTwice(String place) throws Exception {
        changelog.xml("<changeSet id=\"1\" author=\"bob\" runInTransaction=\"false\">"
                + place.formatted("insert into items values (1); commit; alter table orders add note text")
                + "</changeSet>");
        reader("web");

        assertThatThrownBy(() -> liquibase(attempts(3), liquibase -> {
                    liquibase.update("");
                    liquibase.rollback(1, "");
                }))
                .hasStackTraceContaining("canceling statement due to lock timeout");

        assertThat(value("select count(*) from items")).isEqualTo("1");
        assertThat(said()).noneMatch(line -> line.contains("rying again"));
    }

    private static final String REFERRING = """
            <changeSet id="1" author="bob" %s>
              %s
              <sql>insert into child values (1)</sql>
            </changeSet>
            """;

    /** Has the row that a new one of {@code child} refers to, which PostgreSQL asks for when that is committed. */
    private Session holderOfTheParent() throws SQLException {
        try (Connection connection = dataSource.getConnection()) {
            execute(connection, "drop table if exists child, parent");
            execute(connection, "create table parent (id int primary key)");
            execute(connection, "insert into parent values (1)");
            execute(connection, "create table child (id int references parent deferrable initially deferred)");
        }
        Session holder = scenario.session("holder");
        holder.begin();
        holder.execute("select * from parent for update");
        return holder;
    }

    /** A change in Java that leaves its transaction alone. */
    public static final class Inserting extends JavaChange {

        @Override
        void execute(Connection connection) throws SQLException {
            LiquibaseScene.execute(connection, "insert into items values (1)");
        }
    }

    /** A change in Java that commits. */
    public static class Committing extends JavaChange {

        private final List<String> next;

        public Committing() {
            this(List.of());
        }

        Committing(List<String> next) {
            this.next = next;
        }

        @Override
        void execute(Connection connection) throws SQLException {
            LiquibaseScene.execute(connection, "insert into items values (1)");
            connection.commit();
            for (String sql : next) {
                LiquibaseScene.execute(connection, sql);
            }
        }
    }

    /** A change in Java that commits, and is in a transaction when it ends. */
    public static class Continuing extends Committing {

        public Continuing() {
            super(List.of("select 1"));
        }
    }

    /** A change in Java that has a change of Liquibase's done, commits that, and is in a transaction when it ends. */
    public static final class Delegating extends Continuing {

        @Override
        public void execute(Database database) throws CustomChangeException {
            try {
                Scope.getCurrentScope()
                        .getSingleton(ExecutorService.class)
                        .getExecutor("jdbc", database)
                        .execute(new RawSQLChange("select 1"));
            } catch (DatabaseException e) {
                throw new CustomChangeException(e);
            }
            super.execute(database);
        }
    }

    /** The commit is Liquibase's own, and no statement of which anybody is told. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "<sql>insert into items values (1); commit</sql>",
                "<sql>insert into items values (1); commit; begin</sql>",
                "<sql splitStatements=\"false\">insert into items values (1); commit; select 1</sql>",
                "<customChange class=\"io.pglock.liquibase.DoneOnceTest$Committing\"/>",
                "<customChange class=\"io.pglock.liquibase.DoneOnceTest$Continuing\"/>",
                "<customChange class=\"io.pglock.liquibase.DoneOnceTest$Delegating\"/>"
            })
    void aChangesetThatCommitsItselfIsNotRunTwiceWhenTheCommitFails(String committing) throws Exception {
        changelog.xml(REFERRING.formatted("", committing));
        holderOfTheParent();

        assertThatThrownBy(() -> update(attempts(3)))
                .hasStackTraceContaining("canceling statement due to lock timeout");

        assertThat(value("select count(*) from items")).isEqualTo("1");
        assertSaidNotToBeTriedAgain("it has ended its transaction itself");
    }

    /** A change in Java that commits, and rolls back what it has not done, as Liquibase does it. */
    public static final class CommittingAndRollingBack extends Committing {

        @Override
        public void execute(Database database) throws CustomChangeException {
            super.execute(database);
            try {
                database.rollback();
            } catch (DatabaseException e) {
                throw new CustomChangeException(e);
            }
        }
    }

    /** Liquibase asks for the search path when it has rolled back: so may Java that does, and a changeset's SQL. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "<customChange class=\"io.pglock.liquibase.DoneOnceTest$CommittingAndRollingBack\"/>%s",
                "<sql>select 1</sql><rollback>"
                        + "<customChange class=\"io.pglock.liquibase.DoneOnceTest$CommittingAndRollingBack\"/>%s</rollback>",
                "<sql>select 1</sql><rollback><customChange class=\"io.pglock.liquibase.DoneOnceTest$Committing\"/>"
                        + "<sql>set search_path to public</sql>%s</rollback>"
            })
    @Proves({Capability.CHANGESET_AGAIN, Capability.ROLLBACK})
    void whatCommitsInJavaIsNotRunTwiceWhateverBecomesOfTheSearchPath(String changes) throws Exception {
        changelog.xml("<changeSet id=\"1\" author=\"bob\">"
                + changes.formatted("<sql>alter table orders add note text</sql>") + "</changeSet>");
        reader("web");

        assertThatThrownBy(() -> liquibase(attempts(3), liquibase -> {
                    liquibase.update("");
                    liquibase.rollback(1, "");
                }))
                .hasStackTraceContaining("canceling statement due to lock timeout");

        assertThat(value("select count(*) from items")).isEqualTo("1");
        assertSaidNotToBeTriedAgain("it has ended its transaction itself");
    }

    /** A change in Java that commits, and is blocked in its next transaction. */
    public static final class CommittingAndBlocked extends Committing {

        public CommittingAndBlocked() {
            super(List.of("alter table orders add note text"));
        }
    }

    /** The error says no more than that somebody has cancelled it. */
    @ParameterizedTest
    @ValueSource(strings = {"%s", "<sql>select 1</sql><rollback>%s</rollback>"})
    @Proves({Capability.GIVING_WAY, Capability.ROLLBACK})
    void whatCommitsInJavaAndThenMakesWaySaysWhyItIsNotTriedAgain(String place) throws Exception {
        changelog.xml("<changeSet id=\"1\" author=\"bob\">"
                + place.formatted("<customChange class=\"" + CommittingAndBlocked.class.getName() + "\"/>")
                + "</changeSet>");
        boolean rollback = place.contains("rollback");
        if (rollback) {
            update(settings());
        }
        Session web = reader("web");

        Map<String, String> settings = settings("lockTimeout", "30s", "maxBlockedTime", "50ms");
        FutureTask<Boolean> running =
                rollback ? inBackground(settings, liquibase -> liquibase.rollback(1, "")) : inBackground(settings);
        scenario.awaitWaiting("orders", "AccessExclusiveLock");
        Running victim = scenario.session("victim").start("select count(*) from orders");

        assertThatThrownBy(() -> running.get(60, TimeUnit.SECONDS)).hasStackTraceContaining("due to user request");
        assertThat(victim.result()).containsExactly("0");
        web.commit();
        assertSaidNotToBeTriedAgain(rollback ? MAY_HAVE_ENDED : "it has ended its transaction itself");
        assertThat(value("select count(*) from items")).isEqualTo("1");
    }

    /** It would not be tried again in any case. */
    @Test
    void whatCommitsInJavaAndIsCancelledByOthersSaysNothingOfAnotherAttempt() throws Exception {
        changelog.xml("<changeSet id=\"1\" author=\"bob\"><customChange class=\"" + CommittingAndBlocked.class.getName()
                + "\"/></changeSet>");
        reader("web");

        FutureTask<Boolean> updating = inBackground(settings());
        scenario.awaitWaiting("orders", "AccessExclusiveLock");
        value("select pg_cancel_backend(pid) from pg_locks where relation = 'orders'::regclass and not granted");

        assertThatThrownBy(() -> updating.get(60, TimeUnit.SECONDS)).hasStackTraceContaining("due to user request");
        assertThat(said()).noneMatch(line -> line.contains("not tried again"));
    }

    /** Without a timeout there is nothing in the transaction by which it would be known again. */
    @Test
    void afterJavaWithoutTimeoutsItIsSaidThatNothingIsKnownOfItsTransaction() throws Exception {
        changelog.xml("""
                <changeSet id="1" author="bob">
                  <customChange class="io.pglock.liquibase.DoneOnceTest$Inserting"/>
                  <sql splitStatements="false">do $$ begin raise 'a deadlock' using errcode = '40P01'; end $$</sql>
                </changeSet>
                """);

        assertThatThrownBy(() -> update(settings("lockTimeout", "none"))).hasStackTraceContaining("a deadlock");

        assertSaidNotToBeTriedAgain("it is not known whether its Java has ended its transaction");
        assertThat(value("select count(*) from items")).isEqualTo("0");
    }

    /** What comes after it waits no longer than what came before. */
    @ParameterizedTest
    @ValueSource(strings = {"%s", "<sql>select 1</sql><rollback>%s</rollback>"})
    @Proves({Capability.TIMEOUTS, Capability.ROLLBACK})
    void whatCommitsInJavaHasItsTimeoutsAgainAfterThat(String place) throws Exception {
        changelog.xml("<changeSet id=\"1\" author=\"bob\">" + place.formatted("""
                  <customChange class="io.pglock.liquibase.DoneOnceTest$Continuing"/>
                  <sql>create table items_and (timeout text default current_setting('lock_timeout'))</sql>
                  <sql>insert into items_and default values</sql>
                """) + "</changeSet>");

        liquibase(settings(), liquibase -> {
            liquibase.update("");
            if (place.contains("rollback")) {
                liquibase.rollback(1, "");
            }
        });

        assertThat(value("select timeout from items_and")).isEqualTo("1s");
        try (Connection connection = dataSource.getConnection()) {
            execute(connection, "drop table items_and");
        }
    }

    /** In Java, both ways: it has inserted before it is blocked, and may have committed that. */
    public abstract static class Undoing extends JavaChange implements CustomTaskRollback {

        private final boolean committing;

        Undoing(boolean committing) {
            this.committing = committing;
        }

        @Override
        void execute(Connection connection) throws SQLException {
            LiquibaseScene.execute(connection, "alter table orders add note text");
        }

        @Override
        public void rollback(Database database) throws CustomChangeException {
            run(database, connection -> {
                LiquibaseScene.execute(connection, "insert into items values (1)");
                if (committing) {
                    connection.commit();
                    LiquibaseScene.execute(connection, "set local lock_timeout = '1s'");
                }
                LiquibaseScene.execute(connection, "alter table orders drop note");
            });
        }
    }

    /** All of it or nothing. */
    public static final class UndoingInOneTransaction extends Undoing {

        public UndoingInOneTransaction() {
            super(false);
        }
    }

    /** The first half in a transaction of its own. */
    public static final class UndoingInTwo extends Undoing {

        public UndoingInTwo() {
            super(true);
        }
    }

    private void undoneIn(Class<? extends Undoing> type) {
        changelog.xml(
                "<changeSet id=\"1\" author=\"bob\"><customChange class=\"" + type.getName() + "\"/></changeSet>");
    }

    @Test
    @Proves({Capability.CHANGESET_AGAIN, Capability.ROLLBACK})
    void aRollbackInJavaThatHasCommittedIsNotRunTwice() throws Exception {
        undoneIn(UndoingInTwo.class);
        update(settings());
        reader("web");

        assertThatThrownBy(() -> liquibase(attempts(3), liquibase -> liquibase.rollback(1, "")))
                .hasStackTraceContaining("canceling statement due to lock timeout");

        assertThat(value("select count(*) from items")).isEqualTo("1");
        assertSaidNotToBeTriedAgain(MAY_HAVE_ENDED);
    }

    @Test
    @Proves({Capability.CHANGESET_AGAIN, Capability.ROLLBACK})
    void aRollbackInJavaIsDoneOnceWhenWhoeverWasInTheWayIsGone() throws Exception {
        assumeFalse(
                LiquibaseUtil.getBuildVersion().matches("4\\.2\\d\\..*"),
                "up to 4.29 Liquibase itself runs a rollback in Java twice, once to log its SQL");
        undoneIn(UndoingInOneTransaction.class);
        update(settings());
        Session web = reader("web");

        FutureTask<Boolean> rolling = inBackground(settings(), liquibase -> liquibase.rollback(1, ""));
        awaitLog("rying again");
        web.commit();

        await(rolling);
        assertThat(value("select count(*) from items")).isEqualTo("1");
        assertThat(value("select count(*) from databasechangelog")).isEqualTo("0");
    }

    /** Undone in Java, with what Liquibase has for that. */
    public abstract static class UndoingByLiquibase extends JavaChange implements CustomTaskRollback {

        /** Undoes it. */
        abstract void undo(Executor executor, Connection connection) throws DatabaseException, SQLException;

        @SuppressWarnings("deprecation") // its successor has another constructor in 4.27
        static SqlStatement sql(String text) {
            return new RawSqlStatement(text);
        }

        @Override
        void execute(Connection connection) {}

        @Override
        public void rollback(Database database) throws CustomChangeException {
            run(database, connection -> {
                try {
                    undo(
                            Scope.getCurrentScope()
                                    .getSingleton(ExecutorService.class)
                                    .getExecutor("jdbc", database),
                            connection);
                } catch (DatabaseException e) {
                    throw new SQLException(e);
                }
            });
        }
    }

    /** Goes on when a part of it fails. */
    public static final class UndoingWhatItCan extends UndoingByLiquibase {

        @Override
        void undo(Executor executor, Connection connection) throws DatabaseException {
            executor.execute(new RawSQLChange("insert into items values (1)"));
            try {
                executor.execute(sql("alter table orders add note text"));
            } catch (DatabaseException passedOver) {
                // its transaction has failed, though
            }
            executor.execute(sql("insert into items values (2)"));
        }
    }

    /** As without pglock: what failed is not half undone, and then committed. */
    @Test
    @Proves(Capability.ROLLBACK)
    void aRollbackInJavaThatPassesOverAFailureFails() throws Exception {
        changelog.xml("<changeSet id=\"1\" author=\"bob\"><customChange class=\"" + UndoingWhatItCan.class.getName()
                + "\"/></changeSet>");
        update(settings());
        reader("web");

        assertThatThrownBy(() -> liquibase(attempts(3), liquibase -> liquibase.rollback(1, "")))
                .hasStackTraceContaining("current transaction is aborted");

        assertThat(value("select count(*) from items")).isEqualTo("0");
        assertThat(value("select count(*) from databasechangelog")).isEqualTo("1");
    }

    /** Commits, and then asks. */
    public static final class UndoingAndAsking extends UndoingByLiquibase {

        @Override
        void undo(Executor executor, Connection connection) throws DatabaseException, SQLException {
            connection.commit();
            LiquibaseScene.execute(connection, "select 1");
            String sql = "select extract(epoch from current_setting('lock_timeout')::interval)::int";
            Integer timeout = executor.queryForObject(sql(sql), Integer.class);
            LiquibaseScene.execute(connection, "insert into items values (%d)".formatted(timeout));
        }
    }

    @Test
    @Proves({Capability.TIMEOUTS, Capability.ROLLBACK})
    void whatIsAskedInARollbackAfterJavaThatCommitsHasItsTimeouts() throws Exception {
        changelog.xml("<changeSet id=\"1\" author=\"bob\"><customChange class=\"" + UndoingAndAsking.class.getName()
                + "\"/></changeSet>");

        liquibase(settings("lockTimeout", "7s"), liquibase -> {
            liquibase.update("");
            liquibase.rollback(1, "");
        });

        assertThat(value("select max(id) from items")).isEqualTo("7");
    }

    /** Liquibase then rolls back through that SQL alone: what its Java could undo is not asked for. */
    @Test
    @Proves({Capability.CHANGESET_AGAIN, Capability.ROLLBACK})
    void aRollbackInSqlOfJavaIsDoneOnceWhenItsCommitIsBlocked() throws Exception {
        aRollbackIsDoneOnceWhenItsCommitIsBlocked("");
    }

    /** Liquibase says when its Java has ended, and it has left its transaction alone. */
    @Test
    @Proves({Capability.CHANGESET_AGAIN, Capability.ROLLBACK})
    void aRollbackWithJavaIsDoneOnceWhenItsCommitIsBlocked() throws Exception {
        aRollbackIsDoneOnceWhenItsCommitIsBlocked(
                "<customChange class=\"io.pglock.liquibase.DoneOnceTest$Inserting\"/>");
        assertThat(value("select count(*) from items")).isEqualTo("2");
    }

    private void aRollbackIsDoneOnceWhenItsCommitIsBlocked(String first) throws Exception {
        changelog.xml("""
                <changeSet id="1" author="bob">
                  <customChange class="io.pglock.liquibase.DoneOnceTest$Inserting"/>
                  <rollback>%s<sql>insert into child values (1)</sql></rollback>
                </changeSet>
                """.formatted(first));
        update(settings());
        Session holder = holderOfTheParent();

        FutureTask<Boolean> rolling = inBackground(settings(), liquibase -> liquibase.rollback(1, ""));
        scenario.await(
                "the rollback is tried again, or over",
                () -> rolling.isDone() || said().stream().anyMatch(line -> line.contains("rying again")));
        holder.commit();

        await(rolling);
        assertThat(value("select count(*) from child")).isEqualTo("1");
        assertThat(value("select count(*) from databasechangelog")).isEqualTo("0");
    }

    /** Nobody is left with another kind of connection than he gave. */
    @Test
    @Proves(Capability.ROLLBACK)
    void aRollbackInJavaThatCannotBeginLeavesTheConnectionAsItWas(io.pglock.testkit.Database server) throws Exception {
        changelog.xml("""
                <changeSet id="1" author="bob" runInTransaction="false">
                  <sql>select 1</sql>
                  <rollback><customChange class="io.pglock.liquibase.DoneOnceTest$Inserting"/></rollback>
                </changeSet>
                """);
        update(settings());

        try (PgBouncer bouncer = PgBouncer.startOrSkip(server, "transaction")) {
            liquibase(bouncer.dataSource(), settings("prioritize", "off"), liquibase -> {
                assertThatThrownBy(() -> liquibase.rollback(1, "")).hasStackTraceContaining("is behind a pooler");

                assertThat(liquibase.getDatabase().getConnection().getAutoCommit())
                        .isFalse();
            });
        }
        assertThat(value("select count(*) from items")).isEqualTo("0");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "failOnError=\"false\""})
    @Proves({Capability.CHANGESET_AGAIN, Capability.FAIL_ON_ERROR})
    void aChangesetWhoseCommitIsBlockedIsAppliedOnce(String attributes) throws Exception {
        changelog.xml(REFERRING.formatted(attributes, "<sql>insert into items values (1)</sql>"));
        Session holder = holderOfTheParent();

        FutureTask<Boolean> updating = inBackground(settings());
        awaitLog("rying again");
        holder.commit();

        await(updating);
        assertThat(history()).isEqualTo("1 EXECUTED");
        assertThat(value("select count(*) from items")).isEqualTo("1");
    }

    @Test
    void aChangesetThatHasRunACommandIsNotRunTwice(@TempDir Path folder) throws Exception {
        Path written = folder.resolve("written");
        changelog.xml("""
                <changeSet id="1" author="bob">
                  <executeCommand executable="sh"><arg value="-c"/><arg value="echo x >> %s"/></executeCommand>
                  <sql>alter table orders add note text</sql>
                </changeSet>
                """.formatted(written));
        reader("web");

        assertThatThrownBy(() -> update(settings())).hasStackTraceContaining("canceling statement due to lock timeout");

        assertThat(said())
                .anySatisfy(line -> assertThat(line)
                        .contains("not tried again, because it runs a command of the operating system"));
        assertThat(Files.readString(written)).isEqualTo("x\n");
    }

    /** There each statement is run again by itself, and a command is none. */
    @Test
    @Proves(Capability.STATEMENT_AGAIN)
    void outsideOfATransactionACommandIsNoReasonAgainstAnotherAttempt(@TempDir Path folder) throws Exception {
        Path written = folder.resolve("written");
        changelog.xml("""
                <changeSet id="1" author="bob" runInTransaction="false">
                  <executeCommand executable="sh"><arg value="-c"/><arg value="echo x >> %s"/></executeCommand>
                  <sql>alter table orders add note text</sql>
                </changeSet>
                """.formatted(written));
        reader("web");

        assertThatThrownBy(() -> update(attempts(2)))
                .hasStackTraceContaining("canceling statement due to lock timeout");

        assertThat(said())
                .anyMatch(line -> line.contains("rying again"))
                .noneMatch(line -> line.contains("not tried again"));
        assertThat(Files.readString(written)).isEqualTo("x\n");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "<sql>select pg_advisory_lock(42)",
                "<sql>prepare p as select 1",
                "<sql splitStatements=\"false\">select 1; prepare p as select 1"
            })
    void aChangesetThatLeavesSomethingInItsSessionIsNotRunTwice(String sql) throws Exception {
        changelog.xml("<changeSet id=\"1\" author=\"bob\">" + sql
                + "</sql><sql>alter table orders add note text</sql></changeSet>");
        reader("web");

        assertThatThrownBy(() -> update(attempts(2)))
                .hasStackTraceContaining("canceling statement due to lock timeout");

        assertSaidNotToBeTriedAgain(
                "a lock of the session and a prepared statement are not undone with its transaction");
    }

    /** Liquibase runs it when it is asked for its SQL. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    @Proves(Capability.STATEMENT_AGAIN)
    void aCommandIsRunOnceWhereNothingIsInTheWay(boolean inTransaction, @TempDir Path folder) throws Exception {
        Path written = folder.resolve("written");
        changelog.xml("""
                <changeSet id="1" author="bob" runInTransaction="%s">
                  <executeCommand executable="sh"><arg value="-c"/><arg value="echo x >> %s"/></executeCommand>
                </changeSet>
                """.formatted(inTransaction, written));

        update(settings());

        assertThat(Files.readString(written)).isEqualTo("x\n");
    }

    @Test
    @Proves({Capability.CHANGESET_AGAIN, Capability.ROLLBACK})
    void aRollbackThatHasRunACommandIsNotRunTwice(@TempDir Path folder) throws Exception {
        Path written = folder.resolve("written");
        changelog.xml("""
                <changeSet id="1" author="bob">
                  <sql>insert into items values (1)</sql>
                  <rollback>
                    <executeCommand executable="sh"><arg value="-c"/><arg value="echo x >> %s"/></executeCommand>
                    <sql>alter table orders add note text</sql>
                  </rollback>
                </changeSet>
                """.formatted(written));
        update(settings());
        reader("web");

        assertThatThrownBy(() -> liquibase(attempts(2), liquibase -> liquibase.rollback(1, "")))
                .hasStackTraceContaining("canceling statement due to lock timeout");

        assertThat(said())
                .anySatisfy(line -> assertThat(line)
                        .contains("not tried again, because it runs a command of the operating system"));
        assertThat(Files.readString(written)).isEqualTo("x\n");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "<sql>select pg_advisory_lock(42)</sql>",
                "<sql>insert into items values (1); commit</sql>",
                "<sql splitStatements=\"false\">insert into items values (1); commit; select 1</sql>"
            })
    @Proves(Capability.GIVING_WAY)
    void makesNoWayWhereItCouldNotComeBack(String staying) throws Exception {
        changelog.xml("<changeSet id=\"1\" author=\"bob\">" + staying
                + "<sql>alter table orders add note text</sql></changeSet>");
        Session web = reader("web");

        FutureTask<Boolean> updating = inBackground(settings("lockTimeout", "30s", "maxBlockedTime", "100ms"));
        Running victim = awaitVictim(updating);
        web.commit();

        await(updating);
        assertThat(history()).isEqualTo("1 EXECUTED");
        assertThat(victim.result()).containsExactly("0");
    }
}
