// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.pglock.internal.PgSession;
import io.pglock.testkit.Database;
import io.pglock.testkit.Running;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The side connection comes from a pool: it goes back as it came, and a pool that has none holds up nobody. */
@Timeout(60)
class WatchPoolTest extends PrioritizeScene {

    private final Database database;

    WatchPoolTest(Scenario scenario, DataSource dataSource, Database database) {
        super(scenario, dataSource);
        this.database = database;
    }

    private HikariDataSource pool(int size, Duration connectionTimeout) {
        HikariConfig config = new HikariConfig();
        config.setDataSource(database.dataSource("pool"));
        config.setMaximumPoolSize(size);
        config.setConnectionTimeout(connectionTimeout.toMillis());
        return new HikariDataSource(config);
    }

    @Test
    void leavesAPooledConnectionAsItWas() throws SQLException {
        try (HikariDataSource pool = pool(1, Duration.ofSeconds(10))) {
            String settings =
                    "select concat_ws('|', current_setting('application_name'), current_setting('lock_timeout'),"
                            + " current_setting('statement_timeout'), current_setting('jit', true), pg_backend_pid())";
            String before = only(pool, "set lock_timeout = '7s'; set application_name = 'mine'", settings);
            Session migration = scenario.session("migration");
            try (PriorityScope scope =
                    quickly(migration, pool).requireSideConnection().start()) {
                scenario.await(
                        "the pool's connection is in use",
                        () -> pool.getHikariPoolMXBean().getActiveConnections() == 1);
                assertThat(scope.warnings()).isEmpty();
            }
            assertThat(only(pool, "select 1", settings)).isEqualTo(before);
            assertThat(only(
                            pool,
                            "select 1",
                            "select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()"))
                    .isEqualTo("0");
        }
    }

    private static String only(DataSource from, String first, String query) throws SQLException {
        try (Connection connection = from.getConnection();
                var statement = connection.createStatement()) {
            statement.execute(first);
            try (var row = statement.executeQuery(query)) {
                row.next();
                return row.getString(1);
            }
        }
    }

    @Test
    void usesAPoolWhoseConnectionsDoNotCommitByThemselvesAndGivesThemBackSo() throws SQLException {
        AtomicReference<Connection> side = new AtomicReference<>();
        try (Connection lent = dataSource.getConnection()) {
            lent.setAutoCommit(false);
            Session web = idleInTransaction("web");
            Session migration = scenario.session("migration");
            DataSource lending = new HandingOut(() -> {
                side.set(notClosed(lent));
                return side.get();
            });
            try (PriorityScope scope = quickly(migration, lending).terminate().start()) {
                migration.execute(ALTER);
                assertThat(sentTo(scope)).containsExactly(web.pid());
            }
            assertThat(lent.getAutoCommit()).isFalse();
            assertThat(side.get().isClosed()).isTrue();
        }
    }

    private HikariConfig withTestQuery() {
        HikariConfig config = new HikariConfig();
        config.setDataSource(new HandingOut(() -> {
            Connection connection = database.dataSource("pool").getConnection();
            connection.setAutoCommit(false);
            return connection;
        }));
        config.setAutoCommit(false);
        config.setConnectionTestQuery("select 1");
        config.setMaximumPoolSize(1); // none that is still being opened when the pool is closed
        return config;
    }

    @Test
    void watchesThroughAPoolThatEndsTheTransactionOfItsTestQuery() throws SQLException {
        HikariConfig config = withTestQuery();
        config.setIsolateInternalQueries(true);
        Session web = idleInTransaction("web");
        Session migration = scenario.session("migration");
        try (HikariDataSource pool = new HikariDataSource(config);
                PriorityScope scope = quickly(migration, pool).start()) {
            Running altering = migration.start(ALTER);
            scenario.await("the blocker to be seen", () -> !scope.blockers().isEmpty());
            web.commit();
            altering.await();
            assertThat(scope.warnings()).isEmpty();
        }
    }

