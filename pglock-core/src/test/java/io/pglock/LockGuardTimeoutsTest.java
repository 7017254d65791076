// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pglock.LockPolicy.Priority;
import io.pglock.testkit.Database;
import io.pglock.testkit.PostgresServer;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import io.pglock.testkit.TcpProxy;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Map;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@PostgresTest
class LockGuardTimeoutsTest {

    private static final LockPolicy UNWATCHED = LockPolicy.defaults().prioritize(Priority.OFF);

    private final DataSource side;

    LockGuardTimeoutsTest(DataSource side) {
        this.side = side;
    }

    private LockGuard open(Connection connection, LockPolicy policy) {
        return LockGuard.open("unit", connection, side, policy, LockGuard.Messages.SYSTEM);
    }

    @Test
    void setsTheSessionsTimeoutsInAutocommitAndPutsThemBack(Connection mine) throws SQLException {
        execute(mine, "set lock_timeout = '7s'");

        try (LockGuard guard = open(mine, UNWATCHED.statementTimeout(Duration.ofMinutes(3)))) {
            assertThat(guard.failed()).isEmpty();
            assertThat(setting(mine, "lock_timeout")).isEqualTo("2s");
            assertThat(setting(mine, "statement_timeout")).isEqualTo("3min");
        }

        assertThat(setting(mine, "lock_timeout")).isEqualTo("7s");
        assertThat(setting(mine, "statement_timeout")).isEqualTo("0");
        execute(mine, "reset lock_timeout");
    }

    @Test
    void setsTheTransactionsTimeoutsInATransactionAndPutsThemBackInside(Connection mine) throws SQLException {
        mine.setAutoCommit(false);
        execute(mine, "set local lock_timeout = '9s'");

        try (LockGuard guard = open(mine, UNWATCHED)) {
            assertThat(guard.insideStatement()).isFalse();
            assertThat(setting(mine, "lock_timeout")).isEqualTo("2s");
        }

        assertThat(setting(mine, "lock_timeout")).isEqualTo("9s");
        mine.rollback();
        assertThat(setting(mine, "lock_timeout")).isEqualTo("0");
        mine.rollback();
        mine.setAutoCommit(true);
    }

    @Test
    void leavesNothingBehindWhenTheTransactionFails(Connection mine) throws SQLException {
        mine.setAutoCommit(false);

        try (LockGuard guard = open(mine, UNWATCHED.statementTimeout(Duration.ofMinutes(3)))) {
            assertThatThrownBy(() -> execute(mine, "select 1/0")).isInstanceOf(SQLException.class);
            assertThat(guard.failed()).isEmpty();
        }

        mine.rollback();
        assertThat(setting(mine, "lock_timeout")).isEqualTo("0");
        assertThat(setting(mine, "statement_timeout")).isEqualTo("0");
        mine.rollback();
        mine.setAutoCommit(true);
    }

    /** The session's own lock_timeout is asked for after the unit's statement_timeout was set, which may end the question. */
    @Test
    void leavesNothingBehindWhenItCannotBegin(Scenario scenario, PostgresServer server, Connection mine)
            throws SQLException {
        server.assumeAtLeast(11); // which locks views
        Session other = scenario.session("other");
        other.execute("begin", "lock table pg_catalog.pg_settings in access exclusive mode");

        assertThatThrownBy(() -> open(mine, UNWATCHED.noLockTimeout().statementTimeout(Duration.ofMillis(200))))
                .isInstanceOf(PgLockException.class)
                .hasMessageContaining("statement timeout");

        assertThat(setting(mine, "statement_timeout")).isEqualTo("0");
        other.rollback();
    }

    @Test
    void leavesAloneWhatThePolicyDoesNotSet(Connection mine) throws SQLException {
        execute(mine, "set lock_timeout = '7s'");

        try (LockGuard guard = open(mine, UNWATCHED.noLockTimeout())) {
            assertThat(guard.insideStatement()).isFalse();
            assertThat(setting(mine, "lock_timeout")).isEqualTo("7s");
        }

        execute(mine, "reset lock_timeout");
    }

