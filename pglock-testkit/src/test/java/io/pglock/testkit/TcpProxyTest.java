// SPDX-License-Identifier: Apache-2.0
package io.pglock.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.postgresql.PGConnection;

@PostgresTest
class TcpProxyTest {
    private static final Duration LONGEST = Duration.ofSeconds(8);

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

    @Test
    void delaysWhatIsSentByFractionsOfAMillisecond() throws SQLException {
        try (TcpProxy proxy = proxy();
                Connection connection = proxy.dataSource(database).getConnection()) {
            proxy.delay(Duration.ofNanos(500_000));

            assertThat(fastestRoundTrip(connection)).isBetween(Duration.ofMillis(1), Duration.ofMillis(2));

            proxy.delay(Duration.ZERO);

            assertThat(fastestRoundTrip(connection)).isLessThan(Duration.ofMillis(1));
        }
    }

    @Test
    void aDelayCostsNoBandwidthAndKeepsTheOrder() throws SQLException {
        String sql = "select string_agg(md5(n::text), '') from generate_series(1, 100000) as n";
        try (TcpProxy proxy = proxy();
                Connection connection = proxy.dataSource(database).getConnection();
                Connection direct = database.connect()) {
            List<String> expected = Rows.read(direct, sql);
            proxy.delay(Duration.ofMillis(100));
            connection.setNetworkTimeout(Runnable::run, 8_000);

            long start = System.nanoTime();
            assertThat(Rows.read(connection, sql).equals(expected)).isTrue();

            // 3.2 MB are 200 chunks and more: one after the other they would take 20 seconds.
            assertThat(Duration.ofNanos(System.nanoTime() - start)).isBetween(Duration.ofMillis(200), LONGEST);
        }
    }

    @Test
    void aDelayIsNotNegative() {
        try (TcpProxy proxy = proxy()) {
            assertThatThrownBy(() -> proxy.delay(Duration.ofMillis(-1))).isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void theServerDoesNotLearnThroughADeadNetworkThatTheClientIsGone() throws SQLException {
        try (TcpProxy proxy = proxy()) {
            Connection connection = proxy.dataSource(database).getConnection();
            int pid = truePid(connection);
            proxy.cutSilently();

            connection.close();

            assertThat(Await.within(Duration.ofMillis(300), "nothing", () -> !isAlive(pid)))
                    .isFalse();
            proxy.resume();
            scenario.awaitGone(pid);
        }
    }

    @Test
    void refusesConnectionsUntilItAcceptsThemAgain() throws SQLException {
        try (TcpProxy proxy = proxy();
                Connection connection = proxy.dataSource(database).getConnection()) {
            int pid = truePid(connection);

            proxy.refuse();
            proxy.refuse();

            assertThatThrownBy(() -> truePid(connection)).isInstanceOf(SQLException.class);
            scenario.awaitGone(pid);
            assertThatThrownBy(() -> proxy.dataSource(database).getConnection())
                    .hasRootCauseInstanceOf(ConnectException.class)
                    .hasMessageContaining("refused");

            proxy.accept();
            proxy.accept();

            try (Connection another = proxy.dataSource(database).getConnection()) {
                assertThat(truePid(another)).isPositive();
            }
        }
    }

    @Test
    void refusesAndAcceptsAsOftenAsAskedAndGivesThePortBack() throws IOException, SQLException {
        int port;
        try (TcpProxy proxy = proxy()) {
            port = proxy.port();
            for (int i = 0; i < 50; i++) {
                proxy.refuse();
                proxy.accept();
                try (Connection connection = proxy.dataSource(database).getConnection()) {
                    assertThat(truePid(connection)).isPositive();
                }
            }
            proxy.refuse();
        }
        try (var mine = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
            assertThat(mine.getLocalPort()).isEqualTo(port);
        }
    }

    @Test
    void leadsNewConnectionsToAnotherServer() throws SQLException {
        try (TcpProxy other = proxy().reportParameter("where", "there");
                TcpProxy proxy = proxy();
                Connection before = proxy.dataSource(database).getConnection()) {
            proxy.redirect("127.0.0.1", other.port());

            try (Connection after = proxy.dataSource(database).getConnection()) {
                assertThat(after.unwrap(PGConnection.class).getParameterStatus("where"))
                        .isEqualTo("there");
            }
            assertThat(truePid(before)).isPositive();
            other.close();
            assertThat(truePid(before)).isPositive();
        }
    }

    private boolean isAlive(int pid) throws SQLException {
        try (Connection direct = database.connect()) {
            return !Rows.read(direct, "select 1 from pg_stat_activity where pid = ?", pid)
                    .isEmpty();
        }
    }

    /** The fastest of many, which is the one that nobody else's work delays. */
    private static Duration fastestRoundTrip(Connection connection) throws SQLException {
        long fastest = Long.MAX_VALUE;
        for (int i = 0; i < 200; i++) {
            long start = System.nanoTime();
            connection.isValid(5);
            fastest = Math.min(fastest, System.nanoTime() - start);
        }
        return Duration.ofNanos(fastest);
    }

    private static int toldPid(Connection connection) throws SQLException {
        return connection.unwrap(PGConnection.class).getBackendPID();
    }

    private static int truePid(Connection connection) throws SQLException {
        return Integer.parseInt(Rows.read(connection, "select pg_backend_pid()").get(0));
    }
}
