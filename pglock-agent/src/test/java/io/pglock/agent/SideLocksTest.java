// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.LockHandle;
import io.pglock.PgLock;
import io.pglock.testkit.Database;
import io.pglock.testkit.ForkedJvm;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Locks that are held by a connection of the agent's own while a method runs: between JVMs, and when they come to grief. */
@PostgresTest
@DisabledOnOs(OS.WINDOWS)
class SideLocksTest {

    private static final Duration TO_START = Duration.ofSeconds(30);

    /** Whoever holds the lock: it is the only key of one number that is not one of pglock's announcements. */
    private static final String HOLDERS = """
            select pid from pg_locks join pg_stat_activity using (pid)
            where locktype = 'advisory' and granted and mode = 'ExclusiveLock' and objsubid = 1 and pid <> pg_backend_pid()""";

    private static final String WHERE_HELD =
            HOLDERS.replace("select pid from", "select datname from").replace("and pid <>", "and pg_locks.pid <>");

    private final Database database;
    private final Scenario scenario;

    SideLocksTest(Database database, Scenario scenario) {
        this.database = database;
        this.scenario = scenario;
    }

    static Stream<Path> jvms() {
        return AgentJvm.jvms();
    }

    private ForkedJvm start(Path jvm, String settings) {
        return start(jvm, settings, database);
    }

    private ForkedJvm start(Path jvm, String settings, Database elsewhere) {
        return AgentJvm.with(settings, SideLocks.class)
                .java(jvm)
                .database(database)
                .arguments(AgentJvm.driver("42.5.6").toString(), elsewhere.url())
                .options("-XX:TieredStopAtLevel=1")
                .start();
    }

    private List<Integer> holders() throws SQLException {
        Connection observer = scenario.observer();
        List<Integer> found = new java.util.ArrayList<>();
        try (Statement statement = observer.createStatement();
                ResultSet rows = statement.executeQuery(HOLDERS)) {
            while (rows.next()) {
                found.add(rows.getInt(1));
            }
        }
        return found;
    }

    /** What it answers to that; its answer begins so. */
    private static String ask(ForkedJvm jvm, String what, String answer) {
        jvm.send(what);
        return jvm.awaitLine(answer);
    }

    private static void end(ForkedJvm jvm) {
        jvm.send("end");
        assertThat(jvm.exitCode()).isZero();
    }

    @ParameterizedTest
    @MethodSource("jvms")
    void oneOfTwoJvmsHoldsItUntilItsMethodReturnsOrItIsKilled(Path jvm) throws SQLException {
        try (ForkedJvm one = start(jvm, "");
                ForkedJvm other = start(jvm, "")) {
            one.awaitLine("ready", TO_START);
            other.awaitLine("ready", TO_START);
            ask(one, "hold", "holds");
            assertThat(holders()).hasSize(1);

            assertThat(ask(other, "try", "returned")).isEqualTo("returned: skipped");
            assertThat(ask(other, "try soon", "returned")).startsWith("returned: LockTimeoutException: ");

            assertThat(ask(one, "done", "returned")).isEqualTo("returned: done");
            scenario.await("nobody to hold it", () -> holders().isEmpty());
            assertThat(ask(other, "try", "returned")).isEqualTo("returned: ran");

            ask(one, "hold", "holds");
            one.kill();
            ask(other, "hold", "holds");
            assertThat(ask(other, "done", "returned")).isEqualTo("returned: done");
            end(other);
        }
    }

    /** As in a job that is to run once, whichever instance comes first. */
    @ParameterizedTest
    @MethodSource("jvms")
    void withoutATimeoutWhoeverComesSecondIsSkippedAtOnce(Path jvm) throws SQLException {
        try (ForkedJvm one = start(jvm, "");
                ForkedJvm other = start(jvm, "")) {
            one.awaitLine("ready", TO_START);
            other.awaitLine("ready", TO_START);
            ask(one, "hold", "holds");

            assertThat(ask(other, "try at once", "returned")).isEqualTo("returned: skipped");

            assertThat(ask(one, "done", "returned")).isEqualTo("returned: done");
            scenario.await("nobody to hold it", () -> holders().isEmpty());
            assertThat(ask(other, "try at once", "returned")).isEqualTo("returned: ran");
            assertThat(other.output()).noneMatch(line -> line.contains("[pglock] WARN"));
            end(one);
            end(other);
        }
    }

