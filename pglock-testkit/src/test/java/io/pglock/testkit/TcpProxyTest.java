// SPDX-License-Identifier: Apache-2.0
package io.pglock.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import org.junit.jupiter.api.Test;
import org.postgresql.PGConnection;

@PostgresTest
class TcpProxyTest {
    private final Database database;
    private final Scenario scenario;

    TcpProxyTest(Database database, Scenario scenario) {
        this.database = database;
        this.scenario = scenario;
    }

    private TcpProxy proxy() {
        return TcpProxy.to(database.server().host(), database.server().port());
    }

    @Test
    void forwards() throws SQLException {
        try (TcpProxy proxy = proxy();
                Connection connection = proxy.dataSource(database).getConnection()) {
            assertThat(Rows.read(connection, "select length(repeat('x', 1000000))"))
                    .containsExactly("1000000");
            assertThat(toldPid(connection)).isEqualTo(truePid(connection));
        }
    }

    @Test
    void tellsAnotherProcessIdAsAPoolerDoes() throws SQLException {
        try (TcpProxy proxy = proxy().rewriteBackendKey();
                Connection connection = proxy.dataSource(database).getConnection()) {
            assertThat(toldPid(connection)).isNotEqualTo(truePid(connection));
        }
    }

    @Test
    void cancelsTheRightBackendAllTheSame() throws SQLException {
        try (TcpProxy proxy = proxy().rewriteBackendKey();
                Connection connection = proxy.dataSource(database).getConnection();
                Statement statement = connection.createStatement()) {
            statement.setQueryTimeout(1);

            assertThatThrownBy(() -> statement.execute("select pg_sleep(60)"))
                    .isInstanceOfSatisfying(
                            SQLException.class, e -> assertThat(e.getSQLState()).isEqualTo("57014"));
        }
    }

    @Test
    void resetsConnections() throws SQLException {
        try (TcpProxy proxy = proxy();
                Connection connection = proxy.dataSource(database).getConnection()) {
            int pid = truePid(connection);

            proxy.reset();

            assertThatThrownBy(() -> truePid(connection)).isInstanceOf(SQLException.class);
            scenario.awaitGone(pid);
            try (Connection another = proxy.dataSource(database).getConnection()) {
                assertThat(truePid(another)).isPositive();
            }
        }
    }

    @Test
    void holdsBackWhatIsSentUntilItResumes() throws SQLException {
        try (TcpProxy proxy = proxy();
                Connection connection = proxy.dataSource(database).getConnection()) {
            proxy.cutSilently();
            connection.setNetworkTimeout(Runnable::run, 200);
            assertThatThrownBy(() -> truePid(connection))
                    .isInstanceOfSatisfying(
                            SQLException.class, e -> assertThat(e.getSQLState()).isEqualTo("08006"));

            proxy.resume();
            try (Connection another = proxy.dataSource(database).getConnection()) {
                assertThat(truePid(another)).isPositive();
            }
        }
    }

    @Test
    void reportsOtherParametersInPlaceOfTheServersAndOnTop() throws SQLException {
        try (TcpProxy proxy =
                        proxy().reportParameter("server_version", "15.2-YB").reportParameter("crdb_version", "v24");
                Connection connection = proxy.dataSource(database).getConnection()) {
            PGConnection driver = connection.unwrap(PGConnection.class);
            assertThat(driver.getParameterStatus("server_version")).isEqualTo("15.2-YB");
            assertThat(driver.getParameterStatus("crdb_version")).isEqualTo("v24");
            assertThat(toldPid(connection)).isEqualTo(truePid(connection));
        }
    }

    private static int toldPid(Connection connection) throws SQLException {
        return connection.unwrap(PGConnection.class).getBackendPID();
    }

    private static int truePid(Connection connection) throws SQLException {
        return Integer.parseInt(Rows.read(connection, "select pg_backend_pid()").get(0));
    }
}
