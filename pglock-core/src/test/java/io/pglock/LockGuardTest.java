// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pglock.LockPolicy.Priority;
import io.pglock.testkit.Database;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Role;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import io.pglock.testkit.TcpProxy;
import java.lang.System.Logger.Level;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import javax.sql.DataSource;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@PostgresTest
class LockGuardTest {

    private static final String ALTER = "alter table orders add column note text";

    private final DataSource side;
    private final List<String> said = new CopyOnWriteArrayList<>();

    LockGuardTest(DataSource side) {
        this.side = side;
    }

    @BeforeEach
    void createTable() throws SQLException {
        try (Connection connection = side.getConnection()) {
            execute(connection, "drop table if exists orders");
            execute(connection, "create table orders (id int)");
        }
    }

    private LockGuard open(Connection connection, LockPolicy policy) {
        return LockGuard.open("V7__note.sql", connection, side, policy, this::say);
    }

    private void say(Level level, String message) {
        said.add(level + " " + message);
    }

    private static LockPolicy quickly(Priority priority) {
        return LockPolicy.defaults()
                .prioritize(priority)
                .prioritizeAfter(Duration.ofMillis(100))
                .prioritizeGrace(Duration.ofMillis(200))
                .pollInterval(Duration.ofMillis(20))
                .lockTimeout(Duration.ofSeconds(9));
    }

    private static Session idleInTransaction(Scenario scenario) {
        Session web = scenario.session("web");
        web.begin();
        web.execute("select * from orders");
        return web;
    }

    @Test
    void getsThroughByTerminatingWhoIsIdleInATransaction(Scenario scenario, Connection mine) throws SQLException {
        Session web = idleInTransaction(scenario);

        try (LockGuard guard = open(mine, quickly(Priority.TERMINATE))) {
            execute(mine, ALTER);
            assertThat(guard.failed())
                    .hasValueSatisfying(text -> assertThat(text)
                            .startsWith(
                                    "V7__note.sql: was blocked by pid " + web.pid() + " (web, idle in transaction for ")
                            .endsWith("\"select * from orders\"): terminated."));
        }

        scenario.awaitGone(web.pid());
        assertThat(said)
                .allSatisfy(line -> assertThat(line).contains("V7__note.sql: "))
                .anySatisfy(line -> assertThat(line).contains("blocked by pid " + web.pid()))
                .anySatisfy(line -> assertThat(line).contains("Terminated pid " + web.pid()));
    }

    @Test
    void namesWhoIsInTheWayWhenItFails(Scenario scenario, Connection mine) throws SQLException {
        Session web = idleInTransaction(scenario);
        mine.setAutoCommit(false);

        try (LockGuard guard = open(mine, quickly(Priority.REPORT).lockTimeout(Duration.ofMillis(500)))) {
            assertThatThrownBy(() -> execute(mine, ALTER)).isInstanceOfSatisfying(SQLException.class, e -> {
                assertThat(e.getSQLState()).isEqualTo("55P03");
                assertThat(guard.failed(e))
                        .hasValueSatisfying(text -> assertThat(text)
                                .startsWith("V7__note.sql: not locked within 500ms, blocked by pid " + web.pid()
                                        + " (web, ")
                                .endsWith(
                                        " Nothing was done to it (prioritize=report): end it, or run with prioritize=cancel"
                                                + " or terminate."));
            });
        }
        mine.rollback();
        mine.setAutoCommit(true);
    }

