// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pglock.testkit.Call;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@PostgresTest
class AdvisoryLockTest {

    private static final Duration SOON = Duration.ofMillis(50);
    private static final LockKey KEY = LockKey.named("report");

    private static void hold(Session session) {
        session.execute("select pg_advisory_lock(" + KEY.number() + ")");
    }

    private static void release(Session session) {
        assertThat(session.value("select pg_advisory_unlock(" + KEY.number() + ")"))
                .isEqualTo("t");
    }

    @Test
    void excludesAnotherSessionUntilItIsClosed(Connection mine, Connection theirs) throws SQLException {
        AdvisoryLock other = PgLock.on(theirs).advisory("report").timeout(Duration.ZERO);

        try (LockHandle lock = PgLock.on(mine).advisory("report").acquire()) {
            assertThat(lock.isHeld()).isTrue();
            assertThat(other.tryAcquire()).isEmpty();
        }

        assertThat(Held.advisory(mine)).isEmpty();
        try (LockHandle lock = other.acquire()) {
            assertThat(lock.isHeld()).isTrue();
        }
    }

    @Test
    void isHeldTogetherInSharedModeButNotWithAnExclusiveOne(Connection one, Connection two, Connection three) {
        AdvisoryLock exclusive = PgLock.on(three).advisory(KEY).timeout(Duration.ZERO);

        try (LockHandle first = PgLock.on(one).advisory(KEY).shared().acquire();
                LockHandle second =
                        PgLock.on(two).advisory(KEY).shared().timeout(SOON).acquire()) {
            assertThat(first.isShared()).isTrue();
            assertThat(second.isShared()).isTrue();
            assertThat(exclusive.tryAcquire()).isEmpty();
        }
        try (LockHandle third = exclusive.acquire()) {
            assertThat(third.isShared()).isFalse();
        }
    }

    @Test
    void waitsUntilTheOtherSessionReleases(Scenario scenario) {
        Session web = scenario.session("web");
        Session job = scenario.session("job");
        hold(web);

        Call<Boolean> acquiring = job.run(connection -> {
            try (LockHandle lock = PgLock.on(connection).advisory(KEY).acquire()) {
                return lock.isHeld();
            }
        });
        scenario.awaitBlockedBy(job, web);
        release(web);

        assertThat(acquiring.await()).isTrue();
    }

    @Test
    void returnsEmptyOrRaisesWhenTheTimeIsOver(Scenario scenario, Connection mine) throws SQLException {
        hold(scenario.session("web"));
        AdvisoryLock request = PgLock.on(mine).advisory(KEY).timeout(SOON);

        assertThat(request.tryAcquire()).isEmpty();
        assertThatExceptionOfType(LockTimeoutException.class)
                .isThrownBy(request::acquire)
                .satisfies(e -> assertThat(e.sqlState()).contains("55P03"));
        assertThat(Held.advisory(mine)).isEmpty();
    }

    @Test
    void raisesAtOnceWithATimeoutOfZero(Scenario scenario, Connection mine) {
        hold(scenario.session("web"));

        assertThatExceptionOfType(LockTimeoutException.class)
                .isThrownBy(() ->
                        PgLock.on(mine).advisory(KEY).timeout(Duration.ZERO).acquire())
                .withMessageContaining("not acquired at once");
    }

    @Test
    void namesTheKeyTheHolderAndWhatItDoes(Scenario scenario, Connection mine) {
        Session web = scenario.session("web");
        web.begin();
        hold(web);

        assertThatExceptionOfType(LockTimeoutException.class)
                .isThrownBy(
                        () -> PgLock.on(mine).advisory("report").timeout(SOON).acquire())
                .withMessageContaining("report (" + KEY.number() + "): not acquired within 50ms")
                .withMessageContaining("blocked by pid " + web.pid() + " (web, idle in transaction for ")
                .withMessageContaining("\"select pg_advisory_lock(");
    }

    @Test
    void namesOnlyHoldersThatConflict(Scenario scenario, Connection mine) {
        Session reader = scenario.session("reader");
        reader.execute("select pg_advisory_lock_shared(" + KEY.number() + ")");

        assertThat(PgLock.on(mine).advisory(KEY).shared().timeout(SOON).tryAcquire())
                .hasValueSatisfying(LockHandle::close);
        assertThatExceptionOfType(LockTimeoutException.class)
                .isThrownBy(() -> PgLock.on(mine).advisory(KEY).timeout(SOON).acquire())
                .withMessageContaining("pid " + reader.pid() + " (reader");
    }

