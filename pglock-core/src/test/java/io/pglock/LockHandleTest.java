// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pglock.testkit.Call;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@PostgresTest
class LockHandleTest {

    private static final LockKey KEY = LockKey.of(7, -42);

    private static boolean isFree(Connection other) {
        return PgLock.on(other).advisory(KEY).timeout(Duration.ZERO).tryRun(() -> {});
    }

    @Test
    void mayBeClosedTwice(Connection mine) {
        LockHandle lock = PgLock.on(mine).advisory(KEY).acquire();
        LockHandle another = PgLock.on(mine).advisory(KEY).acquire();

        lock.close();
        lock.close();
        lock.releaseNow();

        assertThat(lock.isHeld()).isFalse();
        assertThat(another.isHeld()).isTrue();
        another.close();
    }

    // django-pglock defect 14: a session lock inside a transaction is released before the commit
    @Test
    void isNotReleasedBeforeTheTransactionThatItProtectsIsCommitted(Connection mine, Connection theirs)
            throws SQLException {
        mine.setAutoCommit(false);
        Held.column(mine, "select 1");

        try (LockHandle lock = PgLock.on(mine).advisory(KEY).acquire()) {
            assertThat(isFree(theirs)).isFalse();
            assertThat(lock.isHeld()).isTrue();
        }

        assertThat(isFree(theirs)).isFalse();
        mine.commit();
        assertThat(isFree(theirs)).isTrue();
        Held.end(mine);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void isReleasedAtTheEndOfATransactionBegunMeanwhile(boolean shared, Connection mine, Connection theirs)
            throws SQLException {
        AdvisoryLock request = PgLock.on(mine).advisory(KEY);
        LockHandle lock = (shared ? request.shared() : request).acquire();
        mine.setAutoCommit(false);
        Held.column(mine, "select 1");

        lock.close();

        assertThat(lock.isHeld()).isFalse();
        assertThat(isFree(theirs)).isFalse();
        mine.rollback();
        assertThat(isFree(theirs)).isTrue();
        Held.end(mine);
    }

    @Test
    void isReleasedInsideATransactionWhenAskedTo(Connection mine, Connection theirs) throws SQLException {
        mine.setAutoCommit(false);
        Held.column(mine, "select 1");
        LockHandle lock = PgLock.on(mine).advisory(KEY).acquire();

        lock.releaseNow();

        assertThat(isFree(theirs)).isTrue();
        assertThat(lock.isHeld()).isFalse();
        Held.end(mine);
    }

    @Test
    void outlivesTheTransactionItWasAcquiredIn(Connection mine, Connection theirs) throws SQLException {
        mine.setAutoCommit(false);
        Held.column(mine, "select 1");
        LockHandle lock = PgLock.on(mine).advisory(KEY).acquire();
        mine.rollback();

        assertThat(isFree(theirs)).isFalse();

        lock.close();
        assertThat(isFree(theirs)).isTrue();
        Held.end(mine);
    }

    // django-pglock defect 23: release() is skipped when leaving the transaction fails
    @Test
    void rollsBackATransactionThatBeganInsideItAndFailed(Connection mine, Connection theirs) throws SQLException {
        mine.setAutoCommit(false);

        assertThatThrownBy(() -> {
                    try (LockHandle lock = PgLock.on(mine).advisory(KEY).acquire()) {
                        Held.execute(mine, "select 1/0");
                    }
                })
                .isInstanceOf(SQLException.class)
                .hasMessageContaining("division by zero")
                .satisfies(failure -> assertThat(failure.getSuppressed()).isEmpty());

        assertThat(isFree(theirs)).isTrue();
        Held.end(mine);
    }

    @Test
    void knowsOnceAskedOutsideThatTheTransactionItWasAcquiredInHasEnded(Connection mine, Connection theirs)
            throws SQLException {
        mine.setAutoCommit(false);
        Held.column(mine, "select 1");
        LockHandle lock = PgLock.on(mine).advisory(KEY).acquire();
        assertThatIllegalStateException()
                .isThrownBy(lock::fencingToken)
                .withMessageContaining("Ask where no transaction is open.");
        mine.commit();
        long token = lock.fencingToken();
        assertThatThrownBy(() -> Held.execute(mine, "select 1/0")).isInstanceOf(SQLException.class);

        assertThat(lock.fencingToken()).isEqualTo(token);
        lock.close();

        assertThat(isFree(theirs)).isTrue();
        Held.end(mine);
    }

    @Test
    void canBeClosedAfterTheRollbackOfATransactionThatBeganBeforeItAndFailed(Connection mine, Connection theirs)
            throws SQLException {
        mine.setAutoCommit(false);
        Held.column(mine, "select 1");
        LockHandle lock = PgLock.on(mine).advisory(KEY).acquire();
        assertThatThrownBy(() -> Held.execute(mine, "select 1/0")).isInstanceOf(SQLException.class);

        assertThatIllegalStateException().isThrownBy(lock::close).withMessageContaining("Roll it back");
        assertThat(lock.isHeld()).isTrue();
        mine.rollback();
        lock.close();

        assertThat(isFree(theirs)).isTrue();
        Held.end(mine);
    }

    @Test
    void isReleasedAfterAFailureWhenTheTransactionIsInsideTheLock(Connection mine, Connection theirs)
            throws SQLException {
        mine.setAutoCommit(false);

        assertThatThrownBy(() -> PgLock.on(mine).advisory(KEY).run(() -> {
                    try {
                        Held.execute(mine, "select 1/0");
                        mine.commit();
                    } catch (SQLException e) {
                        mine.rollback();
                        throw e;
                    }
                }))
                .isInstanceOf(SQLException.class)
                .hasNoSuppressedExceptions();

        assertThat(isFree(theirs)).isTrue();
        Held.end(mine);
    }

    // django-pglock defect 26: what pg_advisory_unlock returns is ignored
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void saysThatItWasLostWhenSomebodyUnlockedBehindItsBack(boolean inTransaction, Connection mine)
            throws SQLException {
        LockHandle lock = PgLock.on(mine).advisory(KEY).acquire();
        Held.execute(mine, "select pg_advisory_unlock_all()");
        mine.setAutoCommit(!inTransaction);
        Held.column(mine, "select 1");

        assertThatExceptionOfType(LockLostException.class)
                .isThrownBy(lock::close)
                .withMessageContaining("(7, -42)")
                .withMessageContaining("pg_advisory_unlock");
        assertThat(lock.isHeld()).isFalse();
        assertThatCode(lock::close).doesNotThrowAnyException();
        Held.end(mine);
    }

    @Test
    void saysThatItWasLostWithTheSession(Scenario scenario) {
        Session job = scenario.session("job");
        LockHandle lock = job.run(
                        connection -> PgLock.on(connection).advisory(KEY).acquire())
                .await();
        job.kill();

        assertThatExceptionOfType(LockLostException.class)
                .isThrownBy(lock::close)
                .satisfies(e -> assertThat(e.sqlState()).isPresent());
        assertThat(lock.isHeld()).isFalse();
        lock.close();
    }

    @Test
    void saysThatItWasLostWhenTheConnectionWasClosedFirst(Connection mine) throws SQLException {
        LockHandle lock = PgLock.on(mine).advisory(KEY).acquire();
        mine.close();

        assertThat(lock.isHeld()).isFalse();
        assertThatExceptionOfType(LockLostException.class)
                .isThrownBy(lock::close)
                .withMessage(
                        "(7, -42): lost with its session: the connection is closed. Where it is you who closes it, close the"
                                + " lock first.");
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void saysThatItWasLostWithTheSessionWhenAStatementOfItsOwnerHasNoticedThatFirst(
            boolean isAskedFirst, Scenario scenario, Connection mine) throws SQLException {
        LockHandle lock = PgLock.on(mine).advisory(KEY).acquire();
        terminate(scenario, Held.column(mine, "select pg_backend_pid()").get(0));
        assertThatThrownBy(() -> Held.execute(mine, "select 1")).isInstanceOf(SQLException.class);

        if (isAskedFirst) {
            assertThat(lock.isHeld()).isFalse();
        }
        assertThatExceptionOfType(LockLostException.class)
                .isThrownBy(lock::close)
                .withMessageContaining("(7, -42): lost with its session: ")
                .withMessageNotContaining("before the lock was released");
    }

    private static void terminate(Scenario scenario, String pid) throws SQLException {
        Held.execute(scenario.observer(), "select pg_terminate_backend(" + pid + ")");
        scenario.awaitGone(Integer.parseInt(pid));
    }

    /** To put autocommit back fails too then, and is not what is to be heard. */
    @Test
    void saysWhatHasEndedTheSessionThatWaitsForItWithoutAutocommit(Scenario scenario, Connection mine)
            throws SQLException {
        Session job = scenario.session("job");
        try (LockHandle lock = PgLock.on(mine).advisory(KEY).acquire()) {
            Call<String> waiting = job.run(connection -> {
                connection.setAutoCommit(false);
                try {
                    return PgLock.on(connection).advisory(KEY).acquire().toString();
                } catch (PgLockException e) {
                    return e.sqlState().orElse("none");
                }
            });
            scenario.awaitBlocked(job);

            terminate(scenario, String.valueOf(job.pid()));

            assertThat(waiting.await()).isEqualTo("57P01");
            assertThat(lock.isHeld()).isTrue();
        }
    }

    @Test
    void runsWorkAndReturnsWhatItReturns(Connection mine, Connection theirs) throws IOException {
        PgLock pg = PgLock.on(mine);

        String result = pg.advisory(KEY).run(() -> isFree(theirs) ? "free" : "locked");
        assertThat(result).isEqualTo("locked");
        pg.advisory(KEY).run(() -> {
            assertThat(isFree(theirs)).isFalse();
        });
        assertThat(pg.advisory(KEY).tryRun(() -> {})).isTrue();
        assertThat(pg.advisory(KEY).tryRun(() -> 42)).contains(42);
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> pg.advisory(KEY).run(this::fail));
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> pg.advisory(KEY).tryRun(this::fail));
        assertThat(isFree(theirs)).isTrue();
    }