    @Test
    void doesNothingWhenNotEnabled(Connection mine) throws SQLException {
        LockPolicy inert =
                LockPolicy.parse(Map.of("enabled", "false", "statementTimeout", "1m", "concurrentLockTimeout", "1m"));

        try (LockGuard guard = open(mine, inert)) {
            assertThat(guard.concerns("create index concurrently i on t (a)")).isFalse();
            guard.beforeStatement("create index concurrently i on t (a)");
            assertThat(setting(mine, "lock_timeout")).isEqualTo("0");
            assertThat(setting(mine, "statement_timeout")).isEqualTo("0");
        }
    }

    @Test
    void endsAWaitWithPostgresOwnError(Scenario scenario, Connection mine) throws SQLException {
        Session web = scenario.session("web");
        web.execute("create table waited_for (id int)");
        web.begin();
        web.execute("select * from waited_for");

        try (LockGuard guard = open(mine, UNWATCHED.lockTimeout(Duration.ofMillis(50)))) {
            assertThatThrownBy(() -> execute(mine, "alter table waited_for add column note text"))
                    .isInstanceOfSatisfying(SQLException.class, e -> {
                        assertThat(e.getSQLState()).isEqualTo("55P03");
                        assertThat(guard.failed(e))
                                .contains(
                                        "unit: not locked within 50ms; nobody was watching (prioritize=off), so it is not known"
                                                + " who was in the way.");
                    });
        }
    }

    @Test
    void letsAConcurrentStatementWaitByItsOwnRule(Connection mine) throws SQLException {
        String concurrently = "create index concurrently i on t (a)";

        try (LockGuard guard = open(mine, UNWATCHED)) {
            assertThat(guard.concerns("create index i on t (a)")).isFalse();
            guard.beforeStatement("create index i on t (a)");
            assertThat(setting(mine, "lock_timeout")).isEqualTo("2s");
            guard.afterStatement();

            assertThat(guard.concerns(concurrently)).isTrue();
            guard.beforeStatement(concurrently);
            assertThat(guard.insideStatement()).isTrue();
            assertThat(setting(mine, "lock_timeout")).isEqualTo("0");
            guard.afterStatement();
            assertThat(guard.insideStatement()).isFalse();
            assertThat(setting(mine, "lock_timeout")).isEqualTo("2s");
        }
        try (LockGuard guard = open(mine, UNWATCHED.concurrentLockTimeout(Duration.ofMinutes(4)))) {
            guard.beforeStatement(concurrently);
            assertThat(setting(mine, "lock_timeout")).isEqualTo("4min");
        }

        assertThat(setting(mine, "lock_timeout")).isEqualTo("0");
    }

    @Test
    void leavesALockTimeoutThatTheUnitSetsItselfToAConcurrentStatement(Connection mine) throws SQLException {
        try (LockGuard guard = open(mine, UNWATCHED)) {
            execute(mine, "set lock_timeout = '11s'");
            guard.beforeStatement("create index concurrently i on t (a)");
            assertThat(setting(mine, "lock_timeout")).isEqualTo("11s");
            guard.afterStatement();
        }

        assertThat(setting(mine, "lock_timeout")).isEqualTo("0");
    }

    @Test
    void aLockTimeoutThatTheSessionHadBeforeIsNotTheUnits(Connection mine) throws SQLException {
        String concurrently = "create index concurrently i on t (a)";
        execute(mine, "set lock_timeout = '5s'"); // as a pool does to each of its connections
        LockPolicy none = UNWATCHED.with(Map.of("lockTimeout", "none"));

        try (LockGuard guard = open(mine, none)) {
            guard.beforeStatement(concurrently);
            assertThat(setting(mine, "lock_timeout")).isEqualTo("0");
            guard.afterStatement();
            assertThat(setting(mine, "lock_timeout")).isEqualTo("5s");
            execute(mine, "set lock_timeout = '11s'");
            guard.beforeStatement(concurrently);
            assertThat(setting(mine, "lock_timeout")).isEqualTo("11s");
            guard.afterStatement();
        }
        execute(mine, "reset lock_timeout");
    }

