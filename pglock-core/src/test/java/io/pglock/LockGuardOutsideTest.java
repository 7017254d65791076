// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.LockPolicy.Priority;
import io.pglock.testkit.Call;
import io.pglock.testkit.Database;
import io.pglock.testkit.Running;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import io.pglock.testkit.TcpProxy;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The pause is spent where nobody has to wait behind the unit, and ends when those who were in the way have let go. */
@Timeout(60)
class LockGuardOutsideTest extends GuardScene {

    private final Database database;

    LockGuardOutsideTest(Scenario scenario, DataSource side, Database database) {
        super(scenario, side);
        this.database = database;
    }

    @Test
    void nobodyQueuesBehindAPausingUnit() {
        Session web = idleInTransaction("web");
        Call<String> unit = altering(patient(), ALTER);
        awaitPause();

        scenario.session("reader").execute("select * from orders");
        assertThat(scenario.pidsBlocking(web)).isEmpty();
        assertThat(unit.isDone()).isFalse();

        web.commit();
        assertThat(unit.await()).isEqualTo("done");
    }

    @Test
    void aBlockerThatGoesBackToASavepointAndKeepsAWeakerLockIsOutOfTheWay() {
        Session web = idleInTransaction("web");
        web.execute("savepoint before", "lock table orders in row exclusive mode");
        Call<String> unit = altering(patient(), "create index on orders (id)");
        awaitPause();

        web.execute("rollback to savepoint before");

        assertThat(unit.await()).isEqualTo("done");
        web.commit();
    }

    @Test
    void aSessionThatUnlocksItsAdvisoryLockIsOutOfTheWay() {
        Session job = scenario.session("job");
        job.execute("select pg_advisory_lock(42)");
        Call<String> unit = altering(patient(), "select pg_advisory_xact_lock(42)");
        awaitPause();

        job.execute("select pg_advisory_unlock(42)");

        assertThat(unit.await()).isEqualTo("done");
    }

    @Test
    void aSessionThatKeepsItsAdvisoryLockThroughItsTransactionsIsNot() {
        Session job = scenario.session("job");
        job.execute("select pg_advisory_lock(42)");
        Call<String> unit = altering(patient(), "select pg_advisory_xact_lock(42)");
        awaitPause();

        job.execute("select 1", "select 2");
        awaitLooks();
        assertThat(unit.isDone()).isFalse();
        assertThat(said).hasSize(1);

        job.execute("select pg_advisory_unlock_all()");
        assertThat(unit.await()).isEqualTo("done");
    }

    @Test
    void aPreparedTransactionThatIsRolledBackIsOutOfTheWay() {
        scenario.assumePreparedTransactions();
        Session web = idleInTransaction("web");
        web.execute("prepare transaction 'left alone'");
        Call<String> unit = altering(patient(), ALTER);
        awaitPause();
        assertThat(said.get(0)).contains("left alone");

        web.execute("rollback prepared 'left alone'");

        assertThat(unit.await()).isEqualTo("done");
    }

    @Test
    void waitsForAllOfThem() {
        Session web = idleInTransaction("web");
        Session other = idleInTransaction("other");
        Call<String> unit = altering(patient(), ALTER);
        awaitPause();
        assertThat(said.get(0)).contains("Trying again when they are gone");

        web.commit();
        awaitLooks();
        assertThat(unit.isDone()).isFalse();
        assertThat(said).hasSize(1);

        other.commit();
        assertThat(unit.await()).isEqualTo("done");
    }

    @Test
    void waitsForWhoeverComesMeanwhileAndStays() {
        Session web = idleInTransaction("web");
        Session reader = scenario.session("reader");
        LockPolicy policy = patient().lockTimeout(Duration.ofMinutes(5)).maxBlockedTime(Duration.ofMillis(40));
        Call<String> unit = altering(policy, ALTER);
        scenario.awaitBlockedBy(migration(), web);
        reader.execute("select * from orders"); // makes it give way
        awaitPause();
        awaitLookFromOutside();
        Session other = idleInTransaction("other");
        awaitSeenToStay(policy.maxBlockedTime().orElseThrow());

        web.commit();
        awaitLooks();
        scenario.session("reader").execute("select * from orders");
        assertThat(scenario.pidsBlocking(migration())).isEmpty();
        assertThat(said.stream().filter(line -> line.contains("Trying again"))).hasSize(1);

        other.commit();
        assertThat(unit.await()).isEqualTo("done");
    }

