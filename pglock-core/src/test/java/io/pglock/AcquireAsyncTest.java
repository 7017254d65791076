// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Scenario;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Locks that nobody waits for with a thread. */
@PostgresTest
class AcquireAsyncTest {

    private static final LockKey KEY = LockKey.of(42);
    private static final Duration SOON = Duration.ofMillis(50);
    private static final Duration LONG = Duration.ofSeconds(30);

    private final DataSource dataSource;
    private final Scenario scenario;
    private final LockClient client;

    AcquireAsyncTest(DataSource dataSource, Scenario scenario) {
        this.dataSource = dataSource;
        this.scenario = scenario;
        this.client = LockClient.create(dataSource);
    }

    @AfterEach
    void close() {
        client.close();
    }

    private static <T> Throwable failure(CompletableFuture<T> future) {
        try {
            throw new AssertionError("was expected to fail, and gave " + future.get(60, TimeUnit.SECONDS));
        } catch (ExecutionException e) {
            return e.getCause();
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    private void awaitWaiters(int number) {
        scenario.await(
                number + " to wait, of " + client, () -> client.toString().endsWith(", " + number + " waiting"));
    }

    private void awaitHeld(int number) {
        scenario.await(
                number + " locks to be held",
                () -> Held.column(
                                        scenario.observer(),
                                        "select 1 from pg_locks where locktype = 'advisory' and granted and objid = 42")
                                .size()
                        == number);
    }

    @Test
    void completesWhenItIsGranted() {
        CompletableFuture<LockHandle> first = client.advisory(KEY).acquireAsync();
        LockHandle lock = Threads.await(first);
        assertThat(lock.isHeld()).isTrue();

        CompletableFuture<Optional<LockHandle>> second = client.advisory(KEY).tryAcquireAsync();
        awaitWaiters(1);
        assertThat(second).isNotDone();
        lock.close();

        assertThat(Threads.await(second)).hasValueSatisfying(LockHandle::close);
        awaitHeld(0);
    }

    @Test
    void isANewOwnerEachTimeUnlessItHasOne() {
        ClientLock request = client.advisory(KEY).timeout(Duration.ZERO);
        LockHandle lock = Threads.await(request.acquireAsync());
        assertThat(Threads.await(request.tryAcquireAsync())).isEmpty();
        lock.close();

        LockHandle owned = Threads.await(request.owner("somebody").acquireAsync());
        assertThat(Threads.await(request.owner("somebody").tryAcquireAsync())).hasValueSatisfying(LockHandle::close);
        assertThat(Threads.await(request.owner("somebody else").tryAcquireAsync()))
                .isEmpty();
        assertThat(failure(client.advisory(KEY)
                        .owner("nobody")
                        .shared()
                        .timeout(SOON)
                        .acquireAsync()))
                .isInstanceOf(LockTimeoutException.class);
        owned.close();
    }

    @Test
    void endsWhenItsTimeIsOver() {
        try (LockHandle lock = client.advisory(KEY).acquire()) {
            assertThat(lock.isHeld()).isTrue();
            long begun = System.nanoTime();
            assertThat(Threads.await(client.advisory(KEY).timeout(SOON).tryAcquireAsync()))
                    .isEmpty();
            assertThat(Duration.ofNanos(System.nanoTime() - begun)).isGreaterThanOrEqualTo(SOON);
            assertThat(failure(client.advisory(KEY).timeout(SOON).acquireAsync()))
                    .isInstanceOf(LockTimeoutException.class)
                    .hasMessageContaining("not acquired within 50ms, held in this JVM by thread ");
            assertThat(failure(client.advisory(KEY, LockKey.of(1)).timeout(SOON).acquireAsync()))
                    .isInstanceOf(LockTimeoutException.class);
            awaitWaiters(0);
        }
    }

    @Test
    void givesTheRequestUpWhenItIsCancelled() {
        LockHandle lock = client.advisory(KEY).acquire();
        CompletableFuture<LockHandle> first = client.advisory(KEY).acquireAsync();
        CompletableFuture<LockHandle> second = client.advisory(KEY).acquireAsync();
        CompletableFuture<LockHandle> several =
                client.advisory(KEY, LockKey.of(1)).acquireAsync();
        awaitWaiters(3);

        assertThat(first.cancel(true)).isTrue();
        assertThat(several.cancel(true)).isTrue();
        awaitWaiters(1);
        lock.close();

        Threads.await(second).close();
        assertThat(first).isCancelled();
        assertThatExceptionOfType(CancellationException.class).isThrownBy(several::join);
        awaitHeld(0);
    }

    @Test
    void givesUpAlsoWhenItsFutureIsCompletedBySomebodyElse() {
        LockHandle lock = client.advisory(KEY).acquire();
        CompletableFuture<LockHandle> late = client.advisory(KEY).acquireAsync().orTimeout(50, TimeUnit.MILLISECONDS);

        assertThat(failure(late)).isInstanceOf(TimeoutException.class);
        awaitWaiters(0);
        lock.close();
        awaitHeld(0);
    }

    @Test
    void releasesWhatWasGrantedToACancelledOne() {
        LinkedBlockingQueue<Runnable> todo = new LinkedBlockingQueue<>();
        try (LockClient held =
                LockClient.create(dataSource, LockClient.Options.defaults().executor(todo::add))) {
            CompletableFuture<LockHandle> future = held.advisory(KEY).acquireAsync();
            awaitHeld(1);
            scenario.await("the future to be about to be told", () -> !todo.isEmpty());
            assertThat(future).isNotDone();

            assertThat(future.cancel(true)).isTrue();
            todo.remove().run();

            awaitHeld(0);
            assertThat(future).isCancelled();
        }
    }

    @Test
    void runsWhatDependsOnItElsewhereThanOnTheThreadThatUsesTheConnection() {
        LockHandle lock = client.advisory(KEY).acquire();
        List<CompletableFuture<String>> names = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            names.add(client.advisory(KEY).shared().acquireAsync().thenApply(granted -> {
                granted.close();
                return Thread.currentThread().getName();
            }));
            names.add(client.advisory(LockKey.of(i), KEY).acquireAsync().thenApply(granted -> {
                granted.close();
                return Thread.currentThread().getName();
            }));
        }
        awaitWaiters(6);
        lock.close();

        assertThat(names).allSatisfy(name -> assertThat(Threads.await(name)).startsWith("pglock-told-"));
    }

    @Test
    void mayAcquireTheNextOneInWhatDependsOnIt() {
        CompletableFuture<Long> chain = client.advisory(KEY)
                .acquireAsync()
                .thenCompose(
                        first -> client.advisory(LockKey.of(1)).acquireAsync().thenApply(second -> {
                            long token = second.fencingToken();
                            second.close();
                            first.close();
                            return token;
                        }));

        assertThat(Threads.await(chain)).isPositive();
        awaitHeld(0);
    }

    @Test
    void isToldEvenWhenTheExecutorRefuses() {
        try (LockClient refused =
                LockClient.create(dataSource, LockClient.Options.defaults().executor(work -> {
                    throw new RejectedExecutionException("shut down, for a test");
                }))) {
            Threads.await(refused.advisory(KEY).acquireAsync()).close();
        }
    }

    @Test
    void failsWhenTheClientIsClosed() {
        LockClient closing = LockClient.create(dataSource);
        LockHandle lock = client.advisory(KEY).acquire();
        List<CompletableFuture<?>> futures = List.of(
                closing.advisory(KEY).acquireAsync(),
                closing.advisory(KEY).timeout(LONG).tryAcquireAsync(),
                closing.advisory(KEY, LockKey.of(1)).acquireAsync());
        scenario.await("all to wait", () -> closing.toString().endsWith(", 3 waiting"));

        closing.close();

        assertThat(futures)
                .allSatisfy(future -> assertThat(failure(future))
                        .isInstanceOf(IllegalStateException.class)
                        .hasMessageContaining("closed"));
        assertThat(failure(closing.advisory(KEY).acquireAsync()))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("closed");
        lock.close();
        awaitHeld(0);
    }
}
