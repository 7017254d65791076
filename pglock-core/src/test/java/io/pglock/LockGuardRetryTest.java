// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.pglock.LockPolicy.Priority;
import io.pglock.testkit.Call;
import io.pglock.testkit.Database;
import io.pglock.testkit.Running;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import io.pglock.testkit.TcpProxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What is tried again, how often, and what comes out in the end. */
@Timeout(60)
class LockGuardRetryTest extends GuardScene {

    LockGuardRetryTest(Scenario scenario, DataSource side) {
        super(scenario, side);
    }

    @Test
    void undoesPausesWithoutALockAndComesBackAsSoonAsTheBlockerIsGone() throws SQLException {
        Session web = idleInTransaction("web");
        Call<String> unit = altering(patient(), "create table half_done ()", ALTER);

        awaitPause();
        assertThat(relationLocks()).isEmpty();
        assertThat(said.get(0))
                .startsWith("WARNING V7__note.sql: not locked within 1s, blocked by pid " + web.pid() + " (web, ")
                .contains(". Trying again when it is gone, at the latest in ")
                .endsWith(" left).");
        web.commit();

        assertThat(unit.await()).isEqualTo("done");
        assertThat(hasColumn("note")).isTrue();
        assertThat(said).last().asString().startsWith("INFO V7__note.sql: through at attempt 2, after ");
        migration().execute("drop table half_done");
    }

    @Test
    void goesBackToItsSavepointAndKeepsWhatWasDoneBefore() throws SQLException {
        Session web = idleInTransaction("web");
        Call<String> unit = migration().run(connection -> {
            connection.setAutoCommit(false);
            execute(connection, "select set_config('test.before', 'kept', true)");
            try (LockGuard guard =
                    LockGuard.openWithSavepoint("V7__note.sql", connection, side, patient(), this::say)) {
                assertThat(guard.hasSavepoint()).isTrue();
                guard.run(
                        () -> {
                            execute(connection, "create table half_done ()", ALTER);
                            return true;
                        },
                        guard::rollBackToSavepoint);
            }
            String kept = Held.setting(connection, "test.before");
            connection.commit();
            connection.setAutoCommit(true);
            return kept;
        });

        awaitPause();
        assertThat(relationLocks()).isEmpty();
        web.commit();

        assertThat(unit.await()).isEqualTo("kept");
        assertThat(hasColumn("note")).isTrue();
        migration().execute("drop table half_done");
    }

    @Test
    void everyAttemptHasThePolicysTimeoutAlsoAfterAFullRollback() {
        Session web = idleInTransaction("web");

        Call<String> unit = altering(brisk().retryAttempts(3), ALTER);

        assertThat(unit.await()).startsWith("55P03 V7__note.sql: not locked within 1s, blocked by pid " + web.pid());
        web.commit();
    }

    @Test
    void namesTheBlockerAndTheAttemptsWhenItGivesUp() {
        Session web = idleInTransaction("web");

        assertThat(replaying(brisk().retryAttempts(3), ALTER).await())
                .startsWith("55P03 V7__note.sql: not locked within 1s, blocked by pid " + web.pid() + " (web, ")
                .contains(" Given up after 3 attempts in ")
                .doesNotContain("SUPPRESSED");

        assertThat(said.stream().filter(line -> line.contains("Trying again"))).hasSize(2);
        assertThat(said).noneMatch(line -> line.contains("through at attempt"));
        web.commit();
    }

    @Test
    void throwsTheDriversOwnExceptionOfTheLastAttempt() throws SQLException {
        Session web = idleInTransaction("web");
        AtomicInteger attempts = new AtomicInteger();
        try (Connection mine = side.getConnection();
                LockGuard guard =
                        open(mine, brisk().lockTimeout(Duration.ofMillis(300)).retryAttempts(2))) {
            assertThat(guard.triesAgain()).isTrue();
            SQLException[] thrown = new SQLException[1];

            assertThatThrownBy(() -> guard.run(
                            () -> {
                                attempts.incrementAndGet();
                                try {
                                    execute(mine, ALTER);
                                } catch (SQLException e) {
                                    thrown[0] = e;
                                    throw e;
                                }
                                return true;
                            },
                            LockGuard.Undo.NOTHING))
                    .isInstanceOf(org.postgresql.util.PSQLException.class)
                    .satisfies(e -> assertThat(e).isSameAs(thrown[0]));
            assertThat(guard.triesAgain()).isFalse();
        }
        assertThat(attempts).hasValue(2);
        web.commit();
    }