    @Test
    void aLockTimeoutThatPostgresCannotCountIsNotTheUnitsEither(Connection mine) throws SQLException {
        try (LockGuard guard = open(mine, UNWATCHED.lockTimeout(Duration.ofNanos(1_500_000)))) {
            assertThat(setting(mine, "lock_timeout")).isEqualTo("2ms");
            guard.beforeStatement("create index concurrently i on t (a)");
            assertThat(setting(mine, "lock_timeout")).isEqualTo("0");
            guard.afterStatement();
        }
    }

    @Test
    void treatsAConcurrentStatementInATransactionLikeAnyOther(Connection mine) throws SQLException {
        mine.setAutoCommit(false);
        try (LockGuard guard = open(mine, UNWATCHED)) {
            assertThat(guard.concerns("refresh materialized view concurrently v"))
                    .isFalse();
            guard.beforeStatement("refresh materialized view concurrently v");
            assertThat(setting(mine, "lock_timeout")).isEqualTo("2s");
        }
        mine.rollback();
        mine.setAutoCommit(true);
    }

    @Test
    void setsTheTimeoutsAgainWhenTheHostGoesOverToAutocommit(Connection mine) throws SQLException {
        mine.setAutoCommit(false);
        try (LockGuard guard = open(mine, UNWATCHED)) {
            mine.setAutoCommit(true);
            assertThat(setting(mine, "lock_timeout")).isEqualTo("0");

            assertThat(guard.concerns("create index i on t (a)")).isTrue();
            guard.beforeStatement("create index i on t (a)");
            assertThat(setting(mine, "lock_timeout")).isEqualTo("2s");
            assertThat(guard.concerns("create index i on t (a)")).isFalse();
        }

        assertThat(setting(mine, "lock_timeout")).isEqualTo("0");
    }

    @Test
    void closesQuietlyOnAConnectionThatIsClosedOrLost(Scenario scenario, DataSource dataSource) throws SQLException {
        LockGuard onClosed;
        try (Connection connection = dataSource.getConnection()) {
            onClosed = open(connection, UNWATCHED);
        }
        onClosed.close();

        Session lost = scenario.session("lost");
        LockGuard onLost = open(lost.connection(), UNWATCHED);
        lost.kill();
        onLost.close();
    }

    @Test
    void servesPostgresAndNothingElse(Connection mine, DataSource dataSource) throws SQLException {
        assertThat(LockGuard.serves(mine)).isTrue();
        try (Connection h2 = DriverManager.getConnection("jdbc:h2:mem:serves")) {
            assertThat(LockGuard.serves(h2)).isFalse();
            assertThatThrownBy(() -> open(h2, UNWATCHED)).isInstanceOf(LockNotSupportedException.class);
        }
        Connection closed = dataSource.getConnection();
        closed.close();
        assertThat(LockGuard.serves(closed)).isFalse();
    }

    @ParameterizedTest(name = "{0}={1}")
    @CsvSource({
        "crdb_version, CockroachDB CCL v24.1.0, false",
        "server_version, 11.2-YB-2.18.4.0-b0, false",
        "server_version, 15.2-YB-2.25.0.0-b0, false",
        "server_version, 8.0.2, false",
        "server_version, 9.6.24, false",
        "server_version, 10.23, true",
        "server_version, 19beta1, true"
    })
    void servesNoneOfThoseThatSpeakTheProtocolOfPostgres(
            String parameter, String value, boolean served, Database database) throws SQLException {
        try (TcpProxy other = TcpProxy.to(
                                database.server().host(), database.server().port())
                        .reportParameter(parameter, value);
                Connection connection = other.dataSource(database).getConnection()) {
            assertThat(LockGuard.serves(connection)).isEqualTo(served);
        }
    }

    private static void execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private static String setting(Connection connection, String name) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("show " + name)) {
            row.next();
            return row.getString(1);
        }
    }
}