    private void fail() throws IOException {
        throw new IOException("disk full");
    }

    // django-pglock defect 23, once more: the work fails, its caller rolls back, and nobody has the handle
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void leavesNothingWhenTheWorkFailsTheTransaction(boolean begunBefore, Connection mine, Connection theirs)
            throws SQLException {
        mine.setAutoCommit(false);
        if (begunBefore) {
            Held.column(mine, "select 1");
        }

        assertThatThrownBy(() -> PgLock.on(mine).advisory(KEY).run(() -> Held.execute(mine, "select 1/0")))
                .isInstanceOf(SQLException.class)
                .hasNoSuppressedExceptions();
        mine.rollback();

        assertThat(isFree(theirs)).isTrue();
        Held.end(mine);
    }

    @Test
    void rollsBackAndSaysSoWhenTheWorkHidesThatItsTransactionFailed(Connection mine, Connection theirs)
            throws SQLException {
        mine.setAutoCommit(false);

        assertThatExceptionOfType(PgLockException.class)
                .isThrownBy(() -> PgLock.on(mine)
                        .advisory(KEY)
                        .run(() -> assertThatThrownBy(() -> Held.execute(mine, "select 1/0"))
                                .isInstanceOf(SQLException.class)))
                .withMessageContaining("It was rolled back");

        assertThat(isFree(theirs)).isTrue();
        Held.end(mine);
    }

