// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.pglock.internal.LockRequest;
import io.pglock.internal.Wait;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Whom the locks of a client belong to, and in what order those who want one get it: within the client, and next to others. */
@PostgresTest
class ClientLockTest {

    private static final LockKey KEY = LockKey.of(42);
    private static final Duration LONG = Duration.ofSeconds(30);

    private final LockClient client;
    private final LockClient other;
    private final Scenario scenario;
    private final Threads threads = new Threads();

    ClientLockTest(DataSource dataSource, Scenario scenario) {
        this.scenario = scenario;
        this.client = LockClient.create(dataSource);
        this.other = LockClient.create(dataSource);
    }

    @AfterEach
    void close() {
        client.close();
        other.close();
        threads.close();
    }

    private boolean isFree() {
        return other.advisory(KEY).timeout(Duration.ZERO).tryRun(() -> {});
    }

    private void awaitWaiters(int number) {
        scenario.await(
                number + " to wait, of " + client, () -> client.toString().endsWith(", " + number + " waiting"));
    }

    /** The numbers of the keys that sessions hold, without those by which clients let each other know that they wait. */
    private List<String> held() throws SQLException {
        return Held.column(
                scenario.observer(),
                "select objid from pg_locks where locktype = 'advisory' and granted and objsubid = 1"
                        + " and database = (select oid from pg_database where datname = current_database()) order by 1");
    }

    /** To say who is in the way the server is asked, which may take its time. */
    @Test
    void othersAreNotHeldUpByManyWhoseTimeIsOver() {
        Session web = scenario.session("web");
        web.execute(
                "select pg_advisory_lock(n) from generate_series(1, 20) n",
                "begin",
                "lock table pg_database in access exclusive mode"); // no question is answered before it times out
        List<CompletableFuture<String>> asking = IntStream.rangeClosed(1, 20)
                .mapToObj(n -> new LockRequest(List.of(LockKey.of(n)), false, "n" + n, Wait.FOREVER))
                .map(client.engine()::inTheWayOf)
                .toList();

        long answered;
        try (LockHandle lock = client.advisory(KEY).timeout(LONG).acquire()) {
            assertThat(lock.isHeld()).isTrue();
            answered = asking.stream().filter(CompletableFuture::isDone).count();
        } finally {
            web.rollback();
        }
        asking.subList(0, 19).forEach(answer -> answer.cancel(false));

        assertThat(answered)
                .as("questions answered before another got its lock")
                .isLessThan(20);
        assertThat(Threads.await(asking.get(19))).contains(", blocked by pid " + web.pid() + " (web, ");
    }

    // ---- owners -----------------------------------------------------------------------------------------------------

    @Test
    void belongsToTheThreadThatAcquiredIt() {
        try (LockHandle lock = client.advisory(KEY).acquire();
                LockHandle again = client.advisory(KEY).acquire()) {
            assertThat(lock.isHeld()).isTrue();
            assertThat(again.isHeld()).isTrue();
            assertThat(threads.get(() -> client.advisory(KEY).tryAcquire(Duration.ZERO)))
                    .isEmpty();
        }
        assertThat(isFree()).isTrue();
    }

    @Test
    void belongsToWhoeverIsEqualToItsOwnerOnWhateverThread() {
        record Order(int number) {}
        LockHandle lock = client.advisory(KEY).owner(new Order(7)).acquire();

        LockHandle again = threads.get(
                () -> client.advisory(KEY).owner(new Order(7)).timeout(LONG).acquire());
        assertThat(client.advisory(KEY).owner(new Order(8)).tryAcquire(Duration.ZERO))
                .isEmpty();
        assertThat(client.advisory(KEY).tryAcquire(Duration.ZERO)).isEmpty();
        assertThat(client).asString().contains("Order[number=7]");

        threads.get(() -> {
            lock.close();
            return true;
        });
        assertThat(isFree()).isFalse();
        again.close();
        assertThat(isFree()).isTrue();
    }

    @Test
    void isGrantedToAllWhoWaitForTheSameOwner() {
        LockHandle lock = client.advisory(KEY).owner("first").acquire();
        List<Threads.Going<LockHandle>> waiting = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            waiting.add(threads.start(() -> client.advisory(KEY).owner("second").acquire()));
        }
        awaitWaiters(3);
        lock.close();

