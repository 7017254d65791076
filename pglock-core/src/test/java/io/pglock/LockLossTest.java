// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.pglock.testkit.Database;
import io.pglock.testkit.PostgresServer;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import io.pglock.testkit.TcpProxy;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.api.Timeout;

/** The session is gone: who is told, and what becomes of those who wait. */
@PostgresTest
@Timeout(120)
class LockLossTest {

    private static final LockClient.Options SHOP = LockClient.Options.defaults().name("shop");
    private static final LockKey KEY = LockKey.of(1);

    private final DataSource dataSource;
    private final Scenario scenario;
    private final ClientSession session;
    private final ExecutorService threads = Executors.newCachedThreadPool();

    LockLossTest(DataSource dataSource, Scenario scenario) {
        this.dataSource = dataSource;
        this.scenario = scenario;
        this.session = ClientSession.of(scenario, "shop");
    }

    @AfterEach
    void endThreads() {
        threads.shutdownNow();
    }

    /** Many handles, and how often each was told. */
    private static final class Told {
        private final Map<LockHandle, AtomicInteger> times = new ConcurrentHashMap<>();

        LockHandle of(LockHandle handle) {
            AtomicInteger count = times.computeIfAbsent(handle, absent -> new AtomicInteger());
            return handle.onLost(count::incrementAndGet);
        }

        boolean isEverybodyOnce() {
            return times.values().stream().allMatch(count -> count.get() == 1);
        }

        void assertLost() {
            assertThat(times.values()).allSatisfy(count -> assertThat(count).hasValue(1));
            for (LockHandle handle : times.keySet()) {
                assertThat(handle.isHeld()).isFalse();
                assertThatExceptionOfType(LockLostException.class)
                        .isThrownBy(handle::fencingToken)
                        .withMessageContaining("lost");
                assertThatExceptionOfType(LockLostException.class)
                        .isThrownBy(handle::close)
                        .withMessageContaining(handle.key() + ": was lost before it was released.")
                        .withCauseInstanceOf(SQLException.class);
                handle.close();
            }
            assertThat(times.values()).allSatisfy(count -> assertThat(count).hasValue(1));
        }
    }

    private static Told takeAllKinds(LockClient client) {
        Told told = new Told();
        for (int i = 100; i < 150; i++) {
            told.of(client.advisory(LockKey.of(i)).acquire());
        }
        told.of(client.advisory(LockKey.of(100)).acquire());
        told.of(client.advisory(LockKey.of(100)).shared().acquire());
        for (int owner = 0; owner < 5; owner++) {
            told.of(client.advisory("read").shared().owner("reader " + owner).acquire());
        }
        told.of(client.acquireAll(LockKey.of(1, 1), LockKey.of(1, 2), LockKey.of(3)));
        return told;
    }

    @Test
    void tellsEveryHolderOnceAndTakesNothingAgain() throws SQLException {
        try (LockClient client = LockClient.create(dataSource, SHOP)) {
            Told told = takeAllKinds(client);

            String before = session.terminate();
            scenario.await("every holder to be told", told::isEverybodyOnce);
            told.assertLost();

            assertThat(client.toString()).contains("not connected", "holds 0 of at most 1000, 0 waiting");
            assertThat(session.pids()).as("no session that nobody needs").isEmpty();
            try (LockHandle next = client.advisory(KEY).acquire()) {
                assertThat(next.isHeld()).isTrue();
                assertThat(session.pid()).isNotEqualTo(before);
                assertThat(session.locks()).containsExactly("1");
            }
            assertThat(told.isEverybodyOnce()).isTrue();
        }
    }

    @Test
    void noticesItAlthoughNobodyUsesTheClient(TestReporter reporter) throws SQLException {
        try (LockClient client = LockClient.create(dataSource, SHOP)) {
            LockHandle handle = client.advisory(KEY).acquire();
            CompletableFuture<Long> told = new CompletableFuture<>();
            handle.onLost(() -> told.complete(System.nanoTime()));

            long killed = System.nanoTime();
            session.terminate();
            scenario.await("the loss to be noticed", told::isDone);

            long millis = TimeUnit.NANOSECONDS.toMillis(told.join() - killed);
            reporter.publishEntry("noticed after", millis + " ms");
            assertThat(millis).isLessThan(5_000);
        }
    }

    @Test
    void thoseWhoWaitGoOnWaitingAndGetTheLock() throws SQLException {
        Session web = scenario.session("web");
        web.execute("select pg_advisory_lock(1)");
        try (LockClient client = LockClient.create(dataSource, SHOP)) {
            LockHandle other = client.advisory("other").acquire();
            CompletableFuture<LockHandle> elsewhere = client.advisory(KEY).acquireAsync();
            CompletableFuture<LockHandle> behind = client.advisory(KEY).acquireAsync();
            CompletableFuture<LockHandle> both =
                    client.advisory(KEY, LockKey.named("other")).acquireAsync();
            CompletableFuture<LockHandle> behindTheLost =
                    client.advisory("other").acquireAsync();
            scenario.await("them to wait", () -> client.toString().contains("4 waiting"));

            String before = session.terminate();
            LockHandle next = await(behindTheLost);
            assertThat(session.pid()).isNotEqualTo(before);
            assertThat(other.isHeld()).isFalse();
            assertThat(elsewhere).isNotDone();
            web.execute("select pg_advisory_unlock(1)");
            await(elsewhere).close();
            await(behind).close();
            assertThat(both).isNotDone();
            next.close();
            await(both).close();
            assertThatExceptionOfType(LockLostException.class).isThrownBy(other::close);
            scenario.await("nothing to be left", () -> session.locks().isEmpty());
        }
    }

