// SPDX-License-Identifier: Apache-2.0
package io.pglock.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Comparator;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.opentest4j.TestAbortedException;

class PostgresServerTest {
    private final PostgresServer server = PostgresServer.shared();

    @Test
    void isTheVersionThatWasAskedFor() throws SQLException {
        String asked = System.getProperty("pglock.test.postgres", "");
        try (Connection connection = server.maintenance().connect()) {
            assertThat(Rows.read(connection, "show server_version_num").get(0)).startsWith(server.majorVersion() + "");
        }
        if (!asked.isEmpty() && System.getProperty("pglock.test.url", "").isEmpty()) {
            assertThat(server.majorVersion()).hasToString(asked);
        }
    }

    @Test
    void isTheSameForTheWholeJvmAndCannotBeClosed() {
        PostgresServer.shared().close();

        assertThat(PostgresServer.shared()).isSameAs(server);
        assertThat(server.maintenance().url()).contains(":" + server.port() + "/");
        server.maintenance().drop();
        assertThat(server).hasToString("PostgreSQL %d on %s:%d", server.majorVersion(), server.host(), server.port());
    }

    /** The fastest of some: a busy machine takes its time for any of them. */
    @Test
    void aFreshDatabaseTakesWellUnderASecond() {
        Duration fastest = IntStream.range(0, 5)
                .mapToObj(i -> {
                    long start = System.nanoTime();
                    server.createDatabase().drop();
                    return Duration.ofNanos(System.nanoTime() - start);
                })
                .min(Comparator.naturalOrder())
                .orElseThrow();

        assertThat(fastest).isLessThan(Duration.ofSeconds(1));
    }

    @Test
    void aDatabaseIsEmptyUniqueAndDroppedWithAllThatGoesOnInIt() throws SQLException {
        Database database = server.createDatabase();
        try (Connection idle = database.connect();
                Connection other = database.connect("other")) {
            assertThat(Rows.read(other, "select relname from pg_class where relnamespace = 'public'::regnamespace"))
                    .isEmpty();
            assertThat(Rows.read(other, "show application_name")).containsExactly("other");
            if (!Rows.read(other, "show max_prepared_transactions").contains("0")) {
                Rows.execute(other, "begin");
                Rows.execute(other, "create table t ()");
                Rows.execute(other, "prepare transaction 'it''s left'");
            }
            Rows.execute(idle, "begin");

            database.drop();
            database.drop();
        }
        try (Connection connection = server.maintenance().connect()) {
            assertThat(Rows.read(connection, "select 1 from pg_database where datname = ?", database.name()))
                    .isEmpty();
        }
        assertThatThrownBy(database::connect)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining(database.url());
        try (Database another = server.createDatabase()) {
            assertThat(another.name()).isNotEqualTo(database.name());
        }
    }

    @Test
    void hasRoomForManySessions() throws SQLException {
        try (Connection connection = server.maintenance().connect()) {
            assertThat(Integer.parseInt(
                            Rows.read(connection, "show max_connections").get(0)))
                    .isGreaterThanOrEqualTo(
                            System.getProperty("pglock.test.url", "").isEmpty() ? 300 : 1);
        }
    }

    @Test
    void skipsTestsThatNeedAnotherVersion() {
        int major = server.majorVersion();
        server.assumeAtLeast(major);
        server.assumeBelow(major + 1);

        assertThatThrownBy(() -> server.assumeAtLeast(major + 1))
                .isInstanceOf(TestAbortedException.class)
                .hasMessageContaining("needs PostgreSQL %d, this one is %d", major + 1, major);
        assertThatThrownBy(() -> server.assumeBelow(major)).isInstanceOf(TestAbortedException.class);
    }

    @Test
    void aSecondServerHasItsOwnSettingsAndEndsWhenItIsClosed() throws SQLException {
        PostgresServer own = PostgresServer.startEmbedded(Map.of("deadlock_timeout", "60s"));
        Database database = own.createDatabase();
        try (Connection connection = database.connect()) {
            assertThat(own.port()).isNotEqualTo(server.port());
            assertThat(Rows.read(connection, "show deadlock_timeout")).containsExactly("1min");
        } finally {
            own.close();
        }
        assertThatThrownBy(database::connect).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void aCrashEndsEverySessionAndTheServerComesBack() throws SQLException {
        try (PostgresServer own = PostgresServer.startEmbedded(Map.of())) {
            Database database = own.createDatabase();
            try (Connection before = database.connect()) {
                own.crash();

                assertThatThrownBy(() -> Rows.read(before, "select 1")).isInstanceOf(SQLException.class);
            }
            try (Connection after = database.connect()) {
                assertThat(Rows.read(after, "select 1")).containsExactly("1");
            }
        }
        assertThatThrownBy(server::crash).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void aRestartAsksNobodyAndKeepsPortAndData() throws SQLException {
        try (PostgresServer own = PostgresServer.startEmbedded(Map.of("deadlock_timeout", "60s"))) {
            Database database = own.createDatabase();
            int port = own.port();
            try (Connection before = database.connect()) {
                Rows.execute(before, "create table t as select 7 as n");
                Rows.execute(before, "begin");
                Rows.execute(before, "lock table t");

                own.restart();

                assertThatThrownBy(() -> Rows.read(before, "select 1")).isInstanceOf(SQLException.class);
            }
            assertThat(own.port()).isEqualTo(port);
            try (Connection after = database.connect()) {
                assertThat(Rows.read(after, "select n from t")).containsExactly("7");
                assertThat(Rows.read(after, "show deadlock_timeout")).containsExactly("1min");
                assertThat(Rows.read(after, "show max_connections")).containsExactly("400");
            }
        }
        assertThatThrownBy(server::restart).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void aServerThatIsStoppedRefusesConnectionsUntilItIsStarted() throws SQLException {
        PostgresServer own = PostgresServer.startEmbedded(Map.of());
        try (own) {
            own.stop();
            assertThatThrownBy(() -> own.maintenance().connect())
                    .hasStackTraceContaining("refused")
                    .isInstanceOf(IllegalStateException.class);

            own.start();
            try (Connection connection = own.maintenance().connect()) {
                assertThat(Rows.read(connection, "select 1")).containsExactly("1");
            }
            own.stop();
        }
        assertThatThrownBy(own::start).isInstanceOf(IllegalStateException.class).hasMessageContaining("pg_ctl");
        assertThatThrownBy(server::stop).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void aStandbyIsInRecoveryAndReadOnly() throws SQLException {
        try (PostgresServer standby = PostgresServer.startStandby();
                Connection connection = standby.maintenance().connect()) {
            assertThat(Rows.read(connection, "select pg_is_in_recovery()")).containsExactly("t");
            assertThatThrownBy(() -> Rows.execute(connection, "create table t ()"))
                    .isInstanceOfSatisfying(
                            SQLException.class, e -> assertThat(e.getSQLState()).isEqualTo("25006"));
        }
    }
}
