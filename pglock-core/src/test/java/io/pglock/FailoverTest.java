// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.pglock.testkit.Database;
import io.pglock.testkit.PostgresServer;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.TcpProxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.postgresql.ds.PGSimpleDataSource;

/** A primary that is gone and a standby that takes over, while locks are held and waited for. */
@PostgresTest
@Timeout(120)
class FailoverTest {

    private static final LockKey KEY = LockKey.of(1);

    private final AtomicInteger attempts = new AtomicInteger();

    /** Counts how often it is asked. */
    private DataSource counted(DataSource source) {
        return new HandingOut(() -> {
            attempts.incrementAndGet();
            return source.getConnection();
        });
    }

    @Test
    void anAddressThatMovesToThePromotedStandby(Scenario scenario) throws SQLException {
        try (PostgresServer primary = PostgresServer.startEmbedded(Map.of());
                PostgresServer standby = primary.startReplica();
                TcpProxy proxy = TcpProxy.to(primary.host(), primary.port())) {
            Database database = primary.createDatabase(); // goes with its server
            awaitDatabase(scenario, database.on(standby));

            failOver(
                    scenario,
                    primary,
                    database.on(standby),
                    counted(proxy.dataSource(database)),
                    () -> proxy.redirect(standby.host(), standby.port()));
        }
    }

    @Test
    void anUrlWithBothHosts(Scenario scenario) throws SQLException {
        try (PostgresServer primary = PostgresServer.startEmbedded(Map.of());
                PostgresServer standby = primary.startReplica()) {
            Database database = primary.createDatabase();
            awaitDatabase(scenario, database.on(standby));
            PGSimpleDataSource both = new PGSimpleDataSource();
            both.setUrl("jdbc:postgresql://" + standby.host() + ":" + standby.port() + "," + primary.host() + ":"
                    + primary.port() + "/" + database.name() + "?targetServerType=primary&hostRecheckSeconds=0");
            both.setUser(database.user());

            failOver(scenario, primary, database.on(standby), counted(both), () -> {});
        }
    }

    private static void awaitDatabase(Scenario scenario, Database onStandby) {
        scenario.await("the standby to have the database", () -> {
            try (Connection connection = onStandby.dataSource().getConnection()) {
                return connection.isValid(1);
            } catch (SQLException e) {
                return false;
            }
        });
    }

    private void failOver(
            Scenario scenario, PostgresServer primary, Database promoted, DataSource source, Runnable moving)
            throws SQLException {
        try (LockClient client =
                LockClient.create(source, LockClient.Options.defaults().name("shop"))) {
            AtomicInteger told = new AtomicInteger();
            List<LockHandle> held = List.of(
                    client.advisory(KEY).acquire(),
                    client.acquireAll(LockKey.of(2), LockKey.of(3)),
                    client.advisory("read").shared().acquire());
            held.forEach(handle -> handle.onLost(told::incrementAndGet));
            long token = held.get(0).fencingToken();
            awaitReplay(scenario, primary, promoted);
            CompletableFuture<LockHandle> one = client.advisory(KEY).acquireAsync();
            CompletableFuture<LockHandle> several =
                    client.advisory(KEY, LockKey.of(3)).acquireAsync();

            primary.stop();
            scenario.await("all holders to be told", () -> told.get() == 3);
            moving.run();
            int before = attempts.get();
            scenario.await("attempts to connect to the standby", () -> attempts.get() > before + 3);
            assertThat(one).isNotDone();
            assertThat(several).isNotDone();
            try (Connection looking = promoted.connect()) {
                assertThat(Held.column(looking, "select mode from pg_locks where locktype = 'advisory'"))
                        .isEmpty();

                promoted.server().promote();
                CompletableFuture<Object> first = CompletableFuture.anyOf(one, several);
                LockHandle next =
                        (LockHandle) first.orTimeout(15, TimeUnit.SECONDS).join();
                assertThat(next.fencingToken()).isGreaterThan(token);
                assertThat(new ClientSession(looking, "shop pglock").locks()).hasSameSizeAs(next.keys());
                next.close();
                join(one).close();
                join(several).close();
            }
            for (LockHandle handle : held) {
                assertThatExceptionOfType(LockLostException.class).isThrownBy(handle::close);
            }
            assertThat(told).hasValue(3);
        }
    }

    /** What is committed later carries a token along. */
    private static void awaitReplay(Scenario scenario, PostgresServer primary, Database onStandby) throws SQLException {
        try (Connection writing = onStandby.on(primary).connect();
                Connection reading = onStandby.connect()) {
            Held.execute(writing, "create table orders (id int)");
            scenario.await(
                    "the standby to have replayed it",
                    () -> Held.column(reading, "select 1 from pg_class where relname = 'orders'")
                            .contains("1"));
        }
    }

    private static LockHandle join(CompletableFuture<LockHandle> waiting) {
        return waiting.orTimeout(15, TimeUnit.SECONDS).join();
    }

    @Test
    void aStandbyIsRefused() {
        try (PostgresServer standby = PostgresServer.startStandby()) {
            DataSource source = counted(standby.maintenance().dataSource());

            assertThatExceptionOfType(LockNotSupportedException.class)
                    .isThrownBy(() -> LockClient.create(source))
                    .withMessageContaining("LockClient: this server is a hot standby")
                    .withMessageContaining("excludes nobody on the primary")
                    .withMessageContaining("targetServerType=primary");
            assertThat(attempts).hasValue(1);
        }
    }
}