    // django-pglock defect 8: lock_timeout is reset to the default instead of to what it was
    @Test
    void leavesTheSessionsLockTimeoutAsItWas(Scenario scenario) {
        Session web = scenario.session("web");
        Session job = scenario.session("job");
        job.execute("set lock_timeout = '7s'");

        job.run(connection -> {
                    PgLock.on(connection).advisory(KEY).timeout(SOON).acquire().close();
                    return true;
                })
                .await();
        assertThat(job.value("show lock_timeout")).isEqualTo("7s");

        hold(web);
        job.run(connection -> PgLock.on(connection).advisory(KEY).timeout(SOON).tryAcquire())
                .await();
        assertThat(job.value("show lock_timeout")).isEqualTo("7s");
    }

    @Test
    void waitsAsLongAsTheSessionsLockTimeoutSaysWhenNotTold(Scenario scenario) {
        hold(scenario.session("web"));
        Session job = scenario.session("job");
        job.execute("set lock_timeout = '50ms'");

        assertThat(job.run(connection -> PgLock.on(connection).advisory(KEY).tryAcquire())
                        .await())
                .isEmpty();
    }

    @Test
    void waitsForEverWithNoTimeoutWhateverTheSessionsIs(Scenario scenario) {
        Session web = scenario.session("web");
        Session job = scenario.session("job");
        Session late = scenario.session("late");
        job.execute("set lock_timeout = '50ms'");
        hold(web);

        Call<Boolean> acquiring = job.run(connection -> {
            try (LockHandle lock =
                    PgLock.on(connection).advisory(KEY).noTimeout().acquire()) {
                return lock.isHeld();
            }
        });
        scenario.awaitBlockedBy(job, web);
        // longer than the session's timeout: another one gives up meanwhile
        late.execute("set lock_timeout = '60ms'");
        assertThat(late.run(connection -> PgLock.on(connection).advisory(KEY).tryAcquire())
                        .await())
                .isEmpty();
        release(web);

        assertThat(acquiring.await()).isTrue();
    }

    // django-pglock defect 10: a session lock_timeout and no timeout of its own aborts the transaction
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void leavesTheTransactionUsableWhenNotAcquired(boolean own, Scenario scenario, Connection mine)
            throws SQLException {
        hold(scenario.session("web"));
        Held.execute(mine, "create table if not exists notes (note text)");
        mine.setAutoCommit(false);
        Held.execute(mine, "set local lock_timeout = '77ms'");
        Held.execute(mine, "insert into notes values ('kept')");
        AdvisoryLock request = PgLock.on(mine).advisory(KEY);

        assertThat((own ? request.timeout(SOON) : request).tryAcquire()).isEmpty();
        assertThatThrownBy(() -> (own ? request.timeout(SOON) : request).acquire())
                .isInstanceOf(LockTimeoutException.class);

        assertThat(Held.setting(mine, "lock_timeout")).isEqualTo("77ms");
        assertThat(Held.column(mine, "select note from notes")).contains("kept");
        mine.commit();
        assertThat(Held.setting(mine, "lock_timeout")).isEqualTo("0");
        assertThat(Held.advisory(mine)).isEmpty();
        Held.end(mine);
    }

    @Test
    void restoresTheCallersLockTimeoutInATransactionWhenAcquired(Connection mine) throws SQLException {
        mine.setAutoCommit(false);
        Held.execute(mine, "set local lock_timeout = '77ms'");

        LockHandle lock =
                PgLock.on(mine).advisory(KEY).timeout(Duration.ofSeconds(3)).acquire();

        assertThat(Held.setting(mine, "lock_timeout")).isEqualTo("77ms");
        mine.commit();
        assertThat(Held.setting(mine, "lock_timeout")).isEqualTo("0");
        mine.rollback();
        assertThat(lock.isHeld()).isTrue();
        lock.close();
        assertThat(Held.advisory(mine)).isEmpty();
        Held.end(mine);
    }

    @Test
    void doesNotBeginATransactionWhereAutocommitIsOff(Connection mine, Scenario scenario) throws SQLException {
        mine.setAutoCommit(false);
        PgLock pg = PgLock.on(mine);

        try (LockHandle lock = pg.advisory(KEY).timeout(SOON).acquire()) {
            assertThat(lock.isHeld()).isTrue();
            assertNoTransaction(mine);
        }
        assertNoTransaction(mine);
        hold(scenario.session("web"));
        assertThatThrownBy(() -> pg.advisory(KEY).timeout(SOON).acquire()).isInstanceOf(LockTimeoutException.class);
        assertNoTransaction(mine);
        assertThat(mine.getAutoCommit()).isFalse();
        Held.end(mine);
    }

    private static void assertNoTransaction(Connection connection) {
        assertThat(io.pglock.internal.PgSession.of(connection).inTransaction())
                .as("in a transaction")
                .isFalse();
    }