    /** Whoever else wants a connection of the pool that the method opens must not wait for a lock that is not its own. */
    @ParameterizedTest
    @MethodSource("jvms")
    void aPoolThatTheMethodOpensIsThereForOthersWhileItWaits(Path jvm) throws SQLException {
        try (ForkedJvm one = start(jvm, "");
                ForkedJvm other = start(jvm, "")) {
            one.awaitLine("ready", TO_START);
            other.awaitLine("ready", TO_START);
            ask(one, "hold", "holds");

            assertThat(ask(other, "open a pool", "second")).isEqualTo("second: served");
            assertThat(other.output()).noneMatch(line -> line.startsWith("returned"));

            assertThat(ask(one, "done", "returned")).isEqualTo("returned: done");
            assertThat(other.awaitLine("returned")).isEqualTo("returned: ran");
            end(one);
            end(other);
        }
    }

    /** Whatever each of them had opened before: the only database so far need not be the method's. */
    @ParameterizedTest
    @MethodSource("jvms")
    void isHeldWhereTheMethodsConnectionsLead(Path jvm) throws SQLException {
        try (Database second = database.server().createDatabase();
                ForkedJvm one = start(jvm, "", second);
                ForkedJvm other = start(jvm, "", second)) {
            one.awaitLine("ready", TO_START);
            other.awaitLine("ready", TO_START);
            ask(one, "connect elsewhere", "connected");
            ask(one, "hold", "holds");
            assertThat(scenario.session("test").execute(WHERE_HELD)).containsExactly(database.name());

            ask(other, "connect", "connected");
            ask(other, "connect elsewhere", "connected");
            assertThat(ask(other, "try", "returned")).isEqualTo("returned: skipped");
            assertThat(other.output()).noneMatch(line -> line.contains("ran without its advisory lock"));

            assertThat(ask(one, "done", "returned")).isEqualTo("returned: done");
            assertThat(ask(other, "try", "returned")).isEqualTo("returned: ran");
            end(one);
            end(other);
        }
    }

    /** One that was opened by the way says nothing: in an instance where that was open before it would not be seen. */
    @ParameterizedTest
    @MethodSource("jvms")
    void isHeldWhereTheFirstConnectionLeadsThatIsUsed(Path jvm) throws SQLException {
        try (Database second = database.server().createDatabase();
                ForkedJvm application = start(jvm, "", second)) {
            application.awaitLine("ready", TO_START);
            ask(application, "open elsewhere and run", "holds");

            assertThat(scenario.session("test").execute(WHERE_HELD)).containsExactly(database.name());
            assertThat(ask(application, "done", "returned")).isEqualTo("returned: done");
            end(application);
        }
    }

    /** Each of these would wait for a session of its own JVM's, if it took the lock on another one. */
    @ParameterizedTest
    @MethodSource("jvms")
    void whoeverHasItGetsItAgainByWhateverUrlAndDriver(Path jvm) {
        for (String nested : List.of(
                "nested, before any use", "nested, after a use", "recursive", "nested, through another driver")) {
            try (ForkedJvm application = start(jvm, "")) {
                application.awaitLine("ready", TO_START);
                ask(application, "connect", "connected");
                for (int times = 0; times < 2; times++) { // the second time both URLs are known
                    assertThat(ask(application, nested, "returned")).as(nested).isIn("returned: ran", "returned: once");
                }
                scenario.await("nobody to hold it", () -> holders().isEmpty());
                end(application);
            }
        }
    }

