// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.zaxxer.hikari.HikariDataSource;
import io.pglock.testkit.Database;
import io.pglock.testkit.LiveThreads;
import io.pglock.testkit.PgBouncer;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.TcpProxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A pooler between the client and the server: refused where it gives a server to each transaction, used where to each session. */
@PostgresTest
@Timeout(60)
class LockClientPoolerTest {

    private static final LockClient.Options SHOP = LockClient.Options.defaults().name("shop");

    private final Database database;

    LockClientPoolerTest(Database database) {
        this.database = database;
    }

    private static void assertRefused(PgBouncer bouncer) {
        assertThatExceptionOfType(LockNotSupportedException.class)
                .isThrownBy(() -> LockClient.create(bouncer.dataSource()))
                .withMessageContaining("LockClient: session locks do not survive transaction pooling")
                .withMessageContaining("acquireXact()")
                .withMessageContaining("pool_mode=session")
                .withMessageContaining("connect directly");
    }

    static Stream<Arguments> poolsThatAreNotForSessions() {
        return Stream.of(
                Arguments.of("statement", Map.of()),
                Arguments.of("transaction", Map.of()),
                Arguments.of("transaction", Map.of("default_pool_size", "1")),
                Arguments.of("transaction", Map.of("default_pool_size", "2", "min_pool_size", "2")),
                Arguments.of("transaction", Map.of("server_round_robin", "1")),
                Arguments.of("transaction", Map.of("server_round_robin", "1", "default_pool_size", "2")),
                Arguments.of(
                        "transaction",
                        Map.of("server_round_robin", "1", "default_pool_size", "2", "min_pool_size", "2")),
                Arguments.of("transaction", Map.of("server_round_robin", "1", "min_pool_size", "10")));
    }

    @ParameterizedTest
    @MethodSource("poolsThatAreNotForSessions")
    void isRefusedWhereItsServerMayChange(String mode, Map<String, String> settings) throws SQLException {
        try (PgBouncer bouncer = PgBouncer.startOrSkip(database, mode, settings)) {
            assertRefused(bouncer);
            fill(bouncer, mode, Integer.parseInt(settings.getOrDefault("default_pool_size", "20")));
            for (int i = 0; i < 3; i++) {
                assertRefused(bouncer);
            }
        }
    }

    /** As many servers in the pool as there can be, all idle. */
    private static void fill(PgBouncer bouncer, String mode, int size) throws SQLException {
        List<Connection> open = new ArrayList<>();
        for (int i = 0; i < size && mode.equals("transaction"); i++) {
            Connection connection = bouncer.dataSource().getConnection();
            connection.setAutoCommit(false);
            Held.execute(connection, "select 1");
            open.add(connection);
        }
        for (Connection connection : open) {
            connection.rollback();
            connection.close();
        }
    }

    @ParameterizedTest
    @MethodSource("poolsThatAreNotForSessions")
    void isRefusedWhileOthersKeepThePoolBusy(String mode, Map<String, String> settings) throws InterruptedException {
        AtomicBoolean isOver = new AtomicBoolean();
        List<Thread> busy = new ArrayList<>();
        try (PgBouncer bouncer = PgBouncer.startOrSkip(database, mode, settings)) {
            for (int i = 0; i < 4; i++) {
                Thread thread = new Thread(() -> workUntil(isOver, bouncer), "busy");
                thread.start();
                busy.add(thread);
            }
            for (int i = 0; i < 5; i++) {
                assertRefused(bouncer);
            }
            isOver.set(true);
            for (Thread thread : busy) {
                thread.join(10_000);
            }
        }
    }

