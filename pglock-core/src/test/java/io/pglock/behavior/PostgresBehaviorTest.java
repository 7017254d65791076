// SPDX-License-Identifier: Apache-2.0
package io.pglock.behavior;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.testkit.PostgresServer;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Running;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.sql.SQLException;
import org.junit.jupiter.api.Test;

/** Facts about PostgreSQL that the design rests on. When one of these fails, a design decision has to be looked at again. */
@PostgresTest
class PostgresBehaviorTest {

    private final Session mine;
    private final Session other;
    private final Scenario scenario;

    PostgresBehaviorTest(Scenario scenario) {
        this.scenario = scenario;
        this.mine = scenario.session("mine");
        this.other = scenario.session("other");
    }

    private String sqlStateOf(String sql) {
        SQLException failure = mine.start(sql).awaitFailure();
        return String.valueOf(failure.getSQLState());
    }

    @Test
    void isTheVersionThatWasAskedFor(PostgresServer server) {
        assertThat(mine.value("show server_version_num")).startsWith(server.majorVersion() + "0");
    }

    @Test
    void evaluatesASelectListFromLeftToRight() {
        assertThat(mine.execute("select current_setting('lock_timeout'), set_config('lock_timeout', '5s', false),"
                        + " current_setting('lock_timeout'), set_config('lock_timeout', '0', false)"))
                .containsExactly("0|5s|5s|0");
    }

    @Test
    void evaluatesACommonTableExpressionThatSetsSomethingOnceAndFirst() {
        mine.execute("set lock_timeout = '7s'");

        assertThat(mine.execute("with t as (select current_setting('lock_timeout') as saved,"
                        + " set_config('lock_timeout', '5s', false)), l as (select saved, current_setting('lock_timeout') as now"
                        + " from t) select saved, now, set_config('lock_timeout', saved, false) from l"))
                .containsExactly("7s|5s|7s");
    }

    @Test
    void doesNotReadAgainBehindOffsetZeroWhatWasSetMeanwhile() {
        mine.execute("set lock_timeout = '7s'");

        assertThat(mine.execute("with now as (select current_setting('lock_timeout') as value offset 0)"
                        + " select set_config('lock_timeout', '5s', false), value from now"))
                .containsExactly("5s|7s");
    }

    @Test
    void putsALockTimeoutOfTheSameStatementInForceAndEndsItWithTheStatement() {
        other.execute("select pg_advisory_lock(1)");

        assertThat(sqlStateOf(
                        "with t as (select set_config('lock_timeout', '20', true)) select pg_advisory_lock(1) from t"))
                .isEqualTo("55P03");
        assertThat(mine.value("show lock_timeout")).isEqualTo("0");
    }

    @Test
    void keepsASessionLockWhenTheSavepointBeforeItIsRolledBack() {
        mine.begin();
        mine.execute("savepoint a", "select pg_advisory_lock(1)", "rollback to savepoint a");
        mine.rollback();

        assertThat(mine.value("select pg_advisory_unlock(1)")).isEqualTo("t");
    }

    @Test
    void releasesATransactionLockWithTheSavepointBeforeIt() {
        mine.begin();
        mine.execute("savepoint a", "select pg_advisory_xact_lock(1)", "rollback to savepoint a");

        assertThat(other.value("select pg_try_advisory_lock(1)")).isEqualTo("t");
    }

    @Test
    void grantsATransactionLockAtOnceWhereTheSessionHoldsItEvenWhenOthersWait() {
        mine.execute("select pg_advisory_lock(1)");
        mine.begin();
        other.start("select pg_advisory_lock(1)");
        scenario.awaitBlockedBy(other, mine);

        assertThat(mine.execute("select pg_try_advisory_xact_lock(1), pg_advisory_unlock(1)"))
                .containsExactly("t|t");
        scenario.awaitBlockedBy(other, mine);
        mine.commit();
        scenario.awaitNotBlocked(other);
    }

    @Test
    void releasesALockThatATransactionTookOverWithTheSavepointBeforeThat() {
        mine.execute("select pg_advisory_lock(1)");
        mine.begin();
        mine.execute(
                "savepoint a", "select pg_try_advisory_xact_lock(1), pg_advisory_unlock(1)", "rollback to savepoint a");

        assertThat(other.value("select pg_try_advisory_lock(1)")).isEqualTo("t");
    }

    @Test
    void countsTheHoldsOfASessionLockButShowsOne() {
        mine.execute("select pg_advisory_lock(1)", "select pg_advisory_lock(1)");

        assertThat(mine.value("select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()"))
                .isEqualTo("1");
        assertThat(mine.execute("select pg_advisory_unlock(1), pg_advisory_unlock(1), pg_advisory_unlock(1)"))
                .containsExactly("t|t|f");
    }

    @Test
    void letsASettingAndAPlaceholderBesideItCommitAndRollBackAlike() {
        mine.execute("set lock_timeout = '1s'", "set pglock.test = 'session'");
        mine.begin();
        mine.execute("set local lock_timeout = '2s'", "set local pglock.test = 'local'");
        mine.execute("savepoint a", "set local lock_timeout = '3s'", "set local pglock.test = 'inner'");
        mine.execute("rollback to savepoint a");
        assertThat(mine.execute("select current_setting('lock_timeout'), current_setting('pglock.test')"))
                .containsExactly("2s|local");
        mine.commit();

        assertThat(mine.execute("select current_setting('lock_timeout'), current_setting('pglock.test')"))
                .containsExactly("1s|session");
    }

    @Test
    void removesALocalValueWhenTheSessionsIsSetAndPutsANewOneAboveIt() {
        mine.begin();
        mine.execute("set local lock_timeout = '2s'", "set lock_timeout = '1s'");
        assertThat(mine.value("show lock_timeout")).isEqualTo("1s");
        mine.execute("set local lock_timeout = '2s'");
        assertThat(mine.value("show lock_timeout")).isEqualTo("2s");
        mine.commit();

        assertThat(mine.value("show lock_timeout")).isEqualTo("1s");
    }

    @Test
    void countsTheLockTimeoutAnewForEachTable() {
        mine.execute("create table a (id int)", "create table b (id int)");
        other.begin();
        other.execute("lock table a");
        Session third = scenario.session("third");
        third.begin();
        third.execute("lock table b");
        mine.begin();
        mine.execute("set local lock_timeout = '1500ms'");
        Running locking = mine.start("lock table a, b");
        scenario.awaitBlockedBy(mine, other);
        other.commit();
        scenario.awaitBlockedBy(mine, third);
        third.commit();

        assertThat(locking.await()).as("in spite of two waits").isEmpty();
        mine.execute("rollback", "drop table a", "drop table b");
    }

    @Test
    void hasNoSqlstateOfItsOwnForAStatementTimeout() {
        mine.execute("set statement_timeout = '20ms'");

        SQLException failure = mine.start("select pg_sleep(60)").awaitFailure();

        assertThat(failure.getSQLState()).isEqualTo("57014");
        assertThat(failure.getMessage()).contains("statement timeout");
    }
}
