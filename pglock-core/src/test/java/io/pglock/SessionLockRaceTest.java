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
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** PostgreSQL can grant a session lock and fail the statement at once; the lock then stays, as no rollback ends it. */
@PostgresTest
class SessionLockRaceTest {

    private static final LockKey KEY = LockKey.of(42);

    @Test
    void holdsNothingInTheEndHoweverManySessionsTimeOut(Scenario scenario) {
        List<Call<Integer>> hammering = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            Session session = scenario.session("hammer-" + i);
            boolean inTransaction = i % 3 == 2;
            hammering.add(session.run(connection -> hammer(connection, inTransaction)));
        }

        int timeouts = hammering.stream().mapToInt(Call::await).sum();

        assertThat(timeouts).as("timeouts provoked").isPositive();
        assertThat(scenario.session("observer")
                        .value("select count(*) from pg_locks l join pg_database d on d.oid = l.database"
                                + " where l.locktype = 'advisory' and d.datname = current_database()"))
                .as("advisory locks left\n" + scenario.lockTable())
                .isEqualTo("0");
    }

    private static int hammer(Connection connection, boolean inTransaction) throws SQLException {
        connection.setAutoCommit(!inTransaction);
        AdvisoryLock request = PgLock.on(connection).advisory(KEY).timeout(Duration.ofMillis(1));
        int timeouts = 0;
        for (int round = 0; round < 300; round++) {
            if (inTransaction) {
                Held.column(connection, "select 1");
            }
            Optional<LockHandle> lock = request.tryAcquire();
            lock.ifPresent(LockHandle::close);
            timeouts += lock.isPresent() ? 0 : 1;
            if (inTransaction) {
                connection.commit();
            }
        }
        return timeouts;
    }

    @ParameterizedTest
    @CsvSource({"55P03, true", "55P03, false", "57014, true", "57014, false"})
    void givesBackALockThatWasGrantedByAStatementThatFailed(String sqlState, boolean inTransaction, Connection mine)
            throws SQLException {
        AfterTheFact failing = new AfterTheFact(mine);
        AdvisoryLock request = PgLock.on(failing.connection()).advisory(KEY);
        request.acquire().close();
        mine.setAutoCommit(!inTransaction);
        Held.column(mine, "select 1");
        failing.reportNext(sqlState);

        if (sqlState.equals("55P03")) {
            assertThat(request.tryAcquire()).isEmpty();
        } else {
            assertThatExceptionOfType(PgLockException.class).isThrownBy(request::tryAcquire);
        }

        assertThat(Held.advisory(mine)).isEmpty();
        Held.end(mine);
    }

    @Test
    void givesItBackEvenWhenALateCancelHitsThatToo(Connection mine) throws SQLException {
        AfterTheFact failing = new AfterTheFact(mine);
        AdvisoryLock request = PgLock.on(failing.connection()).advisory(KEY).shared();
        request.acquire().close();
        failing.reportNext("57014", "57014", "57014");

        assertThatExceptionOfType(PgLockException.class)
                .isThrownBy(request::acquire)
                .satisfies(e -> assertThat(e.getCause().getSuppressed()).hasSize(2));

        assertThat(Held.advisory(mine)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void doesNotTakeAwayWhatWasHeldBefore(boolean granted, Connection mine) throws SQLException {
        AfterTheFact failing = new AfterTheFact(mine);
        AdvisoryLock request = PgLock.on(failing.connection()).advisory(KEY);
        LockHandle before = request.acquire();
        failing.reportNext("57014");

        assertThatExceptionOfType(PgLockException.class).isThrownBy(request::acquire);
        if (!granted) {
            // as if the statement had failed before the lock was granted once more
            Held.execute(mine, "select pg_advisory_unlock(42)");
        }

        assertThat(Held.advisory(mine)).containsExactly("ExclusiveLock");
        before.close();
        assertThat(Held.advisory(mine)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void isReleasedEvenWhenTheReleaseReportsACancel(boolean inTransaction, Connection mine) throws SQLException {
        AfterTheFact failing = new AfterTheFact(mine);
        AdvisoryLock request = PgLock.on(failing.connection()).advisory(KEY);
        LockHandle lock = request.acquire();
        mine.setAutoCommit(!inTransaction);
        Held.column(mine, "select 1");
        failing.reportNext("57014", "57014");

        lock.close();

        assertThat(Held.advisory(mine)).hasSize(inTransaction ? 1 : 0);
        Held.end(mine);
        assertThat(Held.advisory(mine)).isEmpty();
    }

    @Test
    void isReleasedAsOftenAsAcquiredEvenWhenAReleaseReportsACancel(Connection mine) throws SQLException {
        AfterTheFact failing = new AfterTheFact(mine);
        AdvisoryLock request = PgLock.on(failing.connection()).advisory(KEY);
        LockHandle outer = request.acquire();
        LockHandle inner = request.acquire();
        failing.reportNext("57014");

        inner.close();
        assertThat(Held.advisory(mine)).containsExactly("ExclusiveLock");
        outer.close();

        assertThat(Held.advisory(mine)).isEmpty();
    }
}