    private static void workUntil(AtomicBoolean isOver, PgBouncer bouncer) {
        try (Connection connection = bouncer.dataSource().getConnection()) {
            while (!isOver.get()) {
                Held.execute(connection, "select pg_sleep(0.002)");
            }
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void worksWhereEachSessionHasItsOwnServer(Scenario scenario) throws SQLException {
        ClientSession session = ClientSession.of(scenario, "shop");
        try (PgBouncer bouncer = PgBouncer.startOrSkip(database, "session");
                LockClient client = LockClient.create(bouncer.dataSource(), SHOP);
                LockClient direct = LockClient.create(database.dataSource())) {
            LockHandle held = client.advisory("report").acquire();
            assertThat(direct.advisory("report").tryAcquire(Duration.ZERO)).isEmpty();
            assertThat(session.locks()).hasSize(1);
            held.close();
            direct.advisory("report").acquire().close();

            LockHandle lost = client.advisory("report").acquire();
            session.terminate();
            scenario.await("the loss to be noticed", () -> !lost.isHeld());
            assertThatExceptionOfType(LockLostException.class).isThrownBy(lost::close);
            try (LockHandle next = client.advisory("report").acquire()) {
                assertThat(direct.advisory("report").tryAcquire(Duration.ZERO)).isEmpty();
                assertThat(next.isHeld()).isTrue();
            }
            try (Connection other = bouncer.dataSource().getConnection()) {
                assertThatExceptionOfType(LockNotSupportedException.class)
                        .as("a session on its own cannot tell")
                        .isThrownBy(() -> PgLock.on(other).advisory("report").acquire());
            }
        }
    }

    /** There is no second server to compare with, and who asks for one has to wait. */
    @Test
    void worksWhereThePoolHasOnlyOneServerAndGivesThatBack(Scenario scenario, TestReporter reporter)
            throws SQLException {
        ClientSession session = ClientSession.of(scenario, "shop");
        try (PgBouncer bouncer = PgBouncer.startOrSkip(database, "session", Map.of("default_pool_size", "1"))) {
            String pid = "";
            for (int i = 0; i < 2; i++) {
                long begun = System.nanoTime();
                try (LockClient client = LockClient.create(bouncer.dataSource(), SHOP)) {
                    Duration took = Duration.ofNanos(System.nanoTime() - begun);
                    reporter.publishEntry("created in", took.toMillis() + " ms");
                    assertThat(took).isLessThan(Duration.ofSeconds(20));
                    client.advisory("report").acquire();
                    assertThat(session.locks()).hasSize(1);
                    assertThat(pid).isIn("", session.pid());
                    pid = session.pid();
                }
                try (Connection next = bouncer.dataSource().getConnection()) {
                    assertThat(Held.column(next, "select pg_backend_pid()")).containsExactly(pid);
                    assertThat(Held.advisory(next)).isEmpty();
                    assertThat(Held.setting(next, "application_name")).doesNotContain("pglock");
                    assertThat(Held.setting(next, "tcp_keepalives_idle")).isNotEqualTo("5");
                }
            }
        }
    }

    /** Whether it is the pool of the application or the pooler that has no second one does not show. */
    @Test
    void saysSoWhereThePoolOfTheApplicationHasNoSecondConnectionToTellWith(Scenario scenario) {
        try (TcpProxy proxy = TcpProxy.to(
                                database.server().host(), database.server().port())
                        .rewriteBackendKey();
                HikariDataSource pool = new HikariDataSource()) {
            pool.setDataSource(proxy.dataSource(database));
            pool.setMaximumPoolSize(1);

            assertThatExceptionOfType(LockNotSupportedException.class)
                    .isThrownBy(() -> LockClient.create(pool))
                    .withMessageContaining("is behind a pooler")
                    .withMessageContaining("a second connection")
                    .withMessageContaining("Let its pool be larger");
            scenario.await(
                    "the check to have got the second one and given it back",
                    () -> LiveThreads.named("pglock-pooler-check").isEmpty());
            scenario.await(
                    "both to be given back", () -> pool.getHikariPoolMXBean().getActiveConnections() == 0);
        }
    }

    @Test
    void isRecognizedByTheProcessIdThatTheDriverWasTold() throws SQLException {
        try (TcpProxy proxy = TcpProxy.to(
                                database.server().host(), database.server().port())
                        .rewriteBackendKey();
                LockClient client = LockClient.create(proxy.dataSource(database));
                Connection connection = proxy.dataSource(database).getConnection()) {
            try (LockHandle lock = client.advisory("report").acquire()) {
                assertThat(lock.isHeld()).isTrue();
            }
            assertThatExceptionOfType(LockNotSupportedException.class)
                    .isThrownBy(() -> PgLock.on(connection).advisory("report").acquire());
        }
    }
}