    // django-pglock defect 6: whatever goes wrong while waiting counts as "not acquired"
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void tellsACancelFromNotAcquired(boolean inTransaction, Scenario scenario) {
        Session web = scenario.session("web");
        Session job = scenario.session("job");
        hold(web);
        if (inTransaction) {
            job.begin();
        }

        Call<Optional<LockHandle>> acquiring = job.run(
                connection -> PgLock.on(connection).advisory(KEY).noTimeout().tryAcquire());
        scenario.awaitBlockedBy(job, web);
        job.cancel();

        PgLockException failure = acquiring.awaitFailure(PgLockException.class);
        assertThat(failure).isNotInstanceOf(LockTimeoutException.class);
        assertThat(failure.sqlState()).contains("57014");
        assertThat(job.value("select 1")).as("the session is usable").isEqualTo("1");
        assertThat(job.value("show lock_timeout")).isEqualTo("0");
    }

    @Test
    void tellsAStatementTimeoutFromNotAcquired(Scenario scenario) {
        hold(scenario.session("web"));
        Session job = scenario.session("job");
        job.execute("set statement_timeout = '200ms'");

        PgLockException failure = job.run(connection -> PgLock.on(connection)
                        .advisory(KEY)
                        .timeout(Duration.ofSeconds(30))
                        .tryAcquire())
                .awaitFailure(PgLockException.class);

        assertThat(failure.sqlState()).contains("57014");
        assertThat(job.value("select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()"))
                .isEqualTo("0");
    }

    @Test
    void tellsADeadlockFromNotAcquired(Scenario scenario) {
        Session one = scenario.session("one");
        Session two = scenario.session("two");
        two.execute("set deadlock_timeout = '1min'");
        one.execute("set deadlock_timeout = '10ms'");
        hold(one);
        two.execute("select pg_advisory_lock(2)");
        Call<?> second =
                two.run(connection -> PgLock.on(connection).advisory(KEY).acquire());
        scenario.awaitBlockedBy(two, one);

        LockDeadlockException failure = one.run(connection -> PgLock.on(connection)
                        .advisory(LockKey.of(2))
                        .timeout(Duration.ofSeconds(20))
                        .tryAcquire())
                .awaitFailure(LockDeadlockException.class);

        assertThat(failure.sqlState()).contains("40P01");
        release(one);
        second.await();
    }

    @Test
    void isNotEndedByAnInterruptAndKeepsIt(Scenario scenario) {
        Session web = scenario.session("web");
        Session job = scenario.session("job");
        hold(web);

        Call<Boolean> acquiring = job.run(connection -> {
            try (LockHandle lock = PgLock.on(connection).advisory(KEY).acquire()) {
                return Thread.interrupted() && lock.isHeld();
            }
        });
        scenario.awaitBlockedBy(job, web);
        job.interrupt();
        scenario.awaitBlockedBy(job, web);
        release(web);

        assertThat(acquiring.await()).as("held, and the interrupt kept").isTrue();
    }

    @Test
    void refusesTimeoutsThatPostgresCannotHold(Connection mine) {
        AdvisoryLock request = PgLock.on(mine).advisory(KEY);

        assertThatIllegalArgumentException().isThrownBy(() -> request.timeout(Duration.ofMillis(-1)));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> request.timeout(Duration.ofMillis(1L << 31)))
                .withMessageContaining("noTimeout()");
        assertThat(request.timeout(Duration.ofMillis(Integer.MAX_VALUE)).tryAcquire())
                .hasValueSatisfying(LockHandle::close);
    }

    @Test
    void waitsAMillisecondWhenToldLess(Scenario scenario, Connection mine) {
        hold(scenario.session("web"));

        // zero would have meant for ever to PostgreSQL
        assertThatThrownBy(() -> PgLock.on(mine)
                        .advisory(KEY)
                        .timeout(Duration.ofNanos(1))
                        .acquire())
                .isInstanceOf(LockTimeoutException.class)
                .hasMessageContaining("within 1ms");
    }

    // django-pglock defect 4: the state of an acquisition is kept in the object that describes it
    @Test
    void canBeAcquiredOverAndOverFromOneRequest(Connection mine) throws SQLException {
        AdvisoryLock request = PgLock.on(mine).advisory(KEY);

        try (LockHandle outer = request.acquire()) {
            try (LockHandle inner = request.timeout(SOON).acquire()) {
                assertThat(inner.isHeld()).isTrue();
            }
            assertThat(outer.isHeld()).isTrue();
            assertThat(Held.advisory(mine)).containsExactly("ExclusiveLock");
        }
        assertThat(Held.advisory(mine)).isEmpty();
    }
}
