// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.pglock.LockPolicy.Priority;
import io.pglock.testkit.Call;
import io.pglock.testkit.LiveThreads;
import io.pglock.testkit.Running;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import javax.sql.DataSource;
import org.h2.jdbcx.JdbcDataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.postgresql.ds.PGSimpleDataSource;

/** Each step by itself: what it costs, what it leaves alone, and that a connection that is gone does no harm in any. */
@Timeout(60)
class LockAttemptsStepsTest extends AttemptsScene {

    private static final SQLException LOCK_TIMEOUT = new SQLException("a lock timeout", "55P03");

    LockAttemptsStepsTest(Scenario scenario, DataSource side) {
        super(scenario, side);
    }

    private static LockPolicy yielding() {
        return patient().lockTimeout(Duration.ofMinutes(5)).maxBlockedTime(Duration.ofMillis(100));
    }

    private Running readingBehindTheMigration() {
        Session reader = scenario.session("reader");
        Running reading = reader.start("select * from orders");
        scenario.awaitBlockedBy(reader, migration());
        return reading;
    }

    @Test
    void doesNotBlameAWatchThatItNeverHad() {
        try (LockAttempts attempts = begin(patient().prioritize(Priority.REPORT))) {
            assertThat(attempts.failed(LOCK_TIMEOUT))
                    .hasValueSatisfying(text -> assertThat(text).endsWith("; it is not known who was in the way."));
        }
    }

    // ---- watch and leave --------------------------------------------------------------------------------------------

    @Test
    void aConnectionInOtherHandsIsNotWatched() {
        Session web = idleInTransaction("web");
        LockPolicy policy = terminating(patient()).maxBlockedTime(Duration.ZERO);
        Call<String> other = migration().run(connection -> {
            try (LockAttempts attempts = begin(policy)) {
                attempts.watch(connection, side);
                attempts.leave(connection);
                execute(connection, "set lock_timeout = '1500ms'");
                assertThatThrownBy(() -> execute(connection, ALTER)).hasMessageContaining("lock timeout");
                assertThat(said).isEmpty();
                attempts.watch(connection, side);
                execute(connection, "set lock_timeout = 0", ALTER);
                return "done";
            }
        });
        scenario.awaitBlockedBy(migration(), web);
        Running reading = readingBehindTheMigration();
        reading.await(); // not before the wait is over

        assertThat(other.await()).isEqualTo("done");
        assertThat(hasSaid("Terminated pid " + web.pid())).isTrue();
        web.close();
    }

    @Test
    void nothingIsDoneForAConnectionAfterTheAttemptHasEnded() {
        Session web = idleInTransaction("web");
        LockPolicy policy = terminating(patient()).maxBlockedTime(Duration.ZERO);
        Call<String> other = migration().run(connection -> {
            try (LockAttempts attempts = begin(policy)) {
                attempts.watch(connection, side);
                attempts.endAttempt();
                attempts.watch(connection, side); // between two attempts
                execute(connection, "set lock_timeout = '1500ms'");
                assertThatThrownBy(() -> execute(connection, ALTER)).hasMessageContaining("lock timeout");
                return "left alone";
            }
        });
        scenario.awaitBlockedBy(migration(), web);
        readingBehindTheMigration().await();

        assertThat(other.await()).isEqualTo("left alone");
        assertThat(said).isEmpty();
        assertThat(web.value("select 1")).isEqualTo("1");
        web.commit();
    }

    private HikariDataSource poolOfOne() {
        HikariConfig config = new HikariConfig();
        config.setDataSource(side);
        config.setMaximumPoolSize(1);
        return new HikariDataSource(config);
    }

    @Test
    void aSessionIsTheSameInTheHandsOfTheNextBorrowerOfAPool() throws SQLException {
        Session web = idleInTransaction("web");
        try (HikariDataSource pool = poolOfOne();
                LockAttempts attempts = begin(terminating(patient()).lockTimeout(Duration.ofSeconds(30)))) {
            try (Connection connection = pool.getConnection()) {
                attempts.watch(connection, side);
            }
            try (Connection connection = pool.getConnection()) {
                attempts.watch(connection, side);
                execute(connection, ALTER);
            }
        }
        assertThat(hasSaid("Terminated pid " + web.pid())).isTrue();
        web.close();
    }

    /** A host may close a connection before it says that it has left it: by then the next borrower may have the session. */
    @Test
    void aConnectionThatWasClosedIsLeftToo() throws SQLException {
        Session web = idleInTransaction("web");
        try (HikariDataSource pool = poolOfOne();
                LockAttempts attempts = begin(terminating(patient()))) {
            Connection mine = pool.getConnection();
            attempts.watch(mine, side);
            mine.close();
            attempts.leave(mine);
            try (Connection next = pool.getConnection()) {
                execute(next, "set lock_timeout = '600ms'");
                assertThatThrownBy(() -> execute(next, ALTER)).hasMessageContaining("lock timeout");
                execute(next, "reset lock_timeout");
            }
        }
        assertThat(said).isEmpty();
        web.commit();
    }

