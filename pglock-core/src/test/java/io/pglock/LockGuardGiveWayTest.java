// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.testkit.Call;
import io.pglock.testkit.CheckedFunction;
import io.pglock.testkit.Database;
import io.pglock.testkit.Role;
import io.pglock.testkit.Running;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A unit that can be tried again lets those pass who have waited behind it. */
@Timeout(60)
class LockGuardGiveWayTest extends GuardScene {

    private static final String BUILD = "create index concurrently on orders (id)";

    private final Database database;

    LockGuardGiveWayTest(Scenario scenario, DataSource side, Database database) {
        super(scenario, side);
        this.database = database;
    }

    /** Waits for longer than the test for a lock, but for nobody behind it. */
    private static LockPolicy yielding() {
        return patient().lockTimeout(Duration.ofMinutes(5)).maxBlockedTime(Duration.ofMillis(100));
    }

    private Running readingBehindTheMigration(String name) {
        Session reader = scenario.session(name);
        Running reading = reader.start("select * from orders");
        scenario.awaitBlockedBy(reader, migration());
        return reading;
    }

    /** Somebody has to wait behind it and, sooner than another session could be sure to see that, is made way for. */
    private void readBehindTheMigration() {
        scenario.session("reader").execute("select * from orders");
    }

    @Test
    void whoeverQueuesBehindItGetsThroughWhileTheBlockerStillHoldsItsLock() {
        Session web = idleInTransaction("web");
        Call<String> unit = replaying(yielding(), ALTER);
        scenario.awaitBlockedBy(migration(), web);

        readBehindTheMigration();
        awaitPause();
        assertThat(said)
                .anySatisfy(line -> assertThat(line)
                        .startsWith("INFO V7__note.sql: made way for 1 session that had waited behind it for up to ")
                        .contains(", blocked by pid " + web.pid() + " (web, ")
                        .contains(". Trying again when it is gone (attempt 2, "));
        scenario.session("reader").execute("select * from orders");
        web.commit();

        assertThat(unit.await()).isEqualTo("done");
    }

    /** Pausing with those would make others wait, so it could not come back. */
    @Test
    void notInATransactionThatHoldsLocksFromBefore() {
        Session web = idleInTransaction("web");
        Call<String> unit = replayingAfter(yielding(), "insert into orders values (1)", ALTER);
        staysInTheQueue(web, unit);
    }

    /** Also where it is the caller's savepoint, or none at all, that it would be undone by. */
    @ParameterizedTest
    @ValueSource(strings = {"rollback to before", "rollback"})
    void notAfterSomethingElseInTheTransaction(String undo) {
        Session web = idleInTransaction("web");
        Call<String> unit = migration().run(connection -> {
            connection.setAutoCommit(false);
            execute(connection, "insert into orders values (1)", "savepoint before");
            LockGuard guard = open(connection, yielding());
            return ending(connection, guard, () -> execute(connection, ALTER), () -> execute(connection, undo));
        });
        staysInTheQueue(web, unit);
    }

    /** Whoever merely reads is in nobody's way. */
    @Test
    void inATransactionThatHasOnlyReadBefore() {
        Session web = idleInTransaction("web");
        Call<String> unit = replayingAfter(yielding(), "select count(*) from orders", ALTER);
        makesWayAndComesBack(web, unit);
    }

    /** Which would be lost with it, although it has not begun yet. */
    @Test
    void notWithAStatementThatBeginsATransactionAndIsNotUndone() {
        Session web = idleInTransaction("web");
        Call<String> unit = migration().run(connection -> {
            connection.setAutoCommit(false);
            LockGuard guard = open(connection, yielding().noLockTimeout());
            return ending(connection, guard, () -> execute(connection, ALTER), LockGuard.Undo.NOTHING);
        });
        staysInTheQueue(web, unit);
    }

