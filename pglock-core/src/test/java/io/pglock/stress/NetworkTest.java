// SPDX-License-Identifier: Apache-2.0
package io.pglock.stress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.pglock.LockClient;
import io.pglock.LockHandle;
import io.pglock.LockLostException;
import io.pglock.LockTimeoutException;
import io.pglock.testkit.Database;
import io.pglock.testkit.PostgresServer;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.TcpProxy;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A client whose network is slow, stalls, dies silently or with a reset, or leads nowhere for a while. */
@PostgresTest
class NetworkTest {

    private static final Duration HEARTBEAT = Duration.ofSeconds(2);

    /** What a machine that is busy with other things may take longer. */
    private static final Duration SLACK = Duration.ofSeconds(1);

    private static final long LONGEST_SECONDS = 60;

    private final Database database;
    private final TcpProxy proxy;

    NetworkTest(Database database, PostgresServer server) {
        this.database = database;
        this.proxy = TcpProxy.to(server.host(), server.port());
    }

    @AfterEach
    void closeProxy() {
        proxy.close();
    }

    private LockClient clientThroughProxy() {
        return clientThroughProxy(HEARTBEAT);
    }

    private LockClient clientThroughProxy(Duration heartbeat) {
        return LockClient.create(
                proxy.dataSource(database),
                LockClient.Options.defaults().name("distant").heartbeat(heartbeat));
    }

    private record Timed<T>(T result, Duration took) {
        static <T> Timed<T> of(Callable<T> call) throws Exception {
            long start = System.nanoTime();
            T result = call.call();
            return new Timed<>(result, Duration.ofNanos(System.nanoTime() - start));
        }
    }

    /** How long it takes until the loss of that lock is told. */
    private static Duration told(LockHandle lock, Runnable trouble) throws Exception {
        AtomicInteger times = new AtomicInteger();
        CompletableFuture<Long> told = new CompletableFuture<>();
        lock.onLost(() -> {
            times.incrementAndGet();
            told.complete(System.nanoTime());
        });
        long start = System.nanoTime();
        trouble.run();
        long end = told.get(LONGEST_SECONDS, TimeUnit.SECONDS);
        assertThat(lock.isHeld()).isFalse();
        assertThatExceptionOfType(LockLostException.class).isThrownBy(lock::close);
        assertThat(times).hasValue(1);
        return Duration.ofNanos(end - start);
    }

    @Test
    void aResetIsToldWithinASecond() throws Exception {
        try (LockClient client = clientThroughProxy()) {
            Duration took = told(client.advisory("leader").acquire(), proxy::reset);

            System.out.println("NetworkTest: told " + took.toMillis() + " ms after a reset");
            assertThat(took).isLessThan(Duration.ofSeconds(1).plus(SLACK));
            client.advisory("leader").timeout(Duration.ofSeconds(5)).acquire().close();
        }
    }

    @Test
    void aSilentCutIsToldWithinTheHeartbeat() throws Exception {
        try (LockClient client = clientThroughProxy()) {
            Duration took = told(client.advisory("leader").acquire(), proxy::cutSilently);

            System.out.println("NetworkTest: told " + took.toMillis() + " ms after a silent cut, with a heartbeat of "
                    + HEARTBEAT.toMillis() + " ms");
            assertThat(took).isLessThan(HEARTBEAT.plus(SLACK));
            proxy.reset();
            client.advisory("leader").timeout(Duration.ofSeconds(5)).acquire().close();
        }
    }

    @Test
    void aShortStallIsNoLoss() throws Exception {
        try (LockClient client = clientThroughProxy(HEARTBEAT.multipliedBy(4));
                LockHandle lock = client.advisory("leader").acquire()) {
            AtomicInteger told = new AtomicInteger();
            lock.onLost(told::incrementAndGet);
            proxy.cutSilently();

            CompletableFuture<Long> token = CompletableFuture.supplyAsync(lock::fencingToken);
            assertThatExceptionOfType(TimeoutException.class)
                    .isThrownBy(() -> token.get(HEARTBEAT.toMillis(), TimeUnit.MILLISECONDS));
            proxy.resume();

            assertThat(token.get(LONGEST_SECONDS, TimeUnit.SECONDS)).isPositive();
            assertThat(lock.isHeld()).isTrue();
            assertThat(told).hasValue(0);
        }
    }