        List<LockHandle> locks = waiting.stream().map(Threads::await).toList();
        assertThat(locks).allSatisfy(each -> assertThat(each.isHeld()).isTrue());
        assertThat(isFree()).isFalse();
        locks.forEach(LockHandle::close);
        assertThat(isFree()).isTrue();
    }

    @Test
    void doesNotLetAReaderBecomeTheWriter() {
        try (LockHandle lock = client.advisory(KEY).shared().acquire()) {
            assertThatIllegalStateException()
                    .isThrownBy(client.advisory(KEY)::acquire)
                    .withMessageContaining("shared mode");
            assertThatIllegalStateException()
                    .isThrownBy(client.advisory(KEY).timeout(LONG)::tryAcquire)
                    .withMessageContaining("Release the shared lock first");
            assertThat(client.advisory(KEY).tryAcquire(Duration.ZERO)).isEmpty();
            assertThat(lock.isHeld()).isTrue();
        }
        assertThat(isFree()).isTrue();
    }

    /** An owner whose own methods do what the test wants. */
    private static final class Job {

        private final Supplier<Integer> hash;
        private final Supplier<Boolean> isEqual;
        private final Supplier<String> name;

        Job(Supplier<Integer> hash, Supplier<Boolean> isEqual, Supplier<String> name) {
            this.hash = hash;
            this.isEqual = isEqual;
            this.name = name;
        }

        static Job named(Supplier<String> name) {
            return new Job(() -> 7, () -> false, name);
        }

        @Override
        public int hashCode() {
            return hash.get();
        }

        @Override
        public boolean equals(Object other) {
            return this == other || isEqual.get();
        }

        @Override
        public String toString() {
            return name.get();
        }
    }

    private static int noHash() {
        throw new IllegalStateException("an owner that fails");
    }

    private static boolean notComparable() {
        throw new IllegalStateException("an owner that fails");
    }

    private static String noName() {
        throw new IllegalStateException("an owner that fails");
    }

    static Stream<Job> ownersWithoutAName() {
        return Stream.of(
                Job.named(ClientLockTest::noName),
                Job.named(() -> Optional.<String>empty().orElse(null)));
    }

    @ParameterizedTest
    @MethodSource("ownersWithoutAName")
    void isNamedByItsClassWhereItsOwnerHasNoName(Job job) {
        LockHandle lock = client.advisory(KEY).owner(job).acquire();

        assertThatExceptionOfType(LockTimeoutException.class)
                .isThrownBy(client.advisory(KEY).timeout(Duration.ZERO)::acquire)
                .withMessageContaining("held in this JVM by " + Job.class.getName() + ".");

        assertThat(client).asString().contains("42 by " + Job.class.getName());
        assertThat(lock.isHeld()).isTrue();
        lock.close();
        assertThat(isFree()).isTrue();
    }

    @Test
    void staysWhatItIsThoughItsOwnerCannotBeCompared() {
        Job job = new Job(() -> 7, ClientLockTest::notComparable, () -> "job");
        LockHandle lock = client.advisory(KEY).owner(job).acquire();
        LockHandle again = client.advisory(KEY).owner(job).shared().acquire();

        assertThat(client.advisory(KEY)
                        .owner(new Job(() -> 7, ClientLockTest::notComparable, () -> "another"))
                        .tryAcquire(Duration.ZERO))
                .isEmpty();

        lock.close();
        again.close();
        assertThat(isFree()).isTrue();
    }

    @Test
    void isRefusedToAnOwnerWithoutAHashCode() {
        Job job = new Job(ClientLockTest::noHash, () -> false, () -> "job");
        LockHandle lock = client.advisory(LockKey.of(1)).acquire();

        assertThatIllegalStateException()
                .isThrownBy(client.advisory(KEY).owner(job).shared()::acquire)
                .withMessage("an owner that fails");

        lock.close();
        assertThat(isFree()).isTrue();
    }

    /** The client's thread is busy for longer than that, with a question, and learns only then of who waits for no longer. */
    @Test
    void isNotWaitedForMuchLongerThanItsTimeoutWhenTheClientIsBusyMeanwhile() throws InterruptedException {
        CountDownLatch asked = new CountDownLatch(1);
        CountDownLatch answer = new CountDownLatch(1);
        LockHandle lock = client.advisory(KEY)
                .owner(Job.named(() -> {
                    asked.countDown();
                    return awaited(answer) ? "job" : "a job that nobody has waited for";
                }))
                .acquire();
        Threads.Going<String> question = threads.start(client::toString);
        assertThat(asked.await(60, TimeUnit.SECONDS)).as("it is being asked").isTrue();
        Threads.Going<Optional<LockHandle>> waiting =
                threads.start(() -> client.advisory(KEY).tryAcquire(Duration.ofMillis(20)));
        scenario.await("the other one to wait", waiting::waits);
        long begun = System.nanoTime();
        scenario.await("its time to be over", () -> System.nanoTime() - begun > 10 * 20_000_000L);
        assertThat(waiting.isDone()).as("without an answer it waits on").isFalse();

        long answered = System.nanoTime();
        answer.countDown();

        assertThat(waiting.get()).isEmpty();
        assertThat(Duration.ofNanos(System.nanoTime() - answered))
                .as("less than a heartbeat")
                .isLessThan(Duration.ofSeconds(5));
        assertThat(question.get()).contains("42 by job");
        lock.close();
    }

    private static boolean awaited(CountDownLatch latch) {
        try {
            return latch.await(60, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            return false;
        }
    }

    @Test
    void hasOneFencingTokenAlsoForThoseWhoAskAtTheSameTime() throws InterruptedException {
        for (int round = 0; round < 20; round++) {
            try (LockHandle lock = client.advisory(KEY).acquire()) {
                CountDownLatch together = new CountDownLatch(4);
                List<Threads.Going<Long>> asking = new ArrayList<>();
                for (int i = 0; i < 4; i++) {
                    asking.add(threads.start(() -> {
                        together.countDown();
                        return awaited(together) ? lock.fencingToken() : -1;
                    }));
                }

                assertThat(asking.stream().map(Threads::await).distinct().toList())
                        .as("tokens of one lock, round " + round)
                        .singleElement()
                        .isEqualTo(lock.fencingToken());
            }
        }
    }

    // ---- interrupts -------------------------------------------------------------------------------------------------

    @Test
    void leavesAllOtherLocksAloneWhenAWaitingThreadIsInterrupted() throws SQLException {
        List<LockHandle> locks = new ArrayList<>();
        AtomicInteger lost = new AtomicInteger();
        for (int i = 1; i <= 20; i++) {
            locks.add(client.advisory(LockKey.of(i)).acquire().onLost(lost::incrementAndGet));
        }
        try (LockHandle elsewhere = other.advisory(KEY).acquire()) {
            assertThat(elsewhere.isHeld()).isTrue();
            List<Threads.Going<Boolean>> waiting = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                LockKey key = i % 2 == 0 ? KEY : LockKey.of(1);
                waiting.add(threads.start(() -> {
                    assertThatExceptionOfType(LockInterruptedException.class)
                            .isThrownBy(client.advisory(key)::acquire)
                            .withMessageContaining("interrupted");
                    return Thread.currentThread().isInterrupted();
                }));
            }
            awaitWaiters(4);
            waiting.forEach(Threads.Going::interrupt);

            assertThat(waiting)
                    .allSatisfy(each -> assertThat(each.get()).as("flag").isTrue());
            assertThat(locks).allSatisfy(lock -> assertThat(lock.isHeld()).isTrue());
            assertThat(held()).hasSize(21);
            awaitWaiters(0);
        }
        locks.forEach(LockHandle::close);
        assertThat(lost).hasValue(0);
        assertThat(held()).isEmpty();
    }

    @Test
    void goesToTheNextWhenWhoeverWaitsFirstIsInterrupted() {
        LockHandle lock = client.advisory(KEY).acquire();
        Threads.Going<Boolean> first = threads.start(() -> {
            assertThatExceptionOfType(LockInterruptedException.class).isThrownBy(client.advisory(KEY)::acquire);
            return true;
        });
        awaitWaiters(1);
        Threads.Going<Boolean> second = threads.start(() -> {
            client.advisory(KEY).acquire().close();
            return true;
        });
        awaitWaiters(2);
        first.interrupt();
        assertThat(first.get()).isTrue();
        lock.close();

        assertThat(second.get()).isTrue();
    }

    @Test
    void isReleasedByAThreadThatIsInterrupted() {
        threads.get(() -> {
            LockHandle lock = client.advisory(KEY).acquire();
            Thread.currentThread().interrupt();
            assertThat(lock.fencingToken()).isPositive();
            lock.close();
            return true;
        });
        assertThat(isFree()).isTrue();
    }

    // ---- the order in which it is granted ---------------------------------------------------------------------------

    @Test
    void isGrantedInTheOrderInWhichItWasAskedForAlsoWhenTheServerHasToGrantIt() {
        List<Integer> order = Collections.synchronizedList(new ArrayList<>());
        List<Integer> asked = new ArrayList<>();
        List<Threads.Going<Boolean>> waiting = new ArrayList<>();
        LockHandle elsewhere = other.advisory(KEY).acquire();
        for (int i = 1; i <= 20; i++) {
            int number = i;
            asked.add(number);
            waiting.add(threads.start(() -> {
                client.advisory(KEY).run(() -> {
                    order.add(number);
                });
                return true;
            }));
            awaitWaiters(number);
        }
        elsewhere.close();

        assertThat(waiting).allSatisfy(each -> assertThat(each.get()).isTrue());
        assertThat(order).isEqualTo(asked);
    }

    /** Eight threads that want nothing else, until the test is over. */
    private List<Threads.Going<Boolean>> busy(AtomicInteger acquired, AtomicBoolean over, boolean shared) {
        List<Threads.Going<Boolean>> busy = new ArrayList<>();
        ClientLock request = client.advisory(KEY);
        for (int i = 0; i < 8; i++) {
            busy.add(threads.start(() -> {
                while (!over.get()) {
                    (shared ? request.shared() : request).run(() -> {
                        acquired.incrementAndGet();
                    });
                }
                return true;
            }));
        }
        scenario.await("all to be busy", () -> acquired.get() > 100);
        return busy;
    }

    private static int median(List<Integer> numbers) {
        return numbers.stream().sorted().toList().get(numbers.size() / 2);
    }

    @Test
    void doesNotKeepItFromAnotherClientHoweverManyWantItHere() {
        AtomicInteger acquired = new AtomicInteger();
        AtomicBoolean over = new AtomicBoolean();
        List<Threads.Going<Boolean>> busy = busy(acquired, over, false);

        List<Integer> overtaken = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            int before = acquired.get();
            other.advisory(KEY).timeout(LONG).run(() -> {
                overtaken.add(acquired.get() - before);
            });
        }
        over.set(true);

        assertThat(busy).allSatisfy(each -> assertThat(each.get()).isTrue());
        assertThat(median(overtaken)).as("overtaken, of " + overtaken).isLessThan(1_000);
    }

    @Test
    void doesNotKeepItFromASessionThatIsBlockedOnTheServer() {
        AtomicInteger acquired = new AtomicInteger();
        AtomicBoolean over = new AtomicBoolean();
        Session plain = scenario.session("plain");
        List<Threads.Going<Boolean>> busy = busy(acquired, over, false);

        List<Integer> overtaken = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            int before = acquired.get();
            plain.execute("select pg_advisory_lock(42)");
            overtaken.add(acquired.get() - before);
            plain.execute("select pg_advisory_unlock(42)");
        }
        over.set(true);

        assertThat(busy).allSatisfy(each -> assertThat(each.get()).isTrue());
        assertThat(median(overtaken)).as("overtaken, of " + overtaken).isLessThan(1_000);
    }

    @Test
    void doesNotKeepItFromAWriterElsewhereHoweverManyReadHere() {
        AtomicInteger acquired = new AtomicInteger();
        AtomicBoolean over = new AtomicBoolean();
        Session plain = scenario.session("plain");
        List<Threads.Going<Boolean>> busy = busy(acquired, over, true);

        for (int i = 0; i < 5; i++) {
            plain.execute("select pg_advisory_lock(42)", "select pg_advisory_unlock(42)");
            other.advisory(KEY).timeout(LONG).acquire().close();
        }
        over.set(true);

        assertThat(busy).allSatisfy(each -> assertThat(each.get()).isTrue());
    }
}
