// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pglock.testkit.Database;
import io.pglock.testkit.PostgresServer;
import io.pglock.testkit.Running;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import io.pglock.testkit.TcpProxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
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

    /** As above, but in the very first statement, before there is anything to look through. */
    @Test
    void aSideConnectionThatNeverAnswersIsCutOff() throws SQLException {
        try (TcpProxy proxy =
                TcpProxy.to(database.server().host(), database.server().port())) {
            CountDownLatch connected = new CountDownLatch(1);
            DataSource silent = new HandingOut(() -> {
                Connection connection = proxy.dataSource(database).getConnection();
                proxy.cutSilently();
                connected.countDown();
                return connection;
            });
            PriorityScope scope = quickly(scenario.session("migration"), silent).start();
            await(connected);
            scope.close();
            scenario.await("the thread ends", () -> watchThreads().isEmpty());
        }
    }

    @Test
    void aSideConnectionThatCannotBeGivenBackIsCutOff() throws SQLException {
        try (TcpProxy proxy =
                TcpProxy.to(database.server().host(), database.server().port())) {
            PriorityScope scope = quickly(scenario.session("migration"), proxy.dataSource(database))
                    .every(Duration.ofHours(1)) // it never looks again
                    .requireSideConnection()
                    .start();
            proxy.cutSilently();
            scope.close();
            scenario.await("the thread ends", () -> watchThreads().isEmpty());
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            assertThat(latch.await(60, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
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
