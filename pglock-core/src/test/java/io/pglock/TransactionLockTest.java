// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.pglock.testkit.Call;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@PostgresTest
class TransactionLockTest {

    private static final Duration SOON = Duration.ofMillis(50);
    private static final LockKey KEY = LockKey.of(Long.MIN_VALUE);

    private final Connection mine;

    TransactionLockTest(Connection mine) {
        this.mine = mine;
    }

    @BeforeEach
    void begin() throws SQLException {
        mine.setAutoCommit(false);
    }

    @AfterEach
    void end() throws SQLException {
        Held.end(mine);
    }

    private static void hold(Session session) {
        session.execute("select pg_advisory_lock(" + KEY.number() + ")");
    }

    private static boolean isFree(Connection other) {
        return PgLock.on(other).advisory(KEY).timeout(Duration.ZERO).tryRun(() -> {});
    }

    @Test
    void isReleasedByCommit(Connection theirs) throws SQLException {
        PgLock.on(mine).advisory(KEY).acquireXact();
        assertThat(isFree(theirs)).isFalse();

        mine.commit();

        assertThat(isFree(theirs)).isTrue();
    }

    @Test
    void isReleasedByRollback(Connection theirs) throws SQLException {
        assertThat(PgLock.on(mine).advisory(KEY).timeout(SOON).tryAcquireXact()).isTrue();
        assertThat(isFree(theirs)).isFalse();

        mine.rollback();

        assertThat(isFree(theirs)).isTrue();
    }

    @Test
    void isHeldTogetherInSharedMode(Connection theirs) throws SQLException {
        theirs.setAutoCommit(false);
        PgLock.on(mine).advisory(KEY).shared().acquireXact();

        assertThat(PgLock.on(theirs).advisory(KEY).shared().timeout(SOON).tryAcquireXact())
                .isTrue();
        theirs.rollback();
        assertThat(PgLock.on(theirs).advisory(KEY).timeout(Duration.ZERO).tryAcquireXact())
                .isFalse();
        Held.end(theirs);
    }

    @Test
    void belongsToATransactionThatWasBegunBySqlToo(Connection theirs) throws SQLException {
        theirs.setAutoCommit(true);
        Held.execute(theirs, "begin");

        PgLock.on(theirs).advisory(KEY).timeout(SOON).acquireXact();
        assertThat(isFree(mine)).isFalse();
        Held.execute(theirs, "commit");

        assertThat(isFree(mine)).isTrue();
    }

    // django-pglock defect 5: raising leaves the transaction aborted
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void leavesTheTransactionUsableWhenNotAcquired(boolean wait, Scenario scenario) throws SQLException {
        hold(scenario.session("web"));
        Held.execute(mine, "create temp table notes (note text) on commit preserve rows");
        Held.execute(mine, "set local lock_timeout = '77ms'");
        Held.execute(mine, "insert into notes values ('kept')");
        PgLock.on(mine).advisory("before").acquireXact();
        AdvisoryLock request = PgLock.on(mine).advisory(KEY).timeout(wait ? SOON : Duration.ZERO);

        assertThat(request.tryAcquireXact()).isFalse();
        assertThatExceptionOfType(LockTimeoutException.class)
                .isThrownBy(request::acquireXact)
                .withMessageContaining("blocked by pid");

        assertThat(Held.setting(mine, "lock_timeout")).isEqualTo("77ms");
        assertThat(Held.advisory(mine)).as("what was locked before").containsExactly("ExclusiveLock");
        mine.commit();
        assertThat(Held.column(mine, "select note from notes")).containsExactly("kept");
    }

    @Test
    void raisesAsTheSessionsLockTimeoutSaysAndLeavesTheTransactionUsable(Scenario scenario) throws SQLException {
        hold(scenario.session("web"));
        Held.execute(mine, "set local lock_timeout = '50ms'");

        assertThatExceptionOfType(LockTimeoutException.class)
                .isThrownBy(() -> PgLock.on(mine).advisory(KEY).acquireXact())
                .withMessageContaining("this session's lock_timeout");

        assertThat(Held.setting(mine, "lock_timeout")).isEqualTo("50ms");
    }

