// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pglock.testkit.Scenario;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A guard that is opened before its host begins the transaction of the unit. */
@Timeout(60)
class LockGuardAheadTest extends GuardScene {

    LockGuardAheadTest(Scenario scenario, DataSource side) {
        super(scenario, side);
    }

    @FunctionalInterface
    private interface Unit {
        void run(Connection connection, LockGuard guard) throws SQLException;
    }

    /** In a transaction, as far as the unit does not say otherwise. */
    private void ahead(LockPolicy policy, Unit unit) throws SQLException {
        Connection connection = migration().connection();
        connection.setAutoCommit(false);
        try {
            execute(connection, "set session lock_timeout = '77s'");
            connection.commit();
            try (LockGuard guard = LockGuard.openAhead("unit", connection, side, policy, this::say)) {
                unit.run(connection, guard);
            }
            connection.rollback();
            connection.setAutoCommit(true);
            assertThat(Held.setting(connection, "lock_timeout")).isEqualTo("77s");
        } finally {
            Held.end(connection);
            execute(connection, "reset lock_timeout");
        }
    }

    private static String timeout(Connection connection) throws SQLException {
        return Held.setting(connection, "lock_timeout");
    }

    private static LockPolicy policy() {
        return LockPolicy.defaults().lockTimeout(Duration.ofSeconds(3));
    }

    @Test
    void hasItsTimeoutsFromTheFirstStatementOn() throws SQLException {
        ahead(policy(), (connection, guard) -> {
            assertThat(timeout(connection)).isEqualTo("77s");
            assertThat(guard.hasSavepoint()).isFalse();
            guard.beforeStatement("select 1");
            assertThat(timeout(connection)).isEqualTo("3s");
            assertThat(guard.hasSavepoint()).isTrue();
            connection.commit();
            assertThat(timeout(connection)).isEqualTo("77s");
        });
    }

    @Test
    void seesAfterUnseenWorkWhetherTheTransactionIsStillTheSame() throws SQLException {
        ahead(policy(), (connection, guard) -> {
            guard.beforeStatement("select 1");
            execute(connection, "select 1");
            guard.afterUnseenWork();
            assertThat(guard.hasEndedItsTransaction()).isFalse();
            guard.rollBackToSavepoint();

            connection.commit();
            execute(connection, "select 1");
            guard.afterUnseenWork();
            assertThat(guard.hasEndedItsTransaction()).isTrue();
            assertThat(guard.hasSavepoint()).isFalse();
            guard.beforeStatement("select 1");
            assertThat(timeout(connection)).isEqualTo("3s");
        });
    }

    @Test
    void withoutTimeoutsItCannotBeSeenAndIsNotTakenForGranted() throws SQLException {
        ahead(policy().noLockTimeout(), (connection, guard) -> {
            guard.beforeStatement("select 1");
            guard.afterUnseenWork();
            assertThat(guard.hasEndedItsTransaction()).isTrue();
        });
    }

    @Test
    void hasThemAgainAfterATransactionThatTheHostHasRolledBack() throws SQLException {
        ahead(policy(), (connection, guard) -> {
            guard.beforeStatement("select 1");
            connection.rollback();
            guard.beforeForeignStatement();
            execute(connection, "show search_path");
            guard.beforeStatement("select 1");
            assertThat(timeout(connection)).isEqualTo("3s");
            guard.rollBackToSavepoint();
        });
    }

    @Test
    void hasNoSavepointAnyMoreWhenTheUnitHasEndedTheTransactionItself() throws SQLException {
        ahead(policy(), (connection, guard) -> {
            guard.beforeStatement("create table ahead ()");
            execute(connection, "create temporary table ahead (); commit");
            guard.beforeStatement("select 1");
            assertThat(timeout(connection)).isEqualTo("3s");
            assertThat(guard.hasSavepoint()).isFalse();
            assertThatThrownBy(guard::rollBackToSavepoint).isInstanceOf(IllegalStateException.class);
        });
    }

    @Test
    void hasTheSessionsOnesOutsideATransactionUntilItIsClosed() throws SQLException {
        ahead(policy(), (connection, guard) -> {
            connection.setAutoCommit(true);
            guard.beforeStatement("select 1");
            assertThat(timeout(connection)).isEqualTo("3s");
            assertThat(guard.hasSavepoint()).isFalse();
            connection.setAutoCommit(false); // as a host does before it says that the unit has ended
        });
    }

    @Test
    void takesNoRoundTripWhenNothingIsRun() throws SQLException {
        ahead(policy(), (connection, guard) -> assertThat(guard.triesAgain()).isTrue());
        assertThat(said).isEmpty();
    }
}
