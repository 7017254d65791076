// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Scenario;
import java.sql.SQLException;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** On which threads a loss is told, and that nobody is kept from hearing of it. */
@PostgresTest
@Timeout(120)
class LockLossTellingTest {

    private static final LockClient.Options SHOP = LockClient.Options.defaults().name("shop");
    private static final LockKey KEY = LockKey.of(1);

    private final DataSource dataSource;
    private final Scenario scenario;
    private final ClientSession session;

    LockLossTellingTest(DataSource dataSource, Scenario scenario) {
        this.dataSource = dataSource;
        this.scenario = scenario;
        this.session = ClientSession.of(scenario, "shop");
    }

    private static List<LockHandle> take(LockClient client, int count) {
        return IntStream.range(0, count)
                .mapToObj(i -> client.advisory(LockKey.of(i)).acquire())
                .toList();
    }

    private static void assertLost(List<LockHandle> handles) {
        for (LockHandle handle : handles) {
            assertThatExceptionOfType(LockLostException.class).isThrownBy(handle::close);
        }
    }

    @Test
    void isToldOnThreadsOfItsOwnAndNotOnTheOneThatOwnsTheConnection() throws SQLException {
        try (LockClient client = LockClient.create(dataSource, SHOP)) {
            Queue<String> names = new ConcurrentLinkedQueue<>();
            List<LockHandle> held = take(client, 20);
            held.forEach(handle ->
                    handle.onLost(() -> names.add((Thread.currentThread().isDaemon() ? "daemon " : "")
                            + Thread.currentThread().getName())));

            session.terminate();
            scenario.await("all to be told", () -> names.size() == 20);

            assertThat(names).allMatch(name -> name.matches("daemon pglock-told-[1-8]"));
            assertLost(held);
        }
    }

    @Test
    void isToldOnTheExecutorOfTheApplication() throws SQLException {
        ExecutorService executor = Executors.newSingleThreadExecutor(work -> new Thread(work, "application"));
        try (LockClient client = LockClient.create(dataSource, SHOP.executor(executor))) {
            Queue<String> names = new ConcurrentLinkedQueue<>();
            List<LockHandle> held = take(client, 5);
            held.forEach(handle ->
                    handle.onLost(() -> names.add(Thread.currentThread().getName())));

            session.terminate();
            scenario.await("all to be told", () -> names.size() == 5);

            assertThat(names).containsOnly("application");
            assertLost(held);
        } finally {
            executor.shutdownNow();
        }
    }

    @Test
    void whoIsToldMayUseTheClient() throws SQLException {
        try (LockClient client = LockClient.create(dataSource, SHOP)) {
            Queue<LockHandle> again = new ConcurrentLinkedQueue<>();
            List<LockHandle> held = take(client, 20);
            for (LockHandle handle : held) {
                handle.onLost(() -> {
                    try {
                        handle.close();
                    } catch (LockLostException e) {
                        again.add(client.advisory(handle.key()).acquire());
                    }
                });
            }

            session.terminate();
            scenario.await("all to have acquired it again", () -> again.size() == 20);

            assertThat(session.locks()).hasSize(20);
            again.forEach(LockHandle::close);
            assertThat(session.locks()).isEmpty();
        }
    }

    @Test
    void whatFailsOrBlocksKeepsNobodyElseFromBeingTold() throws SQLException {
        CountDownLatch end = new CountDownLatch(1);
        try (LockClient client = LockClient.create(dataSource, SHOP)) {
            AtomicInteger told = new AtomicInteger();
            List<LockHandle> held = take(client, 12);
            for (int i = 0; i < 12; i++) {
                int number = i;
                held.get(i).onLost(() -> {
                    switch (number % 3) {
                        case 0 -> throw new IllegalStateException("one that fails");
                        case 1 -> throw new AssertionError("one that fails badly");
                        default -> told.incrementAndGet();
                    }
                });
                held.get(i).onLost(told::incrementAndGet);
            }
            List<LockHandle> more = IntStream.range(100, 107)
                    .mapToObj(i -> client.advisory(LockKey.of(i)).acquire().onLost(() -> await(end)))
                    .toList();
            LockHandle last = client.advisory(LockKey.of(200)).acquire().onLost(told::incrementAndGet);

            session.terminate();
            scenario.await("all others to be told", () -> told.get() == 4 + 12 + 1);

            try (LockHandle next = client.advisory(KEY).acquire()) {
                assertThat(next.isHeld()).isTrue();
            }
            assertLost(held);
            assertLost(more);
            assertLost(List.of(last));
        } finally {
            end.countDown();
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await(60, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** What runs at once runs on the client's own thread, which must outlive that. */
    @Test
    void anExecutorThatRunsThingsAtOnceDoesNotEndTheClient() throws SQLException {
        Executor atOnce = Runnable::run;
        try (LockClient client = LockClient.create(dataSource, SHOP.executor(atOnce))) {
            AtomicInteger told = new AtomicInteger();
            List<LockHandle> held = take(client, 3);
            held.get(0).onLost(() -> {
                throw new IllegalStateException("one that fails");
            });
            held.get(1).onLost(() -> {
                throw new AssertionError("one that fails badly");
            });
            held.get(2).onLost(told::incrementAndGet);

            session.terminate();
            scenario.await("the other one to be told", () -> told.get() == 1);

            client.advisory(KEY).acquire().close();
            assertLost(held);
        }
    }

    @Test
    void anExecutorThatTakesNothingMoreKeepsNobodyFromBeingTold() throws SQLException {
        ExecutorService executor = Executors.newSingleThreadExecutor();
        try (LockClient client = LockClient.create(dataSource, SHOP.executor(executor))) {
            Queue<String> names = new ConcurrentLinkedQueue<>();
            List<LockHandle> held = take(client, 3);
            held.forEach(handle ->
                    handle.onLost(() -> names.add(Thread.currentThread().getName())));
            executor.shutdownNow();

            session.terminate();
            scenario.await("all to be told", () -> names.size() == 3);

            assertThat(names).containsOnly("pglock-told");
            assertThat(client.advisory(KEY).acquireAsync().join()).satisfies(LockHandle::close);
            assertLost(held);
        } finally {
            executor.shutdownNow();
        }
    }
}