    @Test
    void runsInsideATransactionUnderTheLockOfThat(Connection mine, Connection theirs) throws SQLException {
        mine.setAutoCommit(false);
        Held.column(mine, "select 1");

        String result = PgLock.on(mine).advisory(KEY).run(() -> "done");
        assertThat(result).isEqualTo("done");
        assertThat(isFree(theirs)).isFalse();
        mine.commit();

        assertThat(isFree(theirs)).isTrue();
        Held.end(mine);
    }

    @Test
    void saysThatTheLockWasLostWhenTheWorkEndsTheTransactionThatHeldIt(Connection mine) throws SQLException {
        mine.setAutoCommit(false);
        Held.column(mine, "select 1");

        assertThatExceptionOfType(LockLostException.class)
                .isThrownBy(() -> PgLock.on(mine).advisory(KEY).run(mine::commit))
                .withMessageContaining("inside the work");
        Held.end(mine);
    }

    @Test
    void skipsWorkWhenNotAcquired(Connection mine, Connection theirs) {
        AdvisoryLock request = PgLock.on(mine).advisory(KEY).timeout(Duration.ZERO);
        try (LockHandle lock = PgLock.on(theirs).advisory(KEY).acquire()) {
            assertThat(lock.isHeld()).isTrue();

            boolean ran = request.tryRun(() -> {});
            assertThat(ran).isFalse();
            Optional<Integer> answer = request.tryRun(() -> 42);
            assertThat(answer).isEmpty();
            assertThatExceptionOfType(LockTimeoutException.class).isThrownBy(() -> request.run(() -> 42));
        }
    }

    // django-pglock defect 21: the error of the work is masked by that of the dead connection
    @Test
    void throwsTheErrorOfTheWorkWhenTheSessionDiesUnderIt(Scenario scenario) {
        Session job = scenario.session("job");

        SQLException failure = job.run(connection -> {
                    PgLock.on(connection).advisory(KEY).run(() -> {
                        Held.execute(connection, "select pg_terminate_backend(pg_backend_pid())");
                    });
                    return true;
                })
                .awaitFailure(SQLException.class);

        assertThat(failure.getSQLState()).isEqualTo("57P01");
        assertThat(failure.getSuppressed()).singleElement().isInstanceOf(LockLostException.class);
    }
}
