// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.pglock.testkit.Database;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

@PostgresTest
class LockTimeoutTest {

    private final Connection mine;
    private final PgLock pg;

    LockTimeoutTest(Connection mine) {
        this.mine = mine;
        this.pg = PgLock.on(mine);
    }

    @AfterEach
    void end() throws SQLException {
        Held.end(mine);
        Held.execute(mine, "reset lock_timeout; reset statement_timeout");
    }

    private LockTimeout open(int seconds) {
        return pg.lockTimeout(Duration.ofSeconds(seconds));
    }

    private void inForce(String value) throws SQLException {
        assertThat(Held.setting(mine, "lock_timeout")).isEqualTo(value);
    }

    private void begin() throws SQLException {
        mine.setAutoCommit(false);
        Held.column(mine, "select 1");
    }

    private void failTransaction() {
        assertThatThrownBy(() -> Held.execute(mine, "select 1/0")).isInstanceOf(SQLException.class);
    }

    // django-pglock defect 8: the setting is not restored to what it was
    @Test
    void nestsAndRestoresExactlyWhatWasThere() throws SQLException {
        Held.execute(mine, "set lock_timeout = '7s'");

        try (LockTimeout outer = open(1)) {
            inForce("1s");
            try (LockTimeout none = pg.noLockTimeout()) {
                inForce("0");
                try (LockTimeout inner = pg.lockTimeout(Duration.ofMillis(250))) {
                    inForce("250ms");
                }
                inForce("0");
            }
            inForce("1s");
        }
        inForce("7s");
    }

    @Test
    void makesAStatementGiveUp(Scenario scenario) throws SQLException {
        Session web = scenario.session("web");
        web.execute("create table orders (id int)");
        web.begin();
        web.execute("lock table orders");

        try (LockTimeout timeout = pg.lockTimeout(Duration.ofMillis(50))) {
            assertThatThrownBy(() -> Held.execute(mine, "select * from orders"))
                    .isInstanceOfSatisfying(
                            SQLException.class, e -> assertThat(e.getSQLState()).isEqualTo("55P03"));
        }
        inForce("0");
    }

    @Test
    void isTheSessionsInAutocommitWhateverTransactionsComeAndGo() throws SQLException {
        LockTimeout timeout = open(3);

        begin();
        inForce("3s");
        mine.rollback();
        inForce("3s");
        mine.commit();
        timeout.close();

        inForce("0");
        mine.rollback();
        mine.setAutoCommit(true);
        inForce("0");
    }

    @Test
    void isLocalInATransaction() throws SQLException {
        begin();
        Held.execute(mine, "set local lock_timeout = '7s'");

        try (LockTimeout timeout = open(3)) {
            inForce("3s");
            try (LockTimeout inner = open(4)) {
                inForce("4s");
            }
            inForce("3s");
        }

        inForce("7s");
        mine.commit();
        inForce("0");
    }

    @Test
    void beginsTheTransactionWhereAutocommitIsOff() throws SQLException {
        mine.setAutoCommit(false);

        try (LockTimeout timeout = open(3)) {
            inForce("3s");
            mine.commit();
            inForce("0");
        }
        inForce("0");
    }

    @Test
    void endsWithTheTransactionItWasOpenedIn() throws SQLException {
        for (boolean commit : new boolean[] {true, false}) {
            begin();
            LockTimeout timeout = open(3);
            if (commit) {
                mine.commit();
            } else {
                mine.rollback();
            }
            inForce("0");
            Held.execute(mine, "set local lock_timeout = '7s'");

            timeout.close();

            inForce("7s");
            Held.end(mine);
        }
    }

    @Test
    void isRestoredByTheRollbackOfAFailedTransaction() throws SQLException {
        begin();
        LockTimeout timeout = open(3);
        failTransaction();

        assertThatCode(timeout::close).doesNotThrowAnyException();

        mine.rollback();
        inForce("0");
    }

    @Test
    void canBeClosedAgainAfterARollbackToASavepoint() throws SQLException {
        begin();
        LockTimeout timeout = open(3);
        Savepoint savepoint = mine.setSavepoint();
        failTransaction();
        timeout.close();
        mine.rollback(savepoint);
        inForce("3s");

        timeout.close();

        inForce("0");
    }

    @Test
    void goesWithTheSavepointItWasOpenedAfter() throws SQLException {
        begin();
        LockTimeout outer = open(3);
        Savepoint savepoint = mine.setSavepoint();
        LockTimeout inner = open(4);
        mine.rollback(savepoint);
        inForce("3s");

        inner.close();
        inForce("3s");
        outer.close();

        inForce("0");
    }

    @Test
    void mayBeClosedInAnyOrder() throws SQLException {
        Held.execute(mine, "set lock_timeout = '7s'");
        LockTimeout first = open(1);
        LockTimeout second = open(2);
        LockTimeout third = open(3);

        first.close();
        inForce("3s");
        second.close();
        inForce("3s");
        third.close();

        inForce("7s");
    }