    private void makesWayAndComesBack(Session web, Call<String> unit) {
        scenario.awaitBlockedBy(migration(), web);

        readBehindTheMigration();
        awaitPause();
        web.commit();

        assertThat(unit.await()).isEqualTo("done");
    }

    private void staysInTheQueue(Session web, Call<String> unit) {
        scenario.awaitBlockedBy(migration(), web);
        Running reading = readingBehindTheMigration("reader");
        awaitLooks();
        assertThat(reading.isDone()).isFalse();
        assertThat(unit.isDone()).isFalse();
        web.commit();
        assertThat(unit.await()).isEqualTo("done");
        reading.await();
    }

    @Test
    void alsoWhereALibraryWrapsWhatTheDriverReports() {
        Session web = idleInTransaction("web");
        Call<String> unit = guarded(yielding(), connection -> wrapped(connection, ALTER), Connection::rollback);
        makesWayAndComesBack(web, unit);
    }

    @Test
    void andWhatTheLibraryThrewComesOutInTheEnd() {
        Session web = idleInTransaction("web");
        LockPolicy twice = brisk().lockTimeout(Duration.ofMillis(100)).retryAttempts(2);

        IllegalStateException thrown = guarded(twice, connection -> wrapped(connection, ALTER), Connection::rollback)
                .awaitFailure(IllegalStateException.class);

        assertThat(thrown).hasMessage("as of a library");
        assertThat(hasSaid("(attempt 2, ")).isTrue();
        web.commit();
    }

    private static void wrapped(Connection connection, String sql) {
        try {
            execute(connection, sql);
        } catch (SQLException e) {
            throw new IllegalStateException("as of a library", e);
        }
    }

    @Test
    void atOnceBehindATransactionThatIsOlderThanAnybodyMayWait() {
        Session web = idleInTransaction("web");
        LockPolicy policy = yielding().maxBlockedTime(Duration.ofSeconds(3));
        scenario.await("web's transaction to be older than that", () -> xactAge(web) > 3);
        Call<String> unit = altering(policy, ALTER);
        scenario.awaitBlockedBy(migration(), web);

        readBehindTheMigration();

        awaitPause();
        String madeWay = said.stream()
                .filter(line -> line.contains("made way for 1 session"))
                .findFirst()
                .orElseThrow();
        assertThat(madeWay).containsPattern("waited behind it for up to \\d+ms, ");
        web.commit();
        assertThat(unit.await()).isEqualTo("done");
    }

    private double xactAge(Session session) {
        return Double.parseDouble(scenario.session("clock")
                .execute("select extract(epoch from clock_timestamp() - xact_start) from pg_stat_activity where pid = "
                        + session.pid())
                .get(0));
    }

    @Test
    void onceMoreThanTheMostHaveQueuedBehindIt() {
        Session web = idleInTransaction("web");
        Call<String> unit = altering(yielding().noMaxBlockedTime().maxVictims(1), ALTER);
        scenario.awaitBlockedBy(migration(), web);
        Running first = readingBehindTheMigration("first");
        awaitLooks();
        assertThat(first.isDone()).isFalse();

        Running second = scenario.session("second").start("select * from orders");

        first.await();
        second.await();
        awaitPause();
        assertThat(hasSaid("made way for 2 sessions that ")).isTrue();
        web.commit();
        assertThat(unit.await()).isEqualTo("done");
    }

    @Test
    void staysInTheQueueWhileNobodyIsBehindIt() {
        Session web = idleInTransaction("web");
        Call<String> unit = altering(yielding().maxBlockedTime(Duration.ZERO).maxVictims(0), ALTER);
        scenario.awaitBlockedBy(migration(), web);

        awaitLooks();
        scenario.awaitBlockedBy(migration(), web);
        assertThat(hasSaid("made way")).isFalse();

        web.commit();
        assertThat(unit.await()).isEqualTo("done");
        assertThat(hasSaid("attempt 2")).isFalse();
    }