    @Test
    void triesADeadlockAgain() throws SQLException {
        migration().execute("drop table if exists items", "create table items (id int)");
        Session web = inTransaction("web", "set local deadlock_timeout = '60s'", "lock table items in share mode");
        AtomicInteger attempts = new AtomicInteger();
        Call<String> unit = guarded(
                patient()
                        .lockTimeout(Duration.ofSeconds(9))
                        .prioritize(Priority.OFF)
                        .retryDelay(Duration.ofMillis(50)),
                connection -> {
                    execute(connection, "set local deadlock_timeout = '10ms'", "lock table orders in share mode");
                    if (attempts.incrementAndGet() == 1) {
                        web.start("insert into orders values (1)");
                        scenario.awaitBlocked(web);
                    }
                    execute(connection, "insert into items values (1)");
                },
                Connection::rollback);

        scenario.await("the deadlock to be told", () -> hasSaid("ended by PostgreSQL to resolve a deadlock"));
        web.commit();

        assertThat(unit.await()).isEqualTo("done");
        assertThat(attempts.get()).isGreaterThanOrEqualTo(2);
    }

    @Test
    void triesNothingElseAgain() {
        assertThat(altering(brisk(), "select 1/0").await()).startsWith("22012 ");
        assertThat(altering(brisk().statementTimeout(Duration.ofMillis(50)), "select pg_sleep(60)")
                        .await())
                .startsWith("57014 ");
        assertThat(said).isEmpty();
    }

    @Test
    void takesAUsersCancelForWhatItIs() {
        Session web = idleInTransaction("web");
        Call<String> unit = altering(brisk().lockTimeout(Duration.ofSeconds(9)), ALTER);
        scenario.awaitBlockedBy(migration(), web);

        migration().cancel();

        assertThat(unit.await()).startsWith("57014 ");
        assertThat(said).noneMatch(line -> line.contains("Trying again"));
        web.commit();
    }

    @Test
    void noDeadlineAtAllMeansThatItIsNotTriedAgain() {
        Session web = idleInTransaction("web");

        assertThat(altering(brisk().retryDeadline(Duration.ZERO), ALTER).await())
                .startsWith("55P03 ")
                .doesNotContain("Given up after");

        assertThat(said).noneMatch(line -> line.contains("Trying again"));
        web.commit();
    }

    @Test
    void makesOneLastAttemptWhenTheDeadlineIsOver() {
        Session web = idleInTransaction("web");

        assertThat(altering(patient().retryDeadline(Duration.ofMillis(100)), ALTER)
                        .await())
                .startsWith("55P03 ")
                .contains(" Given up after 2 attempts in ");

        web.commit();
    }

    @Test
    void keepsTryingForEverWithoutADeadline() {
        Session web = idleInTransaction("web");
        Call<String> unit = altering(brisk().lockTimeout(Duration.ofMillis(20)).noRetryDeadline(), ALTER);

        scenario.await("many attempts", () -> hasSaid("(attempt 9)."));
        web.commit();

        assertThat(unit.await()).isEqualTo("done");
    }

    @Test
    void saysAtOnceForALockThatIsNotWaitedFor() {
        Session web = idleInTransaction("web");

        assertThat(altering(brisk().lockTimeout(Duration.ofMillis(300)).retryAttempts(2), "lock table orders nowait")
                        .await())
                .startsWith("55P03 V7__note.sql: not locked at once");

        web.commit();
    }