    @Test
    void mayBeClosedInAnyOrderInATransaction() throws SQLException {
        begin();
        LockTimeout first = open(1);
        LockTimeout second = open(2);
        LockTimeout third = open(3);

        second.close();
        inForce("3s");
        third.close();
        inForce("1s");
        second.close();
        inForce("1s");
        first.close();

        inForce("0");
    }

    @Test
    void mayBeClosedTwice() throws SQLException {
        LockTimeout outer = open(1);
        LockTimeout inner = open(2);

        inner.close();
        inner.close();
        inForce("1s");
        outer.close();
        Held.execute(mine, "set lock_timeout = '7s'");
        outer.close();

        inForce("7s");
    }

    @Test
    void ofTheSessionIsRestoredInALaterTransaction() throws SQLException {
        LockTimeout timeout = open(3);
        begin();

        timeout.close();

        inForce("0");
        mine.commit();
        inForce("0");
    }

    @Test
    void ofTheSessionCanBeClosedAgainWhenALaterTransactionThatClosedItIsRolledBack() throws SQLException {
        LockTimeout timeout = open(3);
        begin();
        timeout.close();
        mine.rollback();
        inForce("3s");
        mine.rollback();

        timeout.close();

        inForce("0");
    }

    @Test
    void ofTheSessionRollsBackATransactionThatBeganInsideItAndFailed() throws SQLException {
        LockTimeout timeout = open(3);
        begin();
        failTransaction();

        timeout.close();
        inForce("0");
        mine.rollback();

        inForce("0");
    }

    @Test
    void ofTheSessionClosedBelowALocalOneLeavesThatInForce() throws SQLException {
        Held.execute(mine, "set lock_timeout = '7s'");
        LockTimeout ofTheSession = open(1);
        begin();
        LockTimeout local = open(2);

        ofTheSession.close();
        inForce("2s");
        local.close();
        inForce("7s");
        mine.commit();

        inForce("7s");
    }

    @Test
    void ofTheSessionClosedBelowALocalOneThatEndsWithItsTransactionIsRestored() throws SQLException {
        Held.execute(mine, "set lock_timeout = '7s'");
        LockTimeout below = open(5);
        LockTimeout ofTheSession = open(1);
        begin();
        LockTimeout local = open(2);

        below.close();
        inForce("2s");
        mine.commit();
        inForce("1s");
        mine.commit();
        local.close();
        ofTheSession.close();

        inForce("7s");
    }

    // django-pglock defect 9: one stack for all connections
    @Test
    void doesNotMixUpConnections(Connection other) throws SQLException {
        try (LockTimeout one = open(1);
                LockTimeout two = PgLock.on(other).lockTimeout(Duration.ofSeconds(2))) {
            inForce("1s");
            assertThat(Held.setting(other, "lock_timeout")).isEqualTo("2s");
        }
        inForce("0");
        assertThat(Held.setting(other, "lock_timeout")).isEqualTo("0");
    }

    // django-pglock defect 21: the error of the work is masked by that of the dead connection
    @Test
    void doesNotHideTheErrorThatEndedTheSession(Scenario scenario) {
        Session job = scenario.session("job");

        SQLException failure = job.run(connection -> {
                    try (LockTimeout timeout = PgLock.on(connection).lockTimeout(Duration.ofSeconds(1))) {
                        Held.execute(connection, "select pg_terminate_backend(pg_backend_pid())");
                    }
                    return true;
                })
                .awaitFailure(SQLException.class);

        assertThat(failure.getSQLState()).isEqualTo("57P01");
        assertThat(failure.getSuppressed()).isEmpty();
    }

    @Test
    void doesNothingOnAClosedConnection(Connection other) throws SQLException {
        LockTimeout timeout = PgLock.on(other).lockTimeout(Duration.ofSeconds(1));
        other.close();

        assertThatCode(timeout::close).doesNotThrowAnyException();
    }

    @Test
    void saysSoWhereThePoolKeepsTheSession(Database database) throws SQLException {
        try (HikariDataSource pool = pool(database)) {
            LockTimeout timeout;
            LockTimeout inTime;
            LockTimeout local;
            try (Connection connection = pool.getConnection()) {
                PgLock pooled = PgLock.on(connection);
                timeout = pooled.lockTimeout(Duration.ofSeconds(2));
                inTime = pooled.lockTimeout(Duration.ofSeconds(3));
                inTime.close();
                connection.setAutoCommit(false);
                local = pooled.lockTimeout(Duration.ofSeconds(4));
            }

            assertThatExceptionOfType(PgLockException.class)
                    .isThrownBy(timeout::close)
                    .withMessage(
                            "[lock_timeout = 2000ms]: not restored, the connection was closed first. If a pool keeps the"
                                    + " session, it keeps this too: close the scope first.");
            assertThatCode(timeout::close).as("told once").doesNotThrowAnyException();
            assertThatCode(inTime::close).doesNotThrowAnyException();
            assertThatCode(local::close).doesNotThrowAnyException();
            try (Connection next = pool.getConnection()) {
                assertThat(Held.setting(next, "lock_timeout")).isEqualTo("2s");
            }
        }
    }

