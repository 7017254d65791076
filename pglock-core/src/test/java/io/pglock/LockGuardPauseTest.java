// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.testkit.Call;
import io.pglock.testkit.PostgresServer;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.lang.System.Logger.Level;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Whatever happens in a pause, nothing is left behind, and what comes out is what the driver reported. */
@Timeout(60)
class LockGuardPauseTest extends GuardScene {

    private static final LockGuard.Work<Boolean> NOTHING = () -> true;

    private final PostgresServer server;

    LockGuardPauseTest(Scenario scenario, DataSource side, PostgresServer server) {
        super(scenario, side);
        this.server = server;
    }

    /** Waits until the server has ended a session that idles under the same timeout. */
    private void awaitEndOfTheIdle(String setting, String then) {
        Session canary = scenario.session("canary");
        canary.execute("set " + setting + " = '200ms'");
        canary.start(then);
        scenario.awaitGone(canary.pid());
    }

    @Test
    void theServerDoesNotEndItForBeingIdleInATransaction() {
        Session web = idleInTransaction("web");
        Call<List<String>> unit = migration().run(connection -> {
            execute(connection, "set idle_in_transaction_session_timeout = '200ms'");
            connection.setAutoCommit(false);
            List<String> found;
            try (LockGuard guard = LockGuard.openWithSavepoint("unit", connection, side, patient(), this::say)) {
                found = guard.run(
                        () -> {
                            execute(connection, ALTER);
                            return List.of(Held.setting(connection, "idle_in_transaction_session_timeout"));
                        },
                        guard::rollBackToSavepoint);
            }
            connection.commit();
            connection.setAutoCommit(true);
            return found;
        });

        awaitPause();
        awaitEndOfTheIdle("idle_in_transaction_session_timeout", "begin");
        web.commit();

        assertThat(unit.await()).containsExactly("200ms");
    }

    @Test
    void theServerDoesNotEndItForBeingIdle() throws SQLException {
        Assumptions.assumeTrue(server.majorVersion() >= 14, "idle_session_timeout came with PostgreSQL 14");
        Session web = idleInTransaction("web");
        Call<List<String>> unit = migration().run(connection -> {
            try (LockGuard guard = open(connection, patient())) {
                guard.run(
                        () -> {
                            execute(connection, "set idle_session_timeout = '200ms'", ALTER);
                            return true;
                        },
                        LockGuard.Undo.NOTHING);
                List<String> found = List.of(Held.setting(connection, "idle_session_timeout"));
                execute(connection, "set idle_session_timeout = 0"); // or it would end while the guard is closed
                return found;
            }
        });

        awaitPause();
        awaitEndOfTheIdle("idle_session_timeout", "select 1");
        web.commit();

        assertThat(unit.await()).containsExactly("200ms");
    }

    @Test
    void doesNotPauseWithLocksFromBefore() {
        Session web = idleInTransaction("web");
        Call<String> unit = migration().run(connection -> {
            execute(connection, "create table if not exists items (id int)");
            connection.setAutoCommit(false);
            execute(connection, "lock table items in exclusive mode");
            try (LockGuard guard = LockGuard.openWithSavepoint("unit", connection, side, patient(), this::say)) {
                guard.run(
                        () -> {
                            execute(connection, ALTER);
                            return true;
                        },
                        guard::rollBackToSavepoint);
                return "done";
            } catch (SQLException e) {
                return e.getSQLState() + " " + List.of(e.getSuppressed());
            } finally {
                connection.rollback();
                connection.setAutoCommit(true);
            }
        });

        assertThat(unit.await()).isEqualTo("55P03 []");
        assertThat(said)
                .contains(
                        "WARNING unit: not tried again: its transaction holds locks from before, and pausing with those"
                                + " would make others wait (ExclusiveLock on items).");
        web.commit();
    }

    /** Which would come back without it, and commit the half of the work as if it were all. */
    private static final String UNDONE_TOO =
            "WARNING V7__note.sql: not tried again: undoing it has undone what its transaction had done before, too, and that would"
                    + " be missing. Do all of it in one run, or commit before.";

    @Test
    void doesNotComeBackWithoutWhatAnEarlierRunHasDoneInTheTransaction() throws SQLException {
        migration().execute("drop table if exists items", "create table items (id int)");
        Session web = idleInTransaction("web");
        AtomicInteger attempts = new AtomicInteger();
        Call<String> unit = guardedTwice(brisk().retryAttempts(2), "alter table items add column note text", attempts);

        assertThat(unit.await()).startsWith("55P03 ").doesNotContain("SUPPRESSED");
        assertThat(said).contains(UNDONE_TOO).noneMatch(line -> line.contains("Trying again"));
        assertThat(attempts).hasValue(1);
        web.commit();
    }

    @Test
    void comesBackAfterAnEarlierRunThatHasOnlyRead() {
        migration().execute("create table if not exists items (id int)");
        Session web = idleInTransaction("web");
        AtomicInteger attempts = new AtomicInteger();
        Call<String> unit = guardedTwice(patient(), "select * from items", attempts);

        awaitPause();
        web.commit();
        assertThat(unit.await()).isEqualTo("done");
        assertThat(attempts).hasValue(2);
    }

