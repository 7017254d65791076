// SPDX-License-Identifier: Apache-2.0
package io.pglock.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.postgresql.PGConnection;

@PostgresTest
class PgBouncerTest {
    @Test
    void poolsInTheModeThatWasAskedFor(Database database) throws SQLException {
        try (PgBouncer bouncer = PgBouncer.startOrSkip(database, "transaction");
                Connection one = bouncer.dataSource().getConnection();
                Connection other = bouncer.dataSource().getConnection()) {
            assertThat(bouncer.url()).contains(":" + bouncer.port() + "/" + database.name());
            one.setAutoCommit(false);
            String first = pid(one);
            String second = pid(other);
            assertThat(first).isNotEqualTo(second);
            assertThat(one.unwrap(PGConnection.class).getBackendPID()).isNotEqualTo(Integer.parseInt(first));
            one.commit();
        }
    }

    @Test
    void inSessionModeAClientKeepsItsServerSessionAndWhatThatHolds(Database database) throws SQLException {
        try (PgBouncer bouncer = PgBouncer.startOrSkip(database, "session");
                Connection one = bouncer.dataSource().getConnection();
                Connection direct = database.connect()) {
            String pid = pid(one);
            Rows.read(one, "select pg_advisory_lock(7)");
            try (Connection other = bouncer.dataSource().getConnection()) {
                assertThat(pid(other)).isNotEqualTo(pid);
            }
            assertThat(pid(one)).isEqualTo(pid);
            assertThat(Rows.read(direct, "select pid from pg_locks where locktype = 'advisory'"))
                    .containsExactly(pid);
        }
    }

    @Test
    void letsAClientWaitWhenItsPoolIsUsedUp(Database database) throws SQLException {
        Map<String, String> small = Map.of("default_pool_size", "2", "query_wait_timeout", "1");
        try (PgBouncer bouncer = PgBouncer.startOrSkip(database, "session", small);
                Connection one = bouncer.dataSource().getConnection()) {
            try (Connection two = bouncer.dataSource().getConnection()) {
                assertThat(pid(one)).isNotEqualTo(pid(two));
                assertThatThrownBy(() -> bouncer.dataSource().getConnection())
                        .isInstanceOf(SQLException.class)
                        .hasMessageContaining("query_wait_timeout");
            }
            try (Connection three = bouncer.dataSource().getConnection()) {
                assertThat(pid(three)).isNotEqualTo(pid(one));
            }
        }
    }

    @Test
    void endsWithItsSessionsWhenItIsClosed(Database database, Scenario scenario) throws SQLException {
        PgBouncer bouncer = PgBouncer.startOrSkip(database, "session");
        int pid;
        try (Connection connection = bouncer.dataSource().getConnection()) {
            pid = Integer.parseInt(pid(connection));
        } finally {
            bouncer.close();
        }
        scenario.awaitGone(pid);
        assertThatThrownBy(() -> bouncer.dataSource().getConnection()).isInstanceOf(SQLException.class);
    }

    private static String pid(Connection connection) throws SQLException {
        return Rows.read(connection, "select pg_backend_pid()").get(0);
    }
}