    @Test
    void saysNothingWhereThePoolHasLostTheSession(Database database) {
        try (HikariDataSource pool = pool(database)) {
            assertThatThrownBy(() -> {
                        try (Connection connection = pool.getConnection()) {
                            LockTimeout timeout = PgLock.on(connection).lockTimeout(Duration.ofSeconds(2));
                            try (timeout) {
                                Held.execute(connection, "select pg_terminate_backend(pg_backend_pid())");
                            }
                        }
                    })
                    .isInstanceOf(SQLException.class)
                    .hasNoSuppressedExceptions();
        }
    }

    private static HikariDataSource pool(Database database) {
        HikariConfig config = new HikariConfig();
        config.setDataSource(database.dataSource("pool"));
        config.setMaximumPoolSize(1);
        return new HikariDataSource(config);
    }

    @Test
    void doesNothingWhenTheServerEndedTheSessionUnseen(Scenario scenario) {
        Session job = scenario.session("job");
        LockTimeout timeout = job.run(connection -> PgLock.on(connection).lockTimeout(Duration.ofSeconds(1)))
                .await();
        job.kill();

        assertThatCode(timeout::close).doesNotThrowAnyException();
    }

    @Test
    void doesNothingWhenTheServerEndedTheSessionForIdlingInItsTransaction(Scenario scenario) {
        Session job = scenario.session("job");
        LockTimeout timeout = job.run(connection -> {
                    LockTimeout opened = PgLock.on(connection).lockTimeout(Duration.ofSeconds(1));
                    Held.execute(connection, "set idle_in_transaction_session_timeout = '20ms'");
                    connection.setAutoCommit(false);
                    Held.column(connection, "select 1");
                    return opened;
                })
                .await();
        scenario.awaitGone(job.pid());

        assertThatCode(timeout::close).doesNotThrowAnyException();
    }

    @Test
    void roundsUpToWhatPostgresKnowsAndRefusesTheRest() throws SQLException {
        try (LockTimeout timeout = pg.lockTimeout(Duration.ofNanos(1))) {
            inForce("1ms");
        }
        try (LockTimeout timeout = pg.lockTimeout(Duration.ofNanos(1_000_001))) {
            inForce("2ms");
        }
        try (LockTimeout timeout = pg.lockTimeout(Duration.ofMillis(Integer.MAX_VALUE))) {
            inForce("2147483647ms");
        }
        assertThatIllegalArgumentException()
                .isThrownBy(() -> pg.lockTimeout(Duration.ZERO))
                .withMessageContaining("noLockTimeout()");
        assertThatIllegalArgumentException().isThrownBy(() -> pg.lockTimeout(Duration.ofMillis(-1)));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> pg.lockTimeout(Duration.ofMillis(1L << 31)))
                .withMessageEndingWith("Use noLockTimeout() to wait for ever.");
    }

    @Test
    void isRefusedInAFailedTransaction() throws SQLException {
        begin();
        failTransaction();

        assertThatExceptionOfType(PgLockException.class)
                .isThrownBy(() -> open(1))
                .withMessageContaining("Roll it back");
    }

    @Test
    void existsForTheStatementTimeoutLikewise() throws SQLException {
        Held.execute(mine, "set statement_timeout = '70s'");
        try (StatementTimeout timeout = pg.statementTimeout(Duration.ofSeconds(50));
                LockTimeout another = open(1)) {
            assertThat(Held.setting(mine, "statement_timeout")).isEqualTo("50s");
            try (StatementTimeout none = pg.noStatementTimeout()) {
                assertThat(Held.setting(mine, "statement_timeout")).isEqualTo("0");
            }
            timeout.close();
            inForce("1s");
        }
        assertThat(Held.setting(mine, "statement_timeout")).isEqualTo("70s");
        inForce("0");

        begin();
        try (StatementTimeout timeout = pg.statementTimeout(Duration.ofMillis(20))) {
            assertThatThrownBy(() -> Held.execute(mine, "select pg_sleep(60)"))
                    .isInstanceOfSatisfying(
                            SQLException.class, e -> assertThat(e.getSQLState()).isEqualTo("57014"));
        }
        mine.rollback();
        assertThat(Held.setting(mine, "statement_timeout")).isEqualTo("70s");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> pg.statementTimeout(Duration.ZERO))
                .withMessageContaining("noStatementTimeout()");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> pg.statementTimeout(Duration.ofDays(30)))
                .withMessageEndingWith("Use noStatementTimeout() to wait for ever.");
    }
}