    @Test
    void saysThatTheWaitWasOverBeforeAnythingCouldBeDone(Scenario scenario, Connection mine) {
        idleInTransaction(scenario);
        LockPolicy policy =
                quickly(Priority.TERMINATE).lockTimeout(Duration.ofMillis(500)).prioritizeAfter(Duration.ofSeconds(1));

        try (LockGuard guard = open(mine, policy)) {
            assertThatThrownBy(() -> execute(mine, ALTER))
                    .isInstanceOfSatisfying(
                            SQLException.class,
                            e -> assertThat(guard.failed(e))
                                    .hasValueSatisfying(
                                            text -> assertThat(text)
                                                    .endsWith(
                                                            " Nothing was done to it: lockTimeout=500ms is over before prioritizeAfter=1s.")));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"300ms", "900ms"})
    void doesNotNameALockTimeoutThatTheUnitHasReplaced(String own, Scenario scenario, Connection mine)
            throws SQLException {
        Session web = idleInTransaction(scenario);
        LockPolicy policy = quickly(Priority.REPORT)
                .lockTimeout(own.equals("300ms") ? Duration.ofMinutes(5) : Duration.ofMillis(300));

        try (LockGuard guard = open(mine, policy)) {
            execute(mine, "set lock_timeout = '" + own + "'");
            assertThatThrownBy(() -> execute(mine, ALTER))
                    .isInstanceOfSatisfying(
                            SQLException.class,
                            e -> assertThat(guard.failed(e))
                                    .hasValueSatisfying(text -> assertThat(text)
                                            .startsWith("V7__note.sql: not locked, blocked by pid " + web.pid())));
            execute(mine, "reset lock_timeout");
        }
    }

    @Test
    void neverSignalsWhomThePolicyProtects(Scenario scenario, Connection mine) throws SQLException {
        Session web = idleInTransaction(scenario);

        try (LockGuard guard =
                open(mine, quickly(Priority.TERMINATE).protect("web").lockTimeout(Duration.ofMillis(600)))) {
            assertThatThrownBy(() -> execute(mine, ALTER)).isInstanceOf(SQLException.class);
            assertThat(guard.failed())
                    .hasValueSatisfying(text ->
                            assertThat(text).contains("pid " + web.pid()).contains("protected"));
        }

        web.commit();
    }

    @Test
    void goesOnAfterOneWarningWhenNobodyLendsASideConnection(Connection mine) throws SQLException {
        LockPolicy policy =
                quickly(Priority.TERMINATE).with(Map.of("monitorUrl", "jdbc:postgresql://127.0.0.1:1/none"));

        try (LockGuard guard = open(mine, policy)) {
            execute(mine, "select pg_sleep(2)");
            assertThat(guard.failed()).isEmpty();
        }

        assertThat(said)
                .singleElement()
                .asString()
                .startsWith("WARNING V7__note.sql: ")
                .contains("no side connection");
    }

    @Test
    void saysWhyNobodyIsKnownToHaveBeenInTheWay(Scenario scenario, Connection mine) {
        idleInTransaction(scenario);
        LockPolicy policy = quickly(Priority.REPORT).lockTimeout(Duration.ofMillis(400));

        try (LockGuard guard = open(mine, policy.with(Map.of("monitorUrl", "jdbc:postgresql://127.0.0.1:1/none")))) {
            assertThatThrownBy(() -> execute(mine, ALTER))
                    .isInstanceOfSatisfying(
                            SQLException.class,
                            e -> assertThat(guard.failed(e))
                                    .hasValueSatisfying(text -> assertThat(text)
                                            .startsWith(
                                                    "V7__note.sql: not locked within 400ms; it is not known who was in the way: ")
                                            .contains("no side connection")));
        }
        try (LockGuard guard =
                open(mine, policy.lockTimeout(Duration.ofMillis(1)).pollInterval(Duration.ofSeconds(5)))) {
            assertThatThrownBy(() -> execute(mine, ALTER))
                    .isInstanceOfSatisfying(
                            SQLException.class,
                            e -> assertThat(guard.failed(e))
                                    .hasValueSatisfying(text -> assertThat(text)
                                            .endsWith("the wait was too short for the watch (pollInterval=5s).")));
        }
    }

