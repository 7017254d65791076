// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.pglock.internal.PgSession;
import io.pglock.testkit.Database;
import io.pglock.testkit.LiveThreads;
import io.pglock.testkit.PostgresServer;
import io.pglock.testkit.Running;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import io.pglock.testkit.TcpProxy;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The side connection and the thread: what they cost, and that whatever happens to them the work goes on. */
@Timeout(60)
class WatchTest extends PrioritizeScene {

    private final Database database;

    WatchTest(Scenario scenario, DataSource dataSource, Database database) {
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

    private static List<Thread> watchThreads() {
        return LiveThreads.named("pglock-watch");
    }

    private void awaitWarning(PriorityScope scope) {
        scenario.await("a warning", () -> !scope.warnings().isEmpty());
    }

    /** A scope that cannot be served: one warning, nobody signalled, the work goes through. */
    private String warnedAndHarmless(Session migration, DataSource side) {
        Session web = idleInTransaction("web");
        try (PriorityScope scope = quickly(migration, side).terminate().start()) {
            Running altering = migration.start(ALTER);
            scenario.awaitBlockedBy(migration, web);
            awaitWarning(scope);
            web.commit();
            altering.await();
            assertThat(scope.actions()).isEmpty();
            assertThat(scope.warnings()).hasSize(1);
            return scope.warnings().get(0);
        }
    }

    @Test
    void connectsOnlyWhenAScopeLastsLongerThanItsInterval() {
        AtomicInteger opened = new AtomicInteger();
        DataSource counting = new HandingOut(() -> {
            opened.incrementAndGet();
            return dataSource.getConnection();
        });
        Session migration = scenario.session("migration");
        for (int i = 0; i < 20; i++) {
            try (PriorityScope scope =
                    quickly(migration, counting).every(Duration.ofHours(1)).start()) {
                migration.execute("select 1");
                assertThat(scope.warnings()).isEmpty();
            }
        }
        assertThat(opened).hasValue(0);
    }

    @Test
    void oneConnectionAndOneThreadServeAllScopesOfADataSource() {
        AtomicInteger opened = new AtomicInteger();
        DataSource counting = new HandingOut(() -> {
            opened.incrementAndGet();
            return dataSource.getConnection();
        });
        List<Session> migrations = new ArrayList<>();
        List<PriorityScope> scopes = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            migrations.add(scenario.session("migration " + i));
            scopes.add(quickly(migrations.get(i), counting)
                    .terminate()
                    .requireSideConnection()
                    .start());
        }
        assertThat(opened).hasValue(1);
        assertThat(watchThreads()).hasSize(1);
        scopes.forEach(PriorityScope::close);
        assertThat(watchThreads()).isEmpty();
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

    @Test
    void aConnectThatHangsIsLeftToDieAloneAndItsConnectionIsClosed() throws Exception {
        CountDownLatch connecting = new CountDownLatch(1);
        CountDownLatch release = new CountDownLatch(1);
        AtomicReference<Connection> late = new AtomicReference<>();
        DataSource hanging = new HandingOut(() -> {
            connecting.countDown();
            boolean released = false;
            while (!released) {
                try {
                    released = release.await(30, TimeUnit.SECONDS);
                } catch (InterruptedException e) {
                    // like a socket, which does not care
                }
            }
            late.set(dataSource.getConnection());
            return late.get();
        });
        Session migration = scenario.session("migration");
        PriorityScope scope = quickly(migration, hanging).terminate().start();
        assertThat(connecting.await(60, TimeUnit.SECONDS)).isTrue();
        scope.close();
        List<Thread> alone = watchThreads();
        assertThat(alone).hasSize(1);
        release.countDown();
        alone.get(0).join(TimeUnit.SECONDS.toMillis(10));
        assertThat(alone.get(0).isAlive()).isFalse();
        assertThat(late.get().isClosed()).isTrue();
    }

    @Test
    void refusesADataSourceThatHandsOutTheGuardedSessionItself() throws SQLException {
        Session migration = scenario.session("migration");
        String warning = warnedAndHarmless(migration, new HandingOut(migration::connection));
        assertThat(warning).contains("the guarded one itself");
        assertThat(migration.connection().isClosed()).isFalse();
        assertThat(migration.value("show application_name")).isEqualTo("migration");
    }

    /** django-pglock looked the pid up on the default database, and terminated whoever had it there. */
    @Test
    void refusesADataSourceOfAnotherServer() {
        try (PostgresServer other = PostgresServer.startEmbedded(Map.of());
                Database elsewhere = other.createDatabase()) {
            Session migration = scenario.session("migration");
            assertThat(warnedAndHarmless(migration, elsewhere.dataSource())).contains("connects to another server");
        }
    }

    @Test
    void worksFromAnotherDatabaseOfTheSameServer() {
        try (Database other = database.server().createDatabase()) {
            Session web = idleInTransaction("web");
            Session migration = scenario.session("migration");
            try (PriorityScope scope =
                    quickly(migration, other.dataSource()).terminate().start()) {
                migration.execute(ALTER);
                assertThat(sentTo(scope)).containsExactly(web.pid());
            }
        }
    }

    @Test
    void refusesADataSourceThatIsNotPostgres() {
        org.h2.jdbcx.JdbcDataSource h2 = new org.h2.jdbcx.JdbcDataSource();
        h2.setURL("jdbc:h2:mem:watch");
        assertThat(warnedAndHarmless(scenario.session("migration"), h2)).contains("Not a PostgreSQL connection: H2");
    }

    @Test
    void refusesASideConnectionThroughAPooler() {
        try (TcpProxy proxy =
                TcpProxy.to(database.server().host(), database.server().port()).rewriteBackendKey()) {
            assertThat(warnedAndHarmless(scenario.session("migration"), proxy.dataSource(database)))
                    .contains("pool");
        }
    }

    @Test
    void refusesAGuardedSessionThroughAPooler() throws SQLException {
        try (TcpProxy proxy = TcpProxy.to(
                                database.server().host(), database.server().port())
                        .rewriteBackendKey();
                Connection pooled = proxy.dataSource(database).getConnection()) {
            Prioritize request = PgLock.on(pooled).prioritize(dataSource);
            assertThatThrownBy(request::start).isInstanceOf(LockNotSupportedException.class);
        }
    }

    @Test
    void comesBackWhenItsConnectionIsKilled() throws SQLException {
        Session migration = scenario.session("migration");
        try (PriorityScope scope =
                quickly(migration).terminate().requireSideConnection().start()) {
            int killed = sidePid();
            try (var statement = scenario.observer().createStatement()) {
                statement.execute("select pg_terminate_backend(" + killed + ")");
            }
            scenario.await("another side connection", () -> sidePid() != killed && sidePid() != 0);
            assertThat(scope.warnings()).hasSize(1);
            Session web = idleInTransaction("web");
            migration.execute(ALTER);
            assertThat(sentTo(scope)).containsExactly(web.pid());
        }
    }

    private int sidePid() throws SQLException {
        try (var statement = scenario.observer()
                .prepareStatement(
                        "select coalesce(max(pid), 0) from pg_stat_activity where application_name = 'pglock' and datname = ?")) {
            statement.setString(1, database.name());
            try (var row = statement.executeQuery()) {
                row.next();
                return row.getInt(1);
            }
        }
    }

    @Test
    void nothingIsSignalledAfterTheEnd() {
        Session web = idleInTransaction("web");
        Session migration = scenario.session("migration");
        PriorityScope scope =
                quickly(migration).terminate().requireSideConnection().start();
        PriorityScope stillLooking =
                quickly(scenario.session("other")).requireSideConnection().start();
        scope.close();
        Running altering = migration.start(ALTER);
        scenario.awaitBlockedBy(migration, web);
        try (PriorityScope reporting = quickly(migration).report().start()) {
            scenario.await(
                    "the watch goes on looking", () -> seen(reporting, web).isPresent());
            awaitMoreLooks(reporting, web);
            assertThat(reporting.actions()).isEmpty();
        }
        assertThat(scope.actions()).isEmpty();
        assertThat(scope.blockers()).isEmpty();
        stillLooking.close();
        web.commit();
        altering.await();
    }

    /** Again and again closed right when the blocker is about to be signalled. */
    @Test
    void nothingIsSignalledAfterTheEndHoweverCloseItComes() {
        for (int i = 0; i < 25; i++) {
            Session web = scenario.session("web " + i);
            web.begin();
            web.execute("select count(*) from orders");
            Session migration = scenario.session("migration " + i);
            PriorityScope scope = quickly(migration)
                    .every(Duration.ofMillis(1))
                    .after(Duration.ofMillis(5))
                    .terminate()
                    .requireSideConnection()
                    .start();
            Running waiting = migration.start("alter table orders add column c" + i + " int");
            scenario.await("it is seen", () -> !scope.blockers().isEmpty());
            scope.close();
            boolean terminated = !scope.actions().isEmpty();
            if (terminated) {
                scenario.awaitGone(web.pid());
            } else {
                assertThat(isAlive(web)).isTrue();
                web.commit();
            }
            waiting.await();
        }
    }

    @Test
    void aNetworkThatSwallowsEverythingHoldsUpTheEndForSecondsOnly() throws SQLException {
        try (TcpProxy proxy =
                TcpProxy.to(database.server().host(), database.server().port())) {
            Session web = idleInTransaction("web");
            Session migration = scenario.session("migration");
            PriorityScope scope = quickly(migration, proxy.dataSource(database))
                    .terminate()
                    .requireSideConnection()
                    .start();
            int side = sidePid();
            proxy.cutSilently();
            Running altering = migration.start(ALTER);
            scenario.awaitBlockedBy(migration, web);
            scope.close();
            assertThat(scope.actions()).isEmpty();
            web.commit();
            altering.await();
            proxy.reset();
            scenario.awaitGone(side);
            scenario.await("the thread ends", () -> watchThreads().isEmpty());
        }
    }

    @Test
    void endsByItselfWhenTheGuardedConnectionIsClosed() throws SQLException {
        Connection forgotten = dataSource.getConnection();
        PriorityScope scope = PgLock.on(forgotten)
                .prioritize(dataSource)
                .every(Duration.ofMillis(10))
                .start();
        scenario.await("the watch begins", () -> watchThreads().size() == 1);
        forgotten.close();
        scenario.await("the thread ends", () -> watchThreads().isEmpty());
        scope.close();
    }

    @Test
    void endsByItselfWhenNobodyCanReachTheScopeAnyMore() throws SQLException {
        abandon();
        scenario.await("the thread ends", () -> {
            System.gc();
            return watchThreads().isEmpty();
        });
    }

    private void abandon() throws SQLException {
        PgLock.on(dataSource.getConnection())
                .prioritize(dataSource)
                .every(Duration.ofMillis(10))
                .requireSideConnection()
                .start();
    }

    @Test
    void aRequiredSideConnectionThatCannotBeHadIsAnError() {
        Session migration = scenario.session("migration");
        Prioritize request = quickly(migration, new HandingOut(() -> {
                    throw new SQLException("no such host");
                }))
                .requireSideConnection();
        assertThatThrownBy(request::start)
                .isInstanceOf(PgLockException.class)
                .hasMessageContaining("could not be seen", "no such host")
                .hasCauseInstanceOf(SQLException.class);
        Prioritize itself =
                quickly(migration, new HandingOut(migration::connection)).requireSideConnection();
        assertThatThrownBy(itself::start)
                .isInstanceOf(PgLockException.class)
                .hasMessageContaining("the guarded one itself");
        assertThat(watchThreads()).isEmpty();
    }

    @Test
    void aClosedConnectionIsRefused() throws SQLException {
        Connection closed = dataSource.getConnection();
        Prioritize request = PgLock.on(closed).prioritize(dataSource);
        closed.close();
        assertThatThrownBy(request::start).isInstanceOf(PgLockException.class);
    }
}
