// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pglock.testkit.Database;
import io.pglock.testkit.PostgresServer;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Role;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.sql.Connection;
import java.sql.SQLException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is seen where not everything can be seen. */
@PostgresTest
class LockQueryVisibilityTest {

    private final Scenario scenario;
    private final Connection mine;
    private final Session holder;
    private final Session migration;

    LockQueryVisibilityTest(Scenario scenario, Connection mine) {
        this.scenario = scenario;
        this.mine = mine;
        this.holder = scenario.session("holder");
        this.migration = scenario.session("migration");
    }

    @BeforeEach
    void tables() {
        holder.execute("drop table if exists orders", "create table orders (id int)");
    }

    @Test
    void aRoleWithoutRightsSeesWhoWaitsForWhomAndIsToldWhatItDoesNotSee() {
        Role role = scenario.role("reader");
        Connection reader = scenario.connectAs(role);
        holder.execute("begin", "select * from orders");
        migration.start("alter table orders add note text");
        scenario.awaitBlockedBy(migration, holder);

        LockSnapshot snapshot = LockQuery.on(reader).on("orders").snapshot();
        assertThat(snapshot.blocked()).singleElement().satisfies(wait -> {
            assertThat(wait.waiting().backend().pid()).isEqualTo(migration.pid());
            assertThat(wait.waiting().backend().visible()).isFalse();
            assertThat(wait.hardBlockers())
                    .extracting(blocker -> blocker.backend().pid())
                    .containsExactly(holder.pid());
        });
        assertThat(snapshot.tree().stream()).hasSize(2);
        assertThat(snapshot.notes())
                .singleElement()
                .asString()
                .matches("State and query of \\d+ sessions are hidden from this role\\. To see them:"
                        + " GRANT pg_read_all_stats TO \"" + role.name() + "\"\\.");
        assertThat(snapshot.tree().toString())
                .contains("state hidden")
                .endsWith(snapshot.notes().get(0) + "\n");
    }

    @Test
    void aRoleWithTheGrantSeesEverything() {
        Connection monitor = scenario.connectAs(scenario.role("monitor", "pg_monitor"));
        holder.execute("begin", "select * from orders");

        LockSnapshot snapshot = LockQuery.on(monitor).on("orders").snapshot();
        assertThat(snapshot.notes()).isEmpty();
        assertThat(snapshot.locks())
                .singleElement()
                .satisfies(lock -> assertThat(lock.backend().state()).contains("idle in transaction"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"pg_class", "pg_database", "pg_namespace"})
    void whileACatalogIsLockedOidsTakeThePlaceOfNames(String catalog) throws SQLException {
        String oid = holder.value("select 'orders'::regclass::oid");
        holder.execute("begin", "select * from orders");
        migration.start("alter table orders add note text");
        scenario.awaitBlockedBy(migration, holder);
        LockQuery.on(mine).list();
        Session vandal = scenario.session("vandal");
        vandal.execute("begin", "lock table " + catalog);

        LockSnapshot snapshot = LockQuery.on(mine).pid(migration.pid()).snapshot();
        assertThat(snapshot.blocked()).hasSize(1);
        BlockedLock wait = snapshot.blocked().get(0);
        assertThat(wait.hardBlockers())
                .extracting(blocker -> blocker.backend().pid())
                .containsExactly(holder.pid());
        assertThat(wait.waiting().backend().application()).contains("migration");
        assertThat(wait.waiting().target().describe()).startsWith("relation " + oid + " of database oid ");
        assertThat(snapshot.notes()).singleElement().asString().startsWith("A system catalog is locked (");
        assertThatThrownBy(() -> LockQuery.on(mine).on("orders").list())
                .isInstanceOf(PgLockException.class)
                .hasMessageStartingWith("orders: cannot be looked up, because a system catalog is locked");

        mine.setAutoCommit(false);
        mine.createStatement().execute("select 1");
        assertThat(LockQuery.on(mine).pid(migration.pid()).tree().stream()).hasSize(2);
        mine.createStatement().execute("select 1");
        mine.rollback();
        mine.setAutoCommit(true);
        vandal.rollback();

        assertThat(LockQuery.on(mine).on("orders").list()).hasSize(2);
    }

    @Test
    void aStandbyCanBeAsked() throws SQLException {
        try (PostgresServer standby = PostgresServer.startStandby();
                Database database = standby.maintenance();
                Connection connection = database.connect("asking");
                Connection other = database.connect("other")) {
            other.setAutoCommit(false);
            other.createStatement().execute("select * from pg_class");

            assertThat(LockQuery.on(connection)
                            .on("pg_class")
                            .application("other")
                            .list())
                    .extracting(LockInfo::mode)
                    .containsExactly(LockMode.ACCESS_SHARE);
            other.rollback();
        }
    }
}