    private void awaitLookFromOutside() {
        scenario.await(
                "the watch to look who still holds what the unit wants",
                () -> scenario.queriesOfTheWatch().stream().anyMatch(query -> query.contains("s(tag, modes)")));
    }

    /** The watch has seen who holds a lock now, and sees the same when the time is over. */
    private void awaitSeenToStay(Duration longerThan) {
        awaitLooks();
        long seen = System.nanoTime();
        scenario.await(
                "the time to be over for which others may wait", () -> System.nanoTime() - seen > longerThan.toNanos());
        awaitLooks();
    }

    @Test
    void whereSomebodyMayBeSignalledWhoeverComesMeanwhileIsMetInTheQueue() {
        Session web = idleInTransaction("pg_dump"); // protected
        LockPolicy policy =
                terminating(patient()).lockTimeout(Duration.ofMinutes(5)).maxBlockedTime(Duration.ofMillis(40));
        Call<String> unit = altering(policy, ALTER);
        scenario.awaitBlockedBy(migration(), web);
        scenario.session("reader").execute("select * from orders");
        awaitPause();
        Session other = idleInTransaction("other");
        awaitLooks();

        web.commit();

        assertThat(unit.await()).isEqualTo("done");
        scenario.awaitGone(other.pid());
    }

    @Test
    void withoutTheSideConnectionItComesBackAfterTheDelay() {
        TcpProxy proxy = TcpProxy.to(database.server().host(), database.server().port());
        Session web = idleInTransaction("web");
        Session reader = scenario.session("reader");
        LockPolicy policy = brisk().lockTimeout(Duration.ofSeconds(9)).maxBlockedTime(Duration.ofMillis(20));
        Call<String> unit = migration().run(connection -> {
            try (LockGuard guard = LockGuard.open("unit", connection, proxy.dataSource(database), policy, this::say)) {
                guard.run(
                        () -> {
                            execute(connection, ALTER);
                            return true;
                        },
                        LockGuard.Undo.NOTHING);
                return "done";
            }
        });
        scenario.awaitBlockedBy(migration(), web);
        Running reading = reader.start("select * from orders");
        reading.await(); // for as long as the watch sees the blocker, the unit stays away
        awaitPause();

        proxy.close();

        scenario.awaitBlockedBy(migration(), web);
        web.commit();
        assertThat(unit.await()).isEqualTo("done");
    }

    @Test
    void aSideConnectionThatHangsDoesNotHoldUpTheUnit() {
        TcpProxy proxy = TcpProxy.to(database.server().host(), database.server().port());
        Session web = idleInTransaction("web");
        LockPolicy policy = brisk().prioritizeAfter(Duration.ofMinutes(1));
        Call<String> unit = migration().run(connection -> {
            try (LockGuard guard = LockGuard.open("unit", connection, proxy.dataSource(database), policy, this::say)) {
                guard.run(
                        () -> {
                            execute(connection, ALTER);
                            return true;
                        },
                        LockGuard.Undo.NOTHING);
                return "done";
            }
        });
        awaitPause();
        proxy.cutSilently();

        scenario.awaitBlockedBy(migration(), web);
        web.commit();
        scenario.await("the column", () -> hasColumn("note"));
        proxy.close();
        assertThat(unit.await()).isEqualTo("done");
    }

    // ---- who was cancelled and holds on -----------------------------------------------------------------------------

    /** The terminate is due only after the wait in the queue is over. */
    private static LockPolicy finishing() {
        return terminating(patient()).lockTimeout(Duration.ofSeconds(2)).prioritizeGrace(Duration.ofSeconds(3));
    }

    private int indexOf(String part) {
        return IntStream.range(0, said.size())
                .filter(i -> said.get(i).contains(part))
                .findFirst()
                .orElse(-1);
    }

    @Test
    void whoWasCancelledAndHoldsOnIsTerminatedInThePause() {
        Session web = stubborn("web");

        assertThat(altering(finishing(), ALTER).await()).isEqualTo("done");

        scenario.awaitGone(web.pid());
        assertThat(List.of(
                        indexOf("Cancelled the statement of pid " + web.pid()),
                        indexOf("Trying again"),
                        indexOf("Terminated pid " + web.pid())))
                .isSorted()
                .doesNotContain(-1);
        assertThat(said.stream().filter(line -> line.contains("Trying again"))).hasSize(1);
    }