    private void staysInTheQueue(LockPolicy policy) {
        Session web = idleInTransaction("web");
        Call<String> unit = altering(policy.maxBlockedTime(Duration.ZERO), ALTER);
        scenario.awaitBlockedBy(migration(), web);
        Running reading = readingBehindTheMigration("reader");

        awaitLooks();
        assertThat(reading.isDone()).isFalse();
        web.commit();

        assertThat(unit.await()).isEqualTo("done");
        reading.await();
    }

    @Test
    void itsOnlyAttemptDoesNotGiveWay() {
        staysInTheQueue(yielding().retryAttempts(1));
    }

    @Test
    void whatIsNeverTriedAgainDoesNotGiveWay() {
        staysInTheQueue(yielding().retryDeadline(Duration.ZERO));
    }

    @Test
    void theLastAttemptDoesNotGiveWay() {
        Session web = idleInTransaction("web");
        Call<String> unit = altering(
                brisk().lockTimeout(Duration.ofSeconds(9)).retryAttempts(2).retryDelay(HOUR), ALTER);
        scenario.awaitBlockedBy(migration(), web);
        readBehindTheMigration();
        awaitPause();
        web.commit();
        // the second one is through at once; its readers would have waited for it
        assertThat(unit.await()).isEqualTo("done");
    }

    @Test
    void alsoForThoseWhoWaitForWhatItHasLockedBefore() {
        migration().execute("drop table if exists items", "create table items (id int)");
        Session web = idleInTransaction("web");
        Call<String> unit = altering(yielding(), "alter table items add column note text", ALTER);
        scenario.awaitBlockedBy(migration(), web);

        scenario.session("reader").start("select * from items").await();

        awaitPause();
        web.commit();
        assertThat(unit.await()).isEqualTo("done");
    }

    @Test
    void aBlockerThatIsMerelyQueuedAheadDoesNotKeepItFromGivingWay() {
        Session web = idleInTransaction("web");
        Session ahead = scenario.session("ahead");
        Running locking = ahead.start("begin", "lock table orders in access exclusive mode", "commit");
        scenario.awaitBlockedBy(ahead, web);
        // SHARE goes together with what web holds: only the queue is in the way
        Call<String> unit = altering(
                yielding().retryDelay(Duration.ofMillis(50)).retryMaxDelay(Duration.ofMillis(50)),
                "lock table orders in share mode");
        scenario.awaitBlockedBy(migration(), ahead);
        Session writer = scenario.session("writer");
        Running writing = writer.start("insert into orders values (1)");
        scenario.await("the unit to give way", () -> hasSaid("made way for 1 session"));

        web.commit();
        writing.await();
        assertThat(unit.await()).isEqualTo("done");
        assertThat(locking.isDone()).isTrue();
    }

    /** Behind somebody who keeps the build from its first lock, and before somebody whom that keeps waiting. */
    private void isNeverCancelled(CheckedFunction<Connection, String> building) {
        Session web = inTransaction("web", "lock table orders in share update exclusive mode");
        Call<String> unit = migration().run(building);
        scenario.awaitBlockedBy(migration(), web);
        Session behind = scenario.session("behind");
        Running vacuuming = behind.start("vacuum orders");
        scenario.awaitBlockedBy(behind, migration());

        awaitLooks();
        scenario.awaitBlockedBy(migration(), web);
        web.commit();

        assertThat(unit.await()).isEqualTo("done");
        vacuuming.await();
        assertThat(said).noneMatch(line -> line.contains("made way"));
    }

    private String build(Connection connection, String first) throws SQLException {
        try (LockGuard guard = open(connection, yielding().maxBlockedTime(Duration.ZERO))) {
            execute(connection, first);
            guard.beforeStatement(BUILD);
            guard.run(
                    () -> {
                        execute(connection, BUILD);
                        return true;
                    },
                    LockGuard.Undo.NOTHING);
            guard.afterStatement();
            execute(connection, "reset lock_timeout");
            return "done";
        }
    }