    @Test
    void worksOverALongDistance() throws Exception {
        proxy.delay(Duration.ofMillis(50));
        try (LockClient client = clientThroughProxy();
                LockClient near = LockClient.create(database.dataSource())) {
            LockHandle lock =
                    client.advisory("leader").tryAcquire(Duration.ZERO).orElseThrow();
            assertThat(lock.fencingToken()).isPositive();
            assertThat(near.advisory("leader").tryAcquire(Duration.ZERO)).isEmpty();
            lock.close();

            LockHandle theirs = near.advisory("leader").acquire();
            assertThat(client.advisory("leader").tryAcquire(Duration.ZERO)).isEmpty();
            Timed<Boolean> waited = Timed.of(() ->
                    client.advisory("leader").tryAcquire(Duration.ofMillis(400)).isPresent());
            assertThat(waited.result()).isFalse();
            assertThat(waited.took())
                    .isBetween(Duration.ofMillis(400), Duration.ofMillis(400).plus(SLACK));
            CompletableFuture<LockHandle> waiting = client.advisory("leader").acquireAsync();
            theirs.close();
            Timed<LockHandle> got = Timed.of(() -> waiting.get(LONGEST_SECONDS, TimeUnit.SECONDS));
            System.out.println(
                    "NetworkTest: with 50 ms each way, got it " + got.took().toMillis() + " ms after it was released");
            got.result().close();
        }
    }

    @Test
    void waitersSurviveAnOutage(Scenario scenario) throws Exception {
        try (LockClient client = clientThroughProxy();
                LockClient near = LockClient.create(database.dataSource())) {
            LockHandle theirs = near.advisory("theirs").acquire();
            LockHandle mine = client.advisory("mine").acquire();
            CompletableFuture<LockHandle> waiting = client.advisory("theirs").acquireAsync();
            CompletableFuture<LockHandle> forSeveral =
                    CompletableFuture.supplyAsync(() -> client.acquireAll(theirs.key(), mine.key()));
            told(mine, proxy::refuse);
            scenario.await(
                    "the client to know that it cannot connect",
                    () -> client.toString().contains("not connected"));

            Timed<Boolean> tried = Timed.of(() ->
                    client.advisory("mine").tryAcquire(Duration.ofMillis(300)).isPresent());
            assertThat(tried.result()).isFalse();
            assertThat(tried.took())
                    .isBetween(Duration.ofMillis(300), Duration.ofMillis(300).plus(SLACK));
            assertThatExceptionOfType(LockTimeoutException.class)
                    .isThrownBy(() -> client.advisory("mine")
                            .timeout(Duration.ofMillis(100))
                            .acquire())
                    .withMessageContaining("not connected");
            Timed<Boolean> once = Timed.of(
                    () -> client.advisory("mine").tryAcquire(Duration.ZERO).isPresent());
            assertThat(once.result()).isFalse();
            assertThat(once.took()).isLessThan(SLACK);
            Timed<Boolean> later = Timed.of(() -> client.advisory("mine")
                    .timeout(Duration.ofMillis(200))
                    .tryAcquireAsync()
                    .get(LONGEST_SECONDS, TimeUnit.SECONDS)
                    .isPresent());
            assertThat(later.result()).isFalse();
            assertThat(later.took())
                    .isBetween(Duration.ofMillis(200), Duration.ofMillis(200).plus(SLACK));
            assertThat(waiting).isNotDone();
            assertThat(forSeveral).isNotDone();

            proxy.accept();
            theirs.close();

            Timed<LockHandle> got = Timed.of(() -> waiting.get(LONGEST_SECONDS, TimeUnit.SECONDS));
            System.out.println(
                    "NetworkTest: got it " + got.took().toMillis() + " ms after connections were accepted again");
            assertThat(got.result().isHeld()).isTrue();
            got.result().close();
            forSeveral.get(LONGEST_SECONDS, TimeUnit.SECONDS).close();
        }
    }

    /** Nobody but the session itself sees them. */
    @Test
    void theServerIsToldToNoticeADeadClientWithinSeconds(PostgresServer server) throws SQLException {
        server.assumeAtLeast(14);
        NotedDataSource dataSource =
                new NotedDataSource(new SectionLog.Access(database.url(), database.user(), database.password()));
        try (LockClient client = LockClient.create(dataSource)) {
            Connection connection = dataSource.last();
            try (Statement statement = connection.createStatement();
                    ResultSet row = statement.executeQuery("""
                            select string_agg(current_setting(name), ' ' order by position) from unnest(array[
                                'tcp_keepalives_idle', 'tcp_keepalives_interval', 'tcp_keepalives_count', 'tcp_user_timeout',
                                'client_connection_check_interval', 'idle_session_timeout']) with ordinality as s (name, position)""")) {
                row.next();
                assertThat(row.getString(1)).as(client.toString()).isEqualTo("5 2 3 11000 1s 0");
            }
        }
    }
}