    @Test
    void whatIsNotEnabledIsInert() {
        Session web = idleInTransaction("web");
        Call<String> unit = migration().run(connection -> {
            connection.setAutoCommit(false);
            try (LockGuard guard = LockGuard.openWithSavepoint(
                    "V7__note.sql", connection, side, patient().enabled(false), this::say)) {
                assertThat(guard.hasSavepoint()).isFalse();
                assertThat(guard.triesAgain()).isFalse();
                assertThat(Held.setting(connection, "lock_timeout")).isEqualTo("0");
                execute(connection, "set local lock_timeout = '10ms'");
                assertThatThrownBy(() -> guard.run(
                                () -> {
                                    execute(connection, ALTER);
                                    return true;
                                },
                                connection::rollback))
                        .isInstanceOf(SQLException.class);
            }
            connection.rollback();
            connection.setAutoCommit(true);
            return "done";
        });
        unit.await();
        assertThat(said).isEmpty();
        web.commit();
    }

    /** In the way for longer than prioritizeAfter, over all attempts: it was something else that kept it from a signal. */
    @Test
    void doesNotBlameTheLockTimeoutForWhatTheMinimumAgeForbids() {
        Session web = idleInTransaction("web");
        LockPolicy policy = terminating(brisk())
                .prioritizeAfter(Duration.ofMillis(1100))
                .prioritizeMinAge(HOUR)
                .retryAttempts(4);

        assertThat(altering(policy, ALTER).await())
                .startsWith("55P03 V7__note.sql: not locked within 1s, blocked by pid " + web.pid())
                .doesNotContain("is over before");

        web.commit();
    }

    /** Who was in the way before has gone, and who is now cannot be seen. */
    @Test
    void doesNotBlameWhoWasInTheWayOfAnEarlierAttempt(Database database) {
        Session first = idleInTransaction("first");
        Session second = scenario.session("second");
        try (TcpProxy proxy =
                TcpProxy.to(database.server().host(), database.server().port())) {
            LockGuard.Messages messages = (level, message) -> {
                say(level, message);
                if (message.contains("Trying again")) {
                    proxy.refuse();
                    first.commit();
                    second.execute("begin", "select * from orders");
                }
            };
            LockPolicy policy = brisk().retryAttempts(2);
            Connection connection = migration().connection();
            try (LockGuard guard =
                    LockGuard.open("V7__note.sql", connection, proxy.dataSource(database), policy, messages)) {
                SQLException failure = catchThrowableOfType(
                        SQLException.class,
                        () -> guard.run(
                                () -> {
                                    execute(connection, ALTER);
                                    return true;
                                },
                                LockGuard.Undo.NOTHING));
                assertThat(guard.failed(failure).orElseThrow())
                        .startsWith("V7__note.sql: not locked within 1s, blocked earlier by pid " + first.pid()
                                + " (first, ")
                        .contains("). Nobody was seen since. Given up after 2 attempts in ")
                        .doesNotContain("end it");
            }
        }
        assertThat(said).anySatisfy(line -> assertThat(line).contains("blocked by pid " + first.pid() + " (first, "));
        second.rollback();
    }

    @Test
    void nobodyIsTerminatedBeforePrioritizeAfterIsOver() {
        Session web = idleInTransaction("web");
        LockPolicy policy =
                terminating(patient()).lockTimeout(Duration.ofMinutes(5)).prioritizeAfter(Duration.ofMillis(1500));
        long before = System.nanoTime();

        assertThat(altering(policy, ALTER).await()).isEqualTo("done");

        assertThat(Duration.ofNanos(System.nanoTime() - before)).isGreaterThanOrEqualTo(Duration.ofMillis(1500));
        scenario.awaitGone(web.pid());
    }

    /** Not for whoever is ahead in the queue for the row, and may give up. */
    @Test
    void waitsOutsideForTheHolderOfARow() throws SQLException {
        execute(scenario.session("web").connection(), "insert into orders values (1)");
        String update = "update orders set id = 2";
        Session web = inTransaction("web", update);
        Session ahead = scenario.session("ahead");
        Running updating = ahead.start(update);
        scenario.awaitBlockedBy(ahead, web);
        Call<String> unit = altering(patient(), update);
        scenario.awaitBlockedBy(migration(), ahead);

        awaitPause();
        ahead.cancel();
        updating.awaitFailure();
        awaitLooks();
        assertThat(said.stream().filter(line -> line.contains("Trying again"))).hasSize(1);
        scenario.awaitNotBlocked(migration());
        web.commit();
        assertThat(unit.await()).isEqualTo("done");
    }
}