    /** As an instance takes them that knew the database from the beginning: two orders are a deadlock that nobody sees. */
    @ParameterizedTest
    @MethodSource("jvms")
    void nestedMethodsThatMoveTakeTheirLocksInTheSameOrder(Path jvm) throws SQLException {
        Session test = scenario.session("test");
        try (Database second = database.server().createDatabase();
                ForkedJvm application = start(jvm, "", second)) {
            application.awaitLine("ready", TO_START);
            ask(application, "connect elsewhere", "connected");
            ask(application, "nested, two keys", "runs");
            assertThat(test.execute(WHERE_HELD)).containsExactly(second.name(), second.name());

            LockHandle other = PgLock.on(test.connection()).advisory("first").acquire();
            application.send("go");
            scenario.await(
                    "it to let go of both", () -> !test.execute(WHERE_HELD).contains(second.name()));
            assertThat(test.execute(WHERE_HELD))
                    .as("while it waits for the first")
                    .isEmpty();

            other.close();
            assertThat(application.awaitLine("returned")).isEqualTo("returned: ran");
            end(application);
        }
    }

    /** Nothing had been done under it. */
    @ParameterizedTest
    @MethodSource("jvms")
    void aLockThatIsLostWhereItDidNotBelongIsTakenWhereItDoes(Path jvm) throws SQLException {
        try (Database second = database.server().createDatabase();
                ForkedJvm application = start(jvm, "", second)) {
            application.awaitLine("ready", TO_START);
            ask(application, "connect elsewhere", "connected");
            ask(application, "run", "runs");
            int holder = holders().get(0);

            scenario.session("killer").execute("select pg_terminate_backend(" + holder + ")");
            scenario.awaitGone(holder);
            assertThat(ask(application, "go", "returned")).isEqualTo("returned: ran");
            end(application);
        }
    }

    @ParameterizedTest
    @MethodSource("jvms")
    void aLockThatIsLostIsToldAndRaisedInTheEnd(Path jvm) throws SQLException {
        try (ForkedJvm application = start(jvm, "")) {
            application.awaitLine("ready", TO_START);
            ask(application, "hold", "holds");
            int holder = holders().get(0);

            scenario.session("killer").execute("select pg_terminate_backend(" + holder + ")");
            scenario.awaitGone(holder);
            assertThat(ask(application, "done", "returned")).startsWith("returned: LockLostException: ");
            assertThat(application.output()).anyMatch(line -> line.contains("[pglock] WARN") && line.contains("lost"));
            assertThat(ask(application, "try", "returned")).isEqualTo("returned: ran");
            end(application);
        }
    }

    /** Where nobody knows the database yet the first connection tells; with a monitorUrl it need not. */
    @ParameterizedTest
    @MethodSource("jvms")
    void isTakenBeforeTheBodyWhereTheDatabaseIsKnown(Path jvm) throws SQLException {
        try (ForkedJvm application = start(jvm, "")) {
            application.awaitLine("ready", TO_START);
            ask(application, "without a connection", "runs");
            assertThat(holders()).as("before any connection").isEmpty();
            ask(application, "done", "returned");

            ask(application, "connect through another driver", "connected");
            ask(application, "without a connection", "runs");
            assertThat(holders())
                    .as("when only another application's driver has been used")
                    .isEmpty();
            ask(application, "done", "returned");

            ask(application, "connect", "connected");
            ask(application, "without a connection", "runs");
            assertThat(holders()).as("when its own driver knows the database").hasSize(1);
            ask(application, "done", "returned");
            end(application);
        }
        String monitor = "monitorUrl=" + database.url() + ";monitorUser=" + database.user() + ";monitorPassword="
                + database.password();
        try (ForkedJvm application = start(jvm, monitor)) {
            application.awaitLine("ready", TO_START);
            ask(application, "without a connection", "runs");
            assertThat(holders()).as("by the monitor's URL").hasSize(1);
            ask(application, "done", "returned");

            ask(application, "connect through another driver", "connected");
            ask(application, "without a connection", "runs");
            assertThat(holders())
                    .as("by the monitor's URL, beside another driver")
                    .hasSize(1);
            ask(application, "done", "returned");
            end(application);
        }
    }
}
