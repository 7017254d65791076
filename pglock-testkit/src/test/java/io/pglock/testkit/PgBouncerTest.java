// SPDX-License-Identifier: Apache-2.0
package io.pglock.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.sql.Connection;
import java.sql.SQLException;
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