    /** HikariCP runs its test query before it lends a connection, and leaves the transaction that began open. */
    @Test
    void givesBackWhatAPoolLendsInsideATransaction() throws SQLException {
        HikariConfig config = withTestQuery();
        try (HikariDataSource pool = new HikariDataSource(config)) {
            try (Connection first = pool.getConnection()) {
                assertThat(PgSession.of(first).inTransaction())
                        .as("what this is about")
                        .isTrue();
            }
            Session migration = scenario.session("migration");
            for (int unit = 0; unit < 3; unit++) {
                try (PriorityScope scope = quickly(migration, pool).start()) {
                    awaitWarning(scope);
                    assertThat(scope.warnings().get(0)).contains("one inside a transaction");
                }
                assertThat(pool.getHikariPoolMXBean().getActiveConnections()).isZero();
            }
        }
    }

    @Test
    void leavesATransactionAloneThatSomebodyHasBegunOnTheDriversOwnConnection() {
        Session web = idleInTransaction("web");
        Session migration = scenario.session("migration");
        try (PriorityScope scope =
                quickly(migration, new HandingOut(web::connection)).start()) {
            awaitWarning(scope);
        }
        assertThat(web.value(
                        "select count(*) from pg_locks where pid = pg_backend_pid() and relation = 'orders'::regclass"))
                .isEqualTo("1");
    }

    @Test
    void closesAConnectionThatCannotBeUnwrapped() throws SQLException {
        AtomicReference<Connection> lent = new AtomicReference<>();
        DataSource broken = new HandingOut(() -> {
            Connection opened = dataSource.getConnection();
            lent.set(opened);
            return (Connection) Proxy.newProxyInstance(
                    WatchTest.class.getClassLoader(), new Class<?>[] {Connection.class}, (proxy, method, arguments) -> {
                        if (method.getName().equals("unwrap")) {
                            throw new SQLException("the pool is being shut down");
                        }
                        return method.invoke(opened, arguments);
                    });
        });
        try (PriorityScope scope =
                quickly(scenario.session("migration"), broken).start()) {
            awaitWarning(scope);
            assertThat(scope.warnings().get(0)).contains("the pool is being shut down");
        }
        assertThat(lent.get().isClosed()).isTrue();
    }

    /** As a pool's proxy: closing it gives it back. */
    private static Connection notClosed(Connection lent) {
        AtomicBoolean closed = new AtomicBoolean();
        return (Connection) Proxy.newProxyInstance(
                WatchTest.class.getClassLoader(), new Class<?>[] {Connection.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("close")) {
                        closed.set(true);
                        return null;
                    }
                    if (method.getName().equals("isClosed")) {
                        return closed.get();
                    }
                    try {
                        return method.invoke(lent, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    @Test
    void aPoolWithNoConnectionLeftIsOneWarningAndTriedAgain() throws SQLException {
        try (HikariDataSource pool = pool(1, Duration.ofMillis(250))) {
            Session web = idleInTransaction("web");
            Session migration = scenario.session("migration");
            Connection taken = pool.getConnection();
            try (PriorityScope scope = quickly(migration, pool).terminate().start()) {
                Running altering = migration.start(ALTER);
                awaitWarning(scope);
                assertThat(scope.warnings().get(0))
                        .startsWith("Whoever blocks pid " + migration.pid() + " is not seen: no side connection: ")
                        .endsWith("trying again. The work itself goes on.");
                taken.close();
                altering.await();
                assertThat(sentTo(scope)).containsExactly(web.pid());
                assertThat(scope.warnings()).hasSize(1);
            }
        }
    }

    @Test
    void closingDoesNotWaitForAPoolThatHasNothingToGive() throws SQLException {
        try (HikariDataSource pool = pool(1, Duration.ofMinutes(5));
                Connection taken = pool.getConnection()) {
            Session migration = scenario.session("migration");
            PriorityScope scope = quickly(migration, pool).start();
            scenario.await(
                    "the watch waits for a connection",
                    () -> pool.getHikariPoolMXBean().getThreadsAwaitingConnection() == 1);
            scope.close();
            assertThat(watchThreads()).isEmpty();
            assertThat(taken.isClosed()).isFalse();
        }
    }
}
