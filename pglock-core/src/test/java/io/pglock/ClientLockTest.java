// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

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