    @Test
    void refusesToBeginWithoutASideConnectionThatIsRequired(Connection mine) throws SQLException {
        LockPolicy policy = quickly(Priority.REPORT)
                .with(Map.of("monitorUrl", "jdbc:postgresql://127.0.0.1:1/none", "monitorRequired", "true"));

        assertThatThrownBy(() -> open(mine, policy))
                .isInstanceOf(PgLockException.class)
                .hasMessageStartingWith("V7__note.sql: not begun, because monitorRequired=true and nobody can watch: ");

        try (LockGuard guard = open(mine, quickly(Priority.REPORT).monitorRequired(true))) {
            assertThat(guard.failed()).isEmpty();
        }
    }

    @Test
    void signalsAsTheMonitorsRoleWhereItHasMoreRights(Scenario scenario, Database database) throws SQLException {
        Role owner = scenario.role("owner", "create on database " + database.name());
        Role watcher = scenario.role("watcher", "pg_signal_backend", "pg_read_all_stats");
        Role web = scenario.role("web", "pg_read_all_stats");
        try (Connection setUp = side.getConnection()) {
            execute(setUp, "alter table orders owner to " + owner.name());
            execute(setUp, "grant select on orders to " + web.name());
        }
        Map<String, String> asWatcher = Map.of(
                "monitorUrl", database.url(), "monitorUser", watcher.name(), "monitorPassword", watcher.password());
        try (Connection blocker = scenario.connectAs(web);
                Connection mine = scenario.connectAs(owner)) {
            blocker.setAutoCommit(false);
            execute(blocker, "select * from orders");

            try (LockGuard guard = open(mine, quickly(Priority.TERMINATE).with(asWatcher))) {
                execute(mine, ALTER);
                assertThat(guard.failed())
                        .hasValueSatisfying(text -> assertThat(text).endsWith(": terminated."));
            }
        }
    }

    @Test
    void goesOnUnwatchedThroughAPoolerAsLongAsItIsTransactional(Database database) throws SQLException {
        try (TcpProxy pooler = TcpProxy.to(
                                database.server().host(), database.server().port())
                        .rewriteBackendKey();
                Connection mine = pooler.dataSource(database).getConnection()) {
            assertThatThrownBy(() -> open(mine, quickly(Priority.REPORT)))
                    .isInstanceOf(LockNotSupportedException.class);

            mine.setAutoCommit(false);
            try (LockGuard guard = open(mine, quickly(Priority.REPORT))) {
                assertThat(guard.failed()).isEmpty();
                execute(mine, ALTER);
            }
            mine.commit();
        }
        assertThat(said)
                .singleElement()
                .asString()
                .startsWith("WARNING V7__note.sql: goes on, but nobody watches for blockers: ");
    }

    @Test
    void doesNotLookWhenItIsOff(Scenario scenario, Connection mine) throws SQLException {
        LockPolicy policy = quickly(Priority.OFF);

        try (LockGuard guard = open(mine, policy)) {
            execute(mine, "select pg_sleep(0.2)");
            assertThat(scenario.session("observer")
                            .value("select count(*) from pg_stat_activity where application_name = 'pglock'"
                                    + " and datname = current_database()"))
                    .isEqualTo("0");
            assertThat(guard.failed()).isEmpty();
        }
        assertThat(said).isEmpty();
    }

    @Test
    void servesAsTheExampleInTheManual(Scenario scenario) throws SQLException {
        DataSource dataSource = side;
        idleInTransaction(scenario);
        // docs: guard
        LockPolicy policy = LockPolicy.parse(Map.of("lockTimeout", "3s", "prioritize", "terminate"));
        try (Connection connection = dataSource.getConnection();
                Statement statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            try (LockGuard guard =
                    LockGuard.open("add a note", connection, dataSource, policy, LockGuard.Messages.SYSTEM)) {
                guard.run(
                        () -> statement.execute("alter table orders add column note text"), // again, if need be
                        connection::rollback); // before each pause: frees every lock
            }
            connection.commit();
        }
        // end
        try (Connection connection = dataSource.getConnection()) {
            execute(connection, "select note from orders");
        }
    }

    private static void execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}
