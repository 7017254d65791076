// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.pglock.internal.Pause;
import io.pglock.internal.PgSession;
import io.pglock.testkit.PostgresServer;
import io.pglock.testkit.PostgresTest;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/**
 * A cancel that was meant for the work arrives when that is done, and hits the statement that puts a setting back or releases a
 * lock. Here the session cancels itself there, by a function that stands before PostgreSQL's own.
 */
@PostgresTest
class LateCancelTest {

    private static final String CANCELLING = """
            drop schema if exists cancelling cascade;
            create schema cancelling;
            create sequence cancelling.calls;
            create function cancelling.set_config(name text, value text, local boolean) returns text language plpgsql as $$
            begin
                if nextval('cancelling.calls') = 1 then
                    perform pg_cancel_backend(pg_backend_pid());
                    perform pg_sleep(60);
                end if;
                return pg_catalog.set_config(name, value, local);
            end $$;
            create function cancelling.pg_advisory_unlock(key bigint) returns boolean language plpgsql as $$
            begin
                if nextval('cancelling.calls') <= 6 then
                    perform pg_cancel_backend(pg_backend_pid());
                    perform pg_sleep(60);
                end if;
                return pg_catalog.pg_advisory_unlock(key);
            end $$""";

    private final Connection mine;
    private final DataSource dataSource;

    LateCancelTest(Connection mine, DataSource dataSource) throws SQLException {
        this.mine = mine;
        this.dataSource = dataSource;
        Held.execute(mine, CANCELLING);
        Held.execute(mine, "set lock_timeout = '7s'");
    }

    @AfterEach
    void end() throws SQLException {
        Held.end(mine);
        Held.execute(mine, "reset search_path; reset lock_timeout");
    }

    /** The next statement that sets something. */
    private void cancelNext() throws SQLException {
        Held.execute(mine, "set search_path = cancelling, pg_catalog, public");
    }

    private void inForce(String value) throws SQLException {
        assertThat(Held.setting(mine, "lock_timeout")).isEqualTo(value);
        assertThat(Held.column(mine, "select last_value > 1 from cancelling.calls"))
                .as("there was a cancel")
                .containsExactly("t");
    }

    @Test
    void theSettingIsPutBackAllTheSame() throws SQLException {
        try (LockTimeout scope = PgLock.on(mine).lockTimeout(Duration.ofSeconds(1))) {
            cancelNext();
        }

        inForce("7s");
    }

    @Test
    void aGuardPutsBackWhatItHasSet() throws SQLException {
        LockPolicy policy = LockPolicy.parse(Map.of("prioritize", "off"));

        try (LockGuard guard = LockGuard.open("V1__a.sql", mine, dataSource, policy, LockGuard.Messages.SYSTEM)) {
            cancelNext();
        }

        inForce("7s");
    }

    @Test
    void thePauseOfAUnitPutsBackHowLongItMayBeIdle(PostgresServer server) throws SQLException {
        Assumptions.assumeTrue(server.majorVersion() >= 14, "idle_session_timeout came with PostgreSQL 14");
        Held.execute(mine, "set idle_session_timeout = '70s'");
        Pause pause = Pause.begin(PgSession.of(mine));
        assertThat(Held.setting(mine, "idle_session_timeout")).isEqualTo("0");
        cancelNext();

        pause.end();

        assertThat(Held.setting(mine, "idle_session_timeout")).isEqualTo("70s");
        inForce("7s");
        Held.execute(mine, "reset idle_session_timeout");
    }

    /** Of those that can be told of it, for whoever runs something under a lock has no handle to close again. */
    @Test
    void theLockOfARunIsReleasedThoughTheTransactionThatTheWorkHasLeftOpenIsLost() throws SQLException {
        assertThatExceptionOfType(PgLockException.class)
                .isThrownBy(() -> PgLock.on(mine).advisory(LockKey.of(1)).run(() -> {
                    cancelNext();
                    mine.setAutoCommit(false);
                    Held.execute(mine, "create table never (id int)");
                }))
                .withMessageContaining("released, and the transaction in which it was to be was rolled back")
                .withMessageContaining("canceling statement");

        mine.commit();
        mine.setAutoCommit(true);
        assertThat(Held.column(
                        mine,
                        "select 1 from pg_locks where locktype = 'advisory' and pid = pg_catalog.pg_backend_pid()"))
                .isEmpty();
        assertThat(Held.column(mine, "select to_regclass('public.never') is null"))
                .containsExactly("t");
    }

    @Test
    void aTransactionThatWasOpenThenIsRolledBackAndThatIsTold() throws SQLException {
        LockTimeout scope = PgLock.on(mine).lockTimeout(Duration.ofSeconds(1));
        cancelNext();
        mine.setAutoCommit(false);
        Held.execute(mine, "create table never (id int)");

        assertThatExceptionOfType(PgLockException.class)
                .isThrownBy(scope::close)
                .withMessageStartingWith(
                        "[lock_timeout = 1000ms]: restored, and the transaction in which that was to be was"
                                + " rolled back, for it had failed: ")
                .withMessageContaining("canceling statement");

        mine.commit();
        mine.setAutoCommit(true);
        inForce("7s");
        assertThat(Held.column(mine, "select to_regclass('public.never') is null"))
                .containsExactly("t");
    }
}