    /** Two runs in one transaction, of which the second alters orders. */
    private Call<String> guardedTwice(LockPolicy policy, String first, AtomicInteger attempts) {
        return migration().run(connection -> {
            connection.setAutoCommit(false);
            LockGuard guard = open(connection, policy);
            guard.run(
                    () -> {
                        execute(connection, first);
                        return true;
                    },
                    connection::rollback);
            return ending(
                    connection,
                    guard,
                    () -> {
                        attempts.incrementAndGet();
                        execute(connection, ALTER);
                    },
                    connection::rollback);
        });
    }

    @Test
    void doesNotComeBackWithoutWhatItsCallerHasDoneInTheTransaction() {
        migration().execute("drop table if exists items", "create table items (id int)");
        Session web = idleInTransaction("web");

        assertThat(guardedAfter("insert into items values (1)", Connection::rollback)
                        .await())
                .startsWith("55P03 ")
                .doesNotContain("SUPPRESSED");

        assertThat(said).contains(UNDONE_TOO).noneMatch(line -> line.contains("Trying again"));
        web.commit();
    }

    /** Once more in the same transaction, but not as it was. */
    @Test
    void doesNotComeBackWhereASavepointFromBeforeTakesTheWorkBeforeItAlong() {
        migration().execute("drop table if exists items", "create table items (id int)");
        Session web = idleInTransaction("web");

        assertThat(guardedAfter(
                                "savepoint before; insert into items values (1)",
                                connection -> execute(connection, "rollback to before"))
                        .await())
                .startsWith("55P03 ")
                .doesNotContain("SUPPRESSED");

        assertThat(said).contains(UNDONE_TOO).noneMatch(line -> line.contains("Trying again"));
        web.commit();
    }

    /** Alters orders in a transaction in which its caller has done something before. */
    private Call<String> guardedAfter(String before, Doing undo) {
        return migration().run(connection -> {
            connection.setAutoCommit(false);
            execute(connection, before);
            LockGuard guard = open(connection, brisk().retryAttempts(2));
            return ending(connection, guard, () -> execute(connection, ALTER), () -> undo.on(connection));
        });
    }

    /** What it says of the locks from before, having altered a table that somebody reads. */
    private String alteringWith(String... before) {
        migration()
                .run(connection -> {
                    connection.setAutoCommit(false);
                    execute(connection, before);
                    LockPolicy twice =
                            brisk().lockTimeout(Duration.ofMillis(300)).retryAttempts(2);
                    try (LockGuard guard = LockGuard.openWithSavepoint("unit", connection, side, twice, this::say)) {
                        guard.run(
                                () -> {
                                    say(Level.INFO, "holds " + Held.advisory(connection));
                                    execute(connection, ALTER);
                                    return true;
                                },
                                guard::rollBackToSavepoint);
                    } catch (SQLException e) {
                        say(Level.INFO, e.getSQLState() + " " + List.of(e.getSuppressed()));
                    } finally {
                        connection.rollback();
                        connection.setAutoCommit(true);
                    }
                    return true;
                })
                .await();
        return String.join("\n", said);
    }

    @Test
    void doesNotPauseWithAnAdvisoryLockOfTheTransactionFromBefore() {
        Session web = idleInTransaction("web");

        assertThat(alteringWith("select pg_advisory_xact_lock(42)", "select pg_advisory_xact_lock_shared(-1, 7)"))
                .contains(
                        "WARNING unit: not tried again: its transaction holds locks from before, and pausing with those"
                                + " would make others wait (ExclusiveLock on advisory key 42, ShareLock on advisory key (-1, 7)).")
                .doesNotContain("Trying again")
                .contains("55P03 []");
        web.commit();
    }

    /** Whoever takes one means to hold it throughout, and would never get in otherwise: a runner of migrations, for one. */
    @Test
    void pausesWithTheAdvisoryLocksOfTheSessionAndKeepsThem() throws SQLException {
        Session web = idleInTransaction("web");
        migration()
                .execute(
                        "select pg_advisory_lock(42), pg_advisory_lock(42), pg_advisory_lock_shared(43)",
                        "select pg_advisory_lock(-1, 7), pg_advisory_lock_shared(7, -1)");

        assertThat(alteringWith("select pg_advisory_xact_lock(77431708279161 + 4711)"))
                .as("and with Flyway's own, in whichever way that is held")
                .contains("Trying again")
                .doesNotContain("from before");
        assertThat(said)
                .filteredOn(line -> line.contains("holds"))
                .hasSize(2)
                .containsOnly("INFO holds [ExclusiveLock, ExclusiveLock, ExclusiveLock, ShareLock, ShareLock]");

        assertThat(migration()
                        .value("select concat(pg_advisory_unlock(42), pg_advisory_unlock(42), pg_advisory_unlock(42),"
                                + " pg_advisory_unlock_shared(43), pg_advisory_unlock_shared(43),"
                                + " pg_advisory_unlock(-1, 7), pg_advisory_unlock_shared(7, -1))"))
                .as("as often as before")
                .isEqualTo("ttftftt");
        web.commit();
    }

