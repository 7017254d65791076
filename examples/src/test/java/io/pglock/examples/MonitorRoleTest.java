// SPDX-License-Identifier: Apache-2.0
package io.pglock.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.LockGuard;
import io.pglock.LockPolicy;
import io.pglock.testkit.Database;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The rights of {@code docs/poolers-and-managed.md}, each granted, and each taken away. */
@PostgresTest
class MonitorRoleTest {

    private static final String CREATE_ROLE = """
            -- docs: monitor-role
            create role pglock_watch login password 'secret';
            grant pg_read_all_stats, pg_signal_backend to pglock_watch;
            -- end
            """;

    private final Scenario scenario;
    private final Database database;
    private final DataSource dataSource;
    private final Session admin;
    private final List<String> said = Collections.synchronizedList(new ArrayList<>());

    MonitorRoleTest(Scenario scenario, Database database, DataSource dataSource) {
        this.scenario = scenario;
        this.database = database;
        this.dataSource = dataSource;
        this.admin = scenario.session("admin");
    }

    @BeforeEach
    void theRole() {
        admin.execute(
                "drop table if exists orders", "create table orders (id int)", "grant select on orders to public");
        admin.execute(CREATE_ROLE.split(";\\n(?=grant|$)"));
    }

    @AfterEach
    void noRole() {
        admin.execute("drop role pglock_watch");
    }

    @Test
    void withBothRightsItEndsTheSessionOfAnotherRole() throws SQLException {
        assertThat(migrates(scenario.connectAs(scenario.role("web")))).isTrue();
        assertThat(said).anyMatch(message -> message.contains("Terminated pid"));
    }

    @Test
    void withoutTheRightToSignalTheGrantIsNamed() throws SQLException {
        admin.execute("revoke pg_signal_backend from pglock_watch");
        assertThat(migrates(scenario.connectAs(scenario.role("web")))).isFalse();
        assertThat(said).anyMatch(message -> message.contains("GRANT pg_signal_backend TO pglock_watch"));
    }

    @Test
    void withoutTheRightToSeeTheGrantIsNamed() throws SQLException {
        admin.execute("revoke pg_read_all_stats from pglock_watch");
        assertThat(migrates(scenario.connectAs(scenario.role("web")))).isFalse();
        assertThat(said)
                .anyMatch(message -> message.contains("GRANT pg_read_all_stats, pg_signal_backend TO pglock_watch"));
    }

    @Test
    void aSuperusersSessionStaysOutOfReach() throws SQLException {
        assertThat(migrates(database.connect("web"))).isFalse();
        assertThat(said).anyMatch(message -> message.contains("whom only a superuser may signal"));
    }

    /** Whether an ALTER TABLE gets past somebody who has read the table and stays in the transaction. */
    private boolean migrates(Connection web) throws SQLException {
        try (web;
                Connection migration = dataSource.getConnection()) {
            web.setAutoCommit(false);
            execute(web, "select * from orders");
            LockPolicy policy = LockPolicy.parse(Map.of(
                    "prioritize", "terminate",
                    "prioritizeAfter", "100ms",
                    "lockTimeout", "1500ms",
                    "retryAttempts", "1",
                    "monitorUrl", database.url(),
                    "monitorUser", "pglock_watch",
                    "monitorPassword", "secret"));
            migration.setAutoCommit(false);
            try (LockGuard guard = LockGuard.open(
                    "note", migration, dataSource, policy, (level, message) -> said.add(level + " " + message))) {
                guard.run(
                        () -> execute(migration, "alter table orders add column if not exists note text"),
                        migration::rollback);
                migration.commit();
                return true;
            } catch (SQLException e) {
                assertThat(e.getSQLState()).isEqualTo("55P03");
                migration.rollback();
                return false;
            }
        }
    }

    private static boolean execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            return statement.execute(sql);
        }
    }
}