    @Test
    void eachDataSourceThatHasNoSideConnectionIsNamed() throws SQLException {
        try (Connection first = side.getConnection();
                Connection second = side.getConnection();
                LockAttempts attempts = begin(patient().monitorRequired(false))) {
            for (String host : List.of("east", "west")) {
                attempts.watch(host.equals("east") ? first : second, new HandingOut(() -> {
                    throw new SQLException(host + " cannot be reached");
                }));
            }
            scenario.await(
                    "both warnings", () -> hasSaid("east cannot be reached") && hasSaid("west cannot be reached"));
        }
    }

    @Test
    void asksASessionOnceAndSaysBefore() throws SQLException {
        try (Connection connection = side.getConnection();
                LockAttempts attempts = begin(patient());
                LockAttempts off = begin(patient().prioritize(Priority.OFF))) {
            assertThat(attempts.knows(connection)).isFalse();
            assertThat(off.knows(connection)).isTrue();
            attempts.watch(connection, side);
            assertThat(attempts.knows(connection)).isTrue();
        }
    }

    @Test
    void fixesNoSnapshotOnASessionThatItKnows() {
        Session other = scenario.session("other");
        assertThat(migration()
                        .run(connection -> {
                            try (LockAttempts attempts = begin(patient())) {
                                attempts.watch(connection, side);
                                attempts.endAttempt();
                            }
                            connection.setAutoCommit(false);
                            connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
                            try (LockAttempts attempts = begin(patient())) {
                                assertThat(attempts.knows(connection)).isTrue();
                                execute(connection, "lock table orders in access share mode");
                                attempts.watch(connection, side);
                                other.execute("insert into orders values (1)");
                                return Held.column(connection, "select count(*) from orders")
                                        .get(0);
                            } finally {
                                connection.rollback();
                                connection.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
                                connection.setAutoCommit(true);
                            }
                        })
                        .await())
                .isEqualTo("1");
    }

    @Test
    void asksNothingInAFailedTransactionAndWatchesOnceThatIsOver() throws SQLException {
        try (Connection connection = side.getConnection();
                LockAttempts attempts = begin(patient())) {
            connection.setAutoCommit(false);
            assertThatThrownBy(() -> execute(connection, "select 1/0")).isInstanceOf(SQLException.class);
            attempts.watch(connection, side);
            assertThat(attempts.knows(connection)).isFalse();
            connection.rollback();
            attempts.watch(connection, side);
            assertThat(attempts.knows(connection)).isTrue();
            assertThat(said).isEmpty();
        }
    }

    @Test
    void aSideConnectionThatCannotBeHadIsAnErrorWhereItIsRequiredAndElseOneWarning() throws SQLException {
        PGSimpleDataSource nowhere = new PGSimpleDataSource();
        nowhere.setPortNumbers(new int[] {1});
        try (Connection first = side.getConnection();
                Connection second = side.getConnection()) {
            try (LockAttempts attempts = begin(patient())) {
                assertThatThrownBy(() -> attempts.watch(first, nowhere))
                        .isInstanceOf(PgLockException.class)
                        .hasMessageStartingWith(
                                "Archive.run: not begun, because monitorRequired=true and nobody can watch: ");
            }
            try (LockAttempts attempts = begin(patient().monitorRequired(false))) {
                attempts.watch(first, nowhere);
                attempts.watch(second, nowhere);
                scenario.await("a warning", () -> hasSaid("is not seen: no side connection: "));
                attempts.watch(first, nowhere);
            }
            assertThat(said).singleElement().asString().startsWith("WARNING Archive.run: Whoever blocks pid ");
        }
    }

    @Test
    void whatIsNotPostgresIsRefusedUnlessNobodyWatches() throws SQLException {
        JdbcDataSource h2 = new JdbcDataSource();
        h2.setURL("jdbc:h2:mem:");
        try (Connection connection = h2.getConnection();
                LockAttempts attempts = begin(patient());
                LockAttempts off = begin(patient().prioritize(Priority.OFF))) {
            assertThatThrownBy(() -> attempts.watch(connection, side)).isInstanceOf(LockNotSupportedException.class);
            off.watch(connection, side);
            attempts.leave(connection);
            attempts.noteLocks(connection);
        }
    }

    // ---- giving way -------------------------------------------------------------------------------------------------

    /** What a step makes of an attempt that otherwise gives way. */
    private Call<String> altering(LockPolicy policy, Consumer<LockAttempts> step) {
        return migration().run(connection -> {
            try (LockAttempts attempts = begin(policy)) {
                attempts.watch(connection, side);
                step.accept(attempts);
                execute(connection, ALTER);
                return "done";
            } catch (SQLException e) {
                return e.getSQLState();
            }
        });
    }

    private void staysInTheQueue(Consumer<LockAttempts> step) {
        Session web = idleInTransaction("web");
        Call<String> unit = altering(yielding().maxBlockedTime(Duration.ZERO), step);
        scenario.awaitBlockedBy(migration(), web);
        Running reading = readingBehindTheMigration();
        awaitLooks();
        assertThat(reading.isDone()).isFalse();
        web.commit();
        assertThat(unit.await()).isEqualTo("done");
        reading.await();
    }