    @Test
    void whoIdlesInAFailedTransactionAndHoldsOnIsTerminatedInThePause() {
        Session web = idleInTransaction("web");
        web.execute("savepoint before");
        Running query = web.start("select pg_sleep(300)");
        scenario.awaitState(web, "active");

        assertThat(altering(finishing(), ALTER).await()).isEqualTo("done");

        assertThat(query.awaitFailure().getSQLState()).isEqualTo("57014");
        scenario.awaitGone(web.pid());
    }

    @Test
    void whoWasCancelledAndGoesOnToSomethingElseIsSpared() throws SQLException {
        Session web = idleInTransaction("web");
        Running query = web.start("select pg_sleep(300)");
        scenario.awaitState(web, "active");
        Call<String> unit = altering(finishing().prioritizeGrace(Duration.ofSeconds(5)), ALTER);

        assertThat(query.awaitFailure().getSQLState()).isEqualTo("57014");
        web.rollback();
        web.begin();
        web.execute("select 1");

        assertThat(unit.await()).isEqualTo("done");
        assertThat(web.execute("select 1")).containsExactly("1");
        web.commit();
    }

    @Test
    void nobodyIsTerminatedWhereThatWasNotAskedFor() {
        for (Priority priority : List.of(Priority.REPORT, Priority.CANCEL)) {
            said.clear();
            Session web = stubborn("web");
            Call<String> unit = altering(finishing().prioritize(priority).prioritizeGrace(Duration.ofMillis(1)), ALTER);
            awaitPause();
            awaitLooks();
            assertThat(said).noneMatch(line -> line.contains("Terminated"));
            scenario.awaitState(web, "active");

            web.close();
            assertThat(unit.await()).isEqualTo("done");
            migration().execute("alter table orders drop column note");
        }
    }

    @Test
    void whoIsProtectedIsNeverSignalledThereEither() {
        Session web = stubborn("pg_dump");
        Call<String> unit = altering(finishing().prioritizeGrace(Duration.ofMillis(1)), ALTER);
        awaitPause();
        awaitLooks();
        assertThat(said).noneMatch(line -> line.contains("Terminated")).noneMatch(line -> line.contains("Cancelled"));

        web.close();
        assertThat(unit.await()).isEqualTo("done");
    }

    // ---- who will not be signalled ----------------------------------------------------------------------------------

    /** The unit gives way once to a reader behind it, and would be back after 50 ms. */
    private Call<String> givingWay(Session holder, LockPolicy policy) {
        Call<String> unit =
                altering(policy.lockTimeout(Duration.ofMinutes(5)).maxBlockedTime(Duration.ofMillis(40)), ALTER);
        scenario.awaitBlockedBy(migration(), holder);
        scenario.session("reader").execute("select * from orders");
        awaitPause();
        return unit;
    }

    private void staysAway() {
        for (int i = 0; i < 3; i++) {
            awaitLooks();
            assertThat(scenario.pidsBlocking(migration())).isEmpty();
        }
        assertThat(said.stream().filter(line -> line.contains("Trying again"))).hasSize(1);
    }

    @Test
    void staysAwayWhileSomebodyIsInTheWayWhomItWillNeverSignal() {
        Session dump = idleInTransaction("pg_dump");
        Call<String> unit = givingWay(dump, terminating(brisk()));

        staysAway();

        dump.commit();
        assertThat(unit.await()).isEqualTo("done");
    }

    @Test
    void staysAwayUntilWhoIsInTheWayIsOldEnoughToBeSignalled() {
        Duration age = Duration.ofSeconds(5);
        long begun = System.nanoTime();
        Session web = idleInTransaction("web");
        Call<String> unit = givingWay(web, terminating(brisk()).prioritizeMinAge(age));

        scenario.await("the migration to be back", () -> {
            if (scenario.pidsBlocking(migration()).isEmpty()) {
                return hasSaid("Terminated");
            }
            assertThat(Duration.ofNanos(System.nanoTime() - begun)).isGreaterThanOrEqualTo(age);
            return true;
        });

        assertThat(unit.await()).isEqualTo("done");
        scenario.awaitGone(web.pid());
        assertThat(said.stream().filter(line -> line.contains("Trying again"))).hasSize(1);
    }
}