    @Test
    void restoresTheCallersLockTimeoutWhenAcquired() throws SQLException {
        Held.execute(mine, "set local lock_timeout = '77ms'");

        PgLock.on(mine).advisory(KEY).timeout(SOON).acquireXact();
        PgLock.on(mine).advisory(KEY).noTimeout().acquireXact();

        assertThat(Held.setting(mine, "lock_timeout")).isEqualTo("77ms");
        mine.commit();
        assertThat(Held.setting(mine, "lock_timeout")).isEqualTo("0");
    }

    @Test
    void doesNotTouchASavepointOfTheSameName(Scenario scenario) throws SQLException {
        hold(scenario.session("web"));
        Held.execute(mine, "create temp table notes (note text) on commit drop");
        Held.execute(mine, "savepoint pglock");
        Held.execute(mine, "insert into notes values ('to be undone')");

        assertThat(PgLock.on(mine).advisory(KEY).timeout(SOON).tryAcquireXact()).isFalse();
        PgLock.on(mine).advisory(LockKey.of(2)).acquireXact();

        assertThat(Held.column(mine, "select note from notes")).containsExactly("to be undone");
        Held.execute(mine, "rollback to savepoint pglock");
        assertThat(Held.column(mine, "select note from notes")).isEmpty();
    }

    @Test
    void tellsACancelFromNotAcquiredAndLeavesTheTransactionUsable(Scenario scenario) {
        Session web = scenario.session("web");
        Session job = scenario.session("job");
        hold(web);
        job.begin();
        job.execute("create temp table notes (note text)");

        Call<Boolean> acquiring = job.run(
                connection -> PgLock.on(connection).advisory(KEY).noTimeout().tryAcquireXact());
        scenario.awaitBlockedBy(job, web);
        job.cancel();

        assertThat(acquiring.awaitFailure(PgLockException.class).sqlState()).contains("57014");
        assertThat(job.value("select count(*) from notes")).isEqualTo("0");
        assertThat(job.value("show lock_timeout")).isEqualTo("0");
    }

    @Test
    void tellsADeadlockAndLeavesTheTransactionUsable(Scenario scenario) {
        Session one = scenario.session("one");
        Session two = scenario.session("two");
        one.execute("set deadlock_timeout = '10ms'");
        two.execute("set deadlock_timeout = '1min'");
        one.begin();
        two.begin();
        one.run(connection -> lockXact(connection, 1)).await();
        two.run(connection -> lockXact(connection, 2)).await();
        Call<?> second = two.run(connection -> lockXact(connection, 1));
        scenario.awaitBlockedBy(two, one);

        one.run(connection -> lockXact(connection, 2)).awaitFailure(LockDeadlockException.class);

        assertThat(one.value("select 1")).isEqualTo("1");
        one.rollback();
        second.await();
    }

    private static boolean lockXact(Connection connection, long key) {
        PgLock.on(connection).advisory(LockKey.of(key)).acquireXact();
        return true;
    }

    @Test
    void isRefusedOutsideATransaction() throws SQLException {
        mine.setAutoCommit(true);
        AdvisoryLock request = PgLock.on(mine).advisory("account:17");

        assertThatExceptionOfType(LockNotSupportedException.class)
                .isThrownBy(request::acquireXact)
                .withMessageContaining("account:17")
                .withMessageContaining("setAutoCommit(false)");
        assertThatExceptionOfType(LockNotSupportedException.class).isThrownBy(request::tryAcquireXact);
    }

    @Test
    void namesAPreparedTransactionThatHoldsItAndHowToEndIt(Scenario scenario) {
        scenario.assumePreparedTransactions();
        Session xa = scenario.session("xa");
        String gid = "xa-" + xa.pid();
        xa.begin();
        xa.execute("select pg_advisory_xact_lock(" + KEY.number() + ")", "prepare transaction '" + gid + "'");
        try {
            assertThatExceptionOfType(LockTimeoutException.class)
                    .isThrownBy(
                            () -> PgLock.on(mine).advisory(KEY).timeout(SOON).acquireXact())
                    .withMessageContaining("blocked by prepared transaction \"" + gid + "\"")
                    .withMessageContaining("ROLLBACK PREPARED '" + gid + "'");
        } finally {
            xa.execute("rollback prepared '" + gid + "'");
        }
    }
}