    @Test
    void anAttemptOfWhichSomethingStaysDoesNotGiveWayNorComeBack() {
        staysInTheQueue(attempts -> {
            assertThat(attempts.mayComeBack(LOCK_TIMEOUT)).isTrue();
            attempts.takesEffect();
            assertThat(attempts.mayComeBack(LOCK_TIMEOUT)).isFalse();
        });
    }

    @Test
    void norDoesItWhenItsNextStatementHasAnotherLockTimeout() {
        staysInTheQueue(attempts -> {
            attempts.takesEffect();
            attempts.lockTimeout(Optional.of(Duration.ofMinutes(9)));
        });
    }

    @Test
    void aStatementThatStandsFastDoesNotGiveWay() {
        staysInTheQueue(attempts -> attempts.standFast(Optional.empty()));
    }

    @Test
    void theStatementAfterItGivesWayAgain() {
        Session web = idleInTransaction("web");
        Call<String> unit = altering(yielding(), attempts -> {
            attempts.standFast(Optional.of(Duration.ofMinutes(5)));
            attempts.lockTimeout(Optional.of(Duration.ofMinutes(5)));
        });
        scenario.awaitBlockedBy(migration(), web);

        scenario.session("reader").execute("select * from orders"); // waits, and is made way for

        assertThat(unit.await()).isEqualTo("57014");
        web.commit();
    }

    @Test
    void saysHowLongItHasReallyWaited() {
        Session web = idleInTransaction("web");

        assertThat(migration()
                        .run(connection -> {
                            try (LockAttempts attempts = begin(patient())) {
                                return host(attempts, one(connection), mine -> {
                                    execute(mine, "set local lock_timeout = '300ms'");
                                    attempts.lockTimeout(Optional.of(Duration.ofMillis(300)));
                                    attempts.takesEffect();
                                    execute(mine, ALTER);
                                });
                            }
                        })
                        .await())
                .startsWith("55P03 Archive.run: not locked within 300ms, blocked by pid " + web.pid());
        web.commit();
    }

    // ---- what is gone -----------------------------------------------------------------------------------------------

    @Test
    void aClosedConnectionDoesNoHarmInAnyStep(@TempDir Path folder) throws SQLException {
        Connection closed = side.getConnection();
        Connection closedLater = side.getConnection();
        try (LockAttempts attempts = begin(brisk().report(folder.resolve("report.jsonl")))) {
            attempts.watch(closedLater, side);
            closedLater.close();
            closed.close();
            for (Connection gone : List.of(closed, closedLater)) {
                assertThat(attempts.knows(gone)).isTrue();
                attempts.watch(gone, side);
                attempts.noteLocks(gone);
                attempts.leave(gone);
            }
            attempts.lockTimeout(Optional.empty());
            attempts.standFast(Optional.empty());
            assertThat(attempts.comesBack(new SQLException("a lock timeout", "55P03")))
                    .isTrue();
            attempts.watch(closedLater, side);
            assertThat(attempts.failed()).isEmpty();
        }
        assertThat(said).noneMatch(line -> line.contains("is not seen"));
    }

    @Test
    void aSessionThatTheServerEndsIsAFailureLikeAnyOther() {
        Session web = idleInTransaction("web");
        Call<String> unit = attempting(patient().lockTimeout(Duration.ofMinutes(5)), ALTER);
        awaitBlockedAttempt(1);

        scenario.session("admin").execute("select pg_terminate_backend(" + pids.get(0) + ")");

        assertThat(unit.await()).startsWith("57P01 ");
        assertThat(pids).hasSize(1);
        web.commit();
    }

    @Test
    void leavesNoThreadNoSessionAndNoSettingBehind() {
        Session web = idleInTransaction("web");
        migration().execute("set lock_timeout = '7s'");
        Call<String> unit = onOne(patient(), ALTER);
        awaitPause();
        web.commit();
        assertThat(unit.await()).isEqualTo("done");

        assertThat(migration().value("show lock_timeout")).isEqualTo("7s");
        assertThat(LiveThreads.named("pglock-watch")).isEmpty();
        scenario.await(
                "the watch's session to be gone",
                () -> Held.column(
                                scenario.observer(),
                                "select 1 from pg_stat_activity where application_name = 'pglock' and datname ="
                                        + " current_database()")
                        .isEmpty());
    }

    @Test
    void endsByItselfWhenNobodyCanReachItAnyMore() throws SQLException {
        try (Connection connection = side.getConnection()) {
            abandon(connection);
            scenario.await("the watch of abandoned attempts to end", () -> {
                System.gc();
                return LiveThreads.named("pglock-watch").isEmpty();
            });
        }
    }

    private void abandon(Connection connection) {
        begin(patient()).watch(connection, side);
        assertThat(LiveThreads.named("pglock-watch")).isNotEmpty();
    }

    @Test
    void closesAgainAndComesBackNoMoreThen() {
        LockAttempts attempts = begin(brisk());
        attempts.close();
        attempts.close();
        assertThat(attempts.mayComeBack(LOCK_TIMEOUT)).isFalse();
        assertThat(attempts.comesBack(LOCK_TIMEOUT)).isFalse();
    }
}