    @Test
    void concurrentlyIsNeverCancelled() {
        isNeverCancelled(connection -> build(connection, "select 1"));
    }

    @Test
    void concurrentlyIsNeverCancelledEvenIfTheUnitHasItsOwnLockTimeout() {
        isNeverCancelled(connection -> build(connection, "set lock_timeout = '5min'"));
    }

    @Test
    void concurrentlyIsNeverCancelledEvenIfItIsToldOfWithinTheAttempt() {
        isNeverCancelled(connection -> {
            try (LockGuard guard = open(connection, yielding().maxBlockedTime(Duration.ZERO))) {
                guard.run(
                        () -> {
                            guard.beforeStatement(BUILD);
                            execute(connection, BUILD);
                            guard.afterStatement();
                            return true;
                        },
                        LockGuard.Undo.NOTHING);
                return "done";
            }
        });
    }

    @Test
    void theStatementAfterOneThatSaysConcurrentlyGivesWayAgain() {
        AtomicInteger attempt = new AtomicInteger();
        Session web = scenario.session("web");
        Call<String> unit = migration().run(connection -> {
            try (LockGuard guard = open(connection, yielding().maxBlockedTime(Duration.ZERO))) {
                guard.run(
                        () -> {
                            if (attempt.getAndIncrement() == 0) {
                                guard.beforeStatement(BUILD);
                                execute(connection, BUILD);
                                guard.afterStatement();
                                web.execute("begin", "select * from orders");
                                assertThat(guard.concerns(ALTER)).isTrue();
                            }
                            guard.beforeStatement(ALTER);
                            assertThat(guard.concerns(ALTER)).isFalse();
                            execute(connection, ALTER);
                            return true;
                        },
                        LockGuard.Undo.NOTHING);
                return "done";
            }
        });
        scenario.awaitBlockedBy(migration(), web);
        scenario.session("reader").execute("select * from orders");
        awaitPause();
        web.commit();
        assertThat(unit.await()).isEqualTo("done");
    }

    @Test
    void theStatementAfterOneThatSaysConcurrentlyFailsByItsOwnLockTimeout() {
        Session web = scenario.session("web");
        LockPolicy policy = patient()
                .lockTimeout(Duration.ofMillis(300))
                .concurrentLockTimeout(Duration.ofMillis(200))
                .retryAttempts(1);
        String failed = migration()
                .run(connection -> {
                    try (LockGuard guard = open(connection, policy)) {
                        guard.beforeStatement(BUILD);
                        execute(connection, BUILD);
                        guard.afterStatement();
                        web.execute("begin", "select * from orders");
                        guard.beforeStatement(ALTER);
                        try {
                            execute(connection, ALTER);
                            return "done";
                        } catch (SQLException e) {
                            return guard.failed(e).orElse("nothing to say");
                        }
                    }
                })
                .await();
        assertThat(failed)
                .startsWith("V7__note.sql: not locked within 300ms, blocked by ")
                .contains("pid " + web.pid());
        web.commit();
    }

    @Test
    void aRoleThatMayNotCancelWarnsOnceAndTheWorkGoesOn() {
        Role watcher = scenario.role("watcher");
        LockPolicy policy = yielding()
                .with(Map.of(
                        "monitorUrl",
                        database.url(),
                        "monitorUser",
                        watcher.name(),
                        "monitorPassword",
                        watcher.password()));
        Session web = idleInTransaction("web");
        Call<String> unit = altering(policy, ALTER);
        scenario.awaitBlockedBy(migration(), web);
        Running reading = readingBehindTheMigration("reader");

        scenario.await("a warning", () -> hasSaid("GRANT pg_signal_backend TO it"));
        awaitLooks();
        assertThat(reading.isDone()).isFalse();
        web.commit();

        assertThat(unit.await()).isEqualTo("done");
        reading.await();
        assertThat(said.stream().filter(line -> line.contains("GRANT pg_signal_backend TO it")))
                .hasSize(1);
    }
}