    private static <T> T await(CompletableFuture<T> future) {
        try {
            return future.get(60, TimeUnit.SECONDS);
        } catch (InterruptedException | ExecutionException | TimeoutException e) {
            throw new AssertionError("waited for " + future, e);
        }
    }

    @Test
    void releasesThatAreUnderWayEndWithTheLoss(Database database) {
        try (TcpProxy proxy =
                        TcpProxy.to(database.server().host(), database.server().port());
                LockClient client = LockClient.create(proxy.dataSource(database), SHOP)) {
            List<LockHandle> held = new ArrayList<>();
            AtomicInteger told = new AtomicInteger();
            for (int i = 0; i < 20; i++) {
                held.add(client.advisory(LockKey.of(i)).acquire().onLost(told::incrementAndGet));
            }
            proxy.cutSilently();
            List<CompletableFuture<Void>> closing = held.stream()
                    .map(handle -> CompletableFuture.runAsync(handle::close, threads))
                    .toList();
            scenario.await("all to be closing", () -> held.stream().noneMatch(LockHandle::isHeld));
            assertThat(closing).noneMatch(CompletableFuture::isDone);

            proxy.reset();

            for (CompletableFuture<Void> each : closing) {
                assertThat(each)
                        .failsWithin(Duration.ofSeconds(60))
                        .withThrowableOfType(ExecutionException.class)
                        .withCauseInstanceOf(LockLostException.class);
            }
            scenario.await("onLost() to have run for each, once", () -> told.get() == 20);
        }
    }

    @Test
    void whoClosesAnotherHandleDoesNotHearOfTheLossOfThisOne() throws SQLException {
        try (LockClient client = LockClient.create(dataSource, SHOP)) {
            LockHandle released = client.advisory(KEY).acquire();
            LockHandle lost = client.advisory("lost").acquire();
            AtomicInteger told = new AtomicInteger();
            released.onLost(told::incrementAndGet);
            released.close();

            session.terminate();
            scenario.await("the loss to be noticed", () -> !lost.isHeld());

            released.close();
            released.onLost(told::incrementAndGet);
            assertThatIllegalStateException().isThrownBy(released::fencingToken).withMessageContaining("was released");
            assertThatExceptionOfType(LockLostException.class).isThrownBy(lost::close);
            CompletableFuture<Thread> late = new CompletableFuture<>();
            lost.onLost(() -> late.complete(Thread.currentThread()));
            scenario.await("who asks late to be told at once", late::isDone);
            assertThat(late.join()).isNotSameAs(Thread.currentThread());
            assertThat(told).hasValue(0);
        }
    }

    @Test
    void tellsWhyTheServerEndedTheSessionThatIdledInItsTransaction() {
        Session job = scenario.session("job");
        LockHandle lock = job.run(connection -> {
                    LockHandle acquired = PgLock.on(connection).advisory(KEY).acquire();
                    Held.execute(connection, "set idle_in_transaction_session_timeout = '20ms'");
                    connection.setAutoCommit(false);
                    Held.column(connection, "select 1");
                    return acquired;
                })
                .await();
        scenario.awaitGone(job.pid());

        assertThatExceptionOfType(LockLostException.class)
                .isThrownBy(lock::close)
                .withMessageContaining("lost with its session")
                .satisfies(e -> assertThat(e.sqlState()).contains("25P03"));
    }

    @Test
    void survivesACrashAndARestartOfTheServer() throws SQLException {
        try (PostgresServer server = PostgresServer.startEmbedded(Map.of());
                Database database = server.createDatabase();
                LockClient client = LockClient.create(database.dataSource(), SHOP)) {
            Told crashed = takeAllKinds(client);
            server.crash();
            scenario.await("every holder to be told", crashed::isEverybodyOnce);
            crashed.assertLost();

            Told stopped = takeAllKinds(client);
            server.stop();
            scenario.await("every holder to be told", stopped::isEverybodyOnce);
            stopped.assertLost();
            assertThatExceptionOfType(LockTimeoutException.class)
                    .isThrownBy(() ->
                            client.advisory(KEY).timeout(Duration.ofMillis(100)).acquire())
                    .withMessageContaining("not connected");
            CompletableFuture<LockHandle> waiting = client.advisory(KEY).acquireAsync();
            server.start();
            await(waiting).close();
        }
    }
}