    @Test
    void aSessionThatIsLostInThePauseEndsItAtOnceThoughTheBlockerIsStillThere() {
        Session web = idleInTransaction("web");
        Call<String> unit = replaying(patient(), ALTER);

        awaitPause();
        migration().kill();

        assertThat(unit.await())
                .startsWith("57P01 ")
                .contains(
                        " SUPPRESSED [org.postgresql.util.PSQLException: ERROR: canceling statement due to lock timeout]");
        assertThat(web.value("select 1")).isEqualTo("1");
    }

    @Test
    void anUndoThatFailsEndsItWithTheFirstFailure() {
        Session web = idleInTransaction("web");

        assertThat(guarded(patient(), connection -> execute(connection, ALTER), connection -> {
                            throw new SQLException("no way back");
                        })
                        .await())
                .startsWith("55P03 ")
                .endsWith(" SUPPRESSED [java.sql.SQLException: no way back]");
        assertThat(guarded(patient(), connection -> execute(connection, ALTER), connection -> {
                            throw new IllegalStateException("a host's own");
                        })
                        .await())
                .startsWith("55P03 ")
                .endsWith(" SUPPRESSED [java.lang.IllegalStateException: a host's own]");
        assertThat(guarded(patient(), connection -> execute(connection, ALTER), connection -> {})
                        .await())
                .as("an undo that undoes nothing, in a transaction")
                .startsWith("55P03 ")
                .contains(" SUPPRESSED [org.postgresql.util.PSQLException");
        web.commit();
    }

    @Test
    void anInterruptEndsThePauseAndIsKept() {
        Session web = idleInTransaction("web");
        Call<String> unit = migration().run(connection -> {
            connection.setAutoCommit(false);
            LockGuard guard = open(connection, patient());
            try (guard) {
                guard.run(
                        () -> {
                            execute(connection, ALTER);
                            return true;
                        },
                        connection::rollback);
                return "done";
            } catch (SQLException e) {
                guard.close();
                boolean kept = Thread.interrupted();
                connection.rollback();
                connection.setAutoCommit(true);
                return e.getSQLState() + " " + kept + " " + List.of(e.getSuppressed());
            }
        });

        awaitPause();
        migration().interrupt();

        assertThat(unit.await()).isEqualTo("55P03 true [java.lang.InterruptedException]");
        web.commit();
    }

    @Test
    void aUnitThatSetsItsOwnLockTimeoutKeepsItInEveryAttempt() {
        Session web = idleInTransaction("web");
        List<String> timeouts = new CopyOnWriteArrayList<>();

        guarded(
                        brisk().lockTimeout(Duration.ofMillis(300)).retryAttempts(3),
                        connection -> {
                            execute(connection, "set local lock_timeout = '77ms'");
                            timeouts.add(Held.setting(connection, "lock_timeout"));
                            execute(connection, ALTER);
                        },
                        Connection::rollback)
                .await();

        assertThat(timeouts).containsExactly("77ms", "77ms", "77ms");
        web.commit();
    }

    @Test
    void inAutocommitTheSessionHasItsOwnSettingsAgainAfterRetries() {
        Session web = idleInTransaction("web");
        migration().execute("set lock_timeout = '7s'", "set statement_timeout = '8min'");
        Call<String> unit = alone(patient(), ALTER);

        awaitPause();
        web.commit();

        assertThat(unit.await()).isEqualTo("done");
        assertThat(migration().value("show lock_timeout")).isEqualTo("7s");
        assertThat(migration().value("show statement_timeout")).isEqualTo("8min");
    }

    @Test
    void aUnitThatEndsItsTransactionItselfFindsTheNextOneUnharmed() {
        Call<String> unit = migration().run(connection -> {
            connection.setAutoCommit(false);
            try (LockGuard guard = LockGuard.openWithSavepoint("unit", connection, side, patient(), this::say)) {
                execute(connection, "insert into orders values (1)", "commit", "insert into orders values (2)");
                guard.run(NOTHING, guard::rollBackToSavepoint);
            }
            connection.commit();
            connection.setAutoCommit(true);
            return "done";
        });

        assertThat(unit.await()).isEqualTo("done");
        assertThat(migration().value("select count(*) from orders")).isEqualTo("2");
    }

    @Test
    void aUnitThatGoesBackBehindItsBeginningIsUnharmed() {
        Call<String> unit = migration().run(connection -> {
            connection.setAutoCommit(false);
            execute(connection, "savepoint mine", "set local lock_timeout = '9s'");
            try (LockGuard guard = LockGuard.openWithSavepoint("unit", connection, side, patient(), this::say)) {
                assertThat(guard.hasSavepoint()).isTrue();
                execute(connection, "rollback to savepoint mine", "insert into orders values (1)");
            }
            String timeout = Held.setting(connection, "lock_timeout");
            connection.commit();
            connection.setAutoCommit(true);
            return timeout;
        });

        assertThat(unit.await()).isEqualTo("0");
        assertThat(migration().value("select count(*) from orders")).isEqualTo("1");
    }
}
