// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Scenario;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReadWriteLock;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The locks of {@code java.util.concurrent}, held in PostgreSQL: what their Javadoc asks for. */
@PostgresTest
class ThreadLockTest {

    private static final String KEY = "leader";

    private final LockClient client;
    private final DataSource dataSource;
    private final Scenario scenario;
    private final Threads threads = new Threads();
    private final Lock lock;

    ThreadLockTest(DataSource dataSource, Scenario scenario) {
        this.dataSource = dataSource;
        this.scenario = scenario;
        this.client = LockClient.create(dataSource);
        this.lock = client.lock(KEY);
    }

    @AfterEach
    void close() {
        client.close();
        threads.close();
    }

    private boolean isFree() {
        return threads.get(() -> {
            boolean free = lock.tryLock();
            if (free) {
                lock.unlock();
            }
            return free;
        });
    }

    private void awaitWaiters(int number) {
        scenario.await(
                number + " to wait, of " + client, () -> client.toString().endsWith(", " + number + " waiting"));
    }

    // ---- lock and unlock --------------------------------------------------------------------------------------------

    @Test
    void isHeldUntilItIsUnlockedAsOftenAsLocked() {
        lock.lock();
        lock.lock();
        assertThat(lock.tryLock()).isTrue();
        assertThat(lock).hasToString(LockKey.named(KEY) + ", held by this thread");

        lock.unlock();
        lock.unlock();
        assertThat(isFree()).isFalse();
        lock.unlock();

        assertThat(isFree()).isTrue();
        assertThat(lock).hasToString(LockKey.named(KEY) + ", not held by this thread");
    }

    @Test
    void isTheSameLockInAllItsViews() {
        lock.lock();
        Lock another = client.lock(LockKey.named(KEY));

        another.lock();
        lock.unlock();
        assertThat(isFree()).isFalse();
        client.readWriteLock(KEY).writeLock().unlock();

        assertThat(isFree()).isTrue();
    }

    @Test
    void excludesOtherClientsAndHandles() {
        try (LockClient other = LockClient.create(dataSource)) {
            lock.lock();
            assertThat(other.lock(KEY).tryLock()).isFalse();
            assertThat(other.advisory(KEY).tryAcquire(Duration.ZERO)).isEmpty();
            lock.unlock();

            assertThat(other.lock(KEY).tryLock()).isTrue();
            assertThat(lock.tryLock()).isFalse();
            other.lock(KEY).unlock();
        }
    }

    @Test
    void isNotUnlockedByWhoeverDoesNotHoldIt() {
        assertThatExceptionOfType(IllegalMonitorStateException.class)
                .isThrownBy(lock::unlock)
                .withMessageContaining(KEY);

        lock.lock();
        threads.get(() -> {
            assertThatExceptionOfType(IllegalMonitorStateException.class)
                    .isThrownBy(lock::unlock)
                    .withMessageContaining(Thread.currentThread().getName() + " does not hold it");
            return true;
        });
        assertThat(isFree()).isFalse();
        lock.unlock();
        assertThatExceptionOfType(IllegalMonitorStateException.class).isThrownBy(lock::unlock);
        assertThat(isFree()).isTrue();
    }

    @Test
    void hasNoConditions() {
        assertThatExceptionOfType(UnsupportedOperationException.class)
                .isThrownBy(lock::newCondition)
                .withMessageContaining("conditions");
    }

    @Test
    void tellsWhoUnlocksItThatItWasLost() {
        lock.lock();
        lock.lock();
        LockHandle handle = client.advisory(KEY).acquire();
        scenario.session("operator")
                .execute("select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and objsubid = 1");
        scenario.await("the loss to be noticed", () -> !handle.isHeld());
        assertThatExceptionOfType(LockLostException.class).isThrownBy(handle::close);

        assertThatExceptionOfType(LockLostException.class).isThrownBy(lock::unlock);
        assertThatExceptionOfType(LockLostException.class).isThrownBy(lock::unlock);
        assertThatExceptionOfType(IllegalMonitorStateException.class).isThrownBy(lock::unlock);

        lock.lock();
        lock.unlock();
    }

    // ---- interrupts -------------------------------------------------------------------------------------------------

    @Test
    void isNotLockedInterruptiblyByAThreadThatIsInterruptedAlready() {
        threads.get(() -> {
            Thread.currentThread().interrupt();
            assertThatExceptionOfType(InterruptedException.class).isThrownBy(lock::lockInterruptibly);
            assertThat(Thread.currentThread().isInterrupted()).as("flag").isFalse();
            Thread.currentThread().interrupt();
            assertThatExceptionOfType(InterruptedException.class).isThrownBy(() -> lock.tryLock(1, TimeUnit.MINUTES));
            assertThat(Thread.currentThread().isInterrupted()).as("flag").isFalse();
            Thread.currentThread().interrupt();
            assertThatExceptionOfType(InterruptedException.class).isThrownBy(() -> lock.tryLock(0, TimeUnit.MINUTES));
            assertThat(Thread.currentThread().isInterrupted()).as("flag").isFalse();
            return true;
        });
        assertThat(isFree()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void isWaitedForInterruptibly(boolean timed) {
        lock.lock();
        Threads.Going<Boolean> waiting = threads.start(() -> {
            assertThatExceptionOfType(InterruptedException.class).isThrownBy(() -> {
                if (timed) {
                    lock.tryLock(1, TimeUnit.DAYS);
                } else {
                    lock.lockInterruptibly();
                }
            });
            return Thread.currentThread().isInterrupted();
        });
        awaitWaiters(1);
        waiting.interrupt();

        assertThat(waiting.get()).as("flag").isFalse();
        awaitWaiters(0);
        lock.unlock();
        assertThat(isFree()).isTrue();
    }

    @Test
    void goesOnWaitingInLockWhenInterruptedAndKeepsThat() {
        lock.lock();
        CountDownLatch interrupted = new CountDownLatch(1);
        Threads.Going<Boolean> waiting = threads.start(() -> {
            lock.lock();
            boolean flag = Thread.currentThread().isInterrupted();
            boolean late = interrupted.getCount() == 0;
            lock.unlock();
            return flag && late && Thread.interrupted();
        });
        awaitWaiters(1);
        waiting.interrupt();
        scenario.await("the interrupt to be taken in", () -> !waiting.isInterrupted());
        awaitWaiters(1);
        interrupted.countDown();
        lock.unlock();

        assertThat(waiting.get()).as("locked, and the flag kept").isTrue();
    }

    @Test
    void triesOnceWhateverTheInterruptFlagSays() {
        threads.get(() -> {
            Thread.currentThread().interrupt();
            assertThat(lock.tryLock()).isTrue();
            assertThat(Thread.interrupted()).as("flag").isTrue();
            assertThat(isFree()).isFalse();
            Thread.currentThread().interrupt();
            lock.unlock();
            assertThat(Thread.interrupted()).as("flag").isTrue();
            return true;
        });
        lock.lock();
        threads.get(() -> {
            Thread.currentThread().interrupt();
            assertThat(lock.tryLock()).isFalse();
            assertThat(Thread.interrupted()).as("flag").isTrue();
            return true;
        });
        lock.unlock();
    }

    // ---- times ------------------------------------------------------------------------------------------------------

    @Test
    void triesForAsLongAsItIsTold() {
        lock.lock();

        threads.get(() -> {
            long begun = System.nanoTime();
            assertThat(lock.tryLock(50, TimeUnit.MILLISECONDS)).isFalse();
            assertThat(System.nanoTime() - begun).isGreaterThanOrEqualTo(TimeUnit.MILLISECONDS.toNanos(50));
            assertThat(lock.tryLock(1, TimeUnit.NANOSECONDS)).isFalse();
            assertThat(lock.tryLock(0, TimeUnit.DAYS)).isFalse();
            assertThat(lock.tryLock(-1, TimeUnit.DAYS)).isFalse();
            assertThat(lock.tryLock(Long.MIN_VALUE, TimeUnit.DAYS)).isFalse();
            return true;
        });
        Threads.Going<Boolean> waiting = threads.start(() -> {
            boolean got = lock.tryLock(30, TimeUnit.SECONDS);
            lock.unlock();
            return got;
        });
        awaitWaiters(1);
        lock.unlock();
        assertThat(waiting.get()).isTrue();
    }

    @ParameterizedTest
    @EnumSource(TimeUnit.class)
    void takesTheLongestTimesThereAre(TimeUnit unit) throws InterruptedException {
        assertThat(lock.tryLock(Long.MAX_VALUE, unit)).isTrue();
        Threads.Going<Boolean> waiting = threads.start(() -> {
            boolean got = lock.tryLock(Long.MAX_VALUE, unit);
            lock.unlock();
            return got;
        });
        awaitWaiters(1);
        lock.unlock();

        assertThat(waiting.get()).isTrue();
        assertThat(isFree()).isTrue();
    }

    // ---- readers and writers ----------------------------------------------------------------------------------------

    @Test
    void letsReadersReadTogetherAndWritersWriteAlone() {
        ReadWriteLock both = client.readWriteLock(KEY);
        assertThat(both).hasToString(LockKey.named(KEY).toString());

        both.readLock().lock();
        both.readLock().lock();
        threads.get(() -> {
            assertThat(both.readLock().tryLock()).isTrue();
            both.readLock().unlock();
            assertThat(both.writeLock().tryLock()).isFalse();
            assertThatExceptionOfType(IllegalMonitorStateException.class).isThrownBy(both.readLock()::unlock);
            return true;
        });
        both.readLock().unlock();
        both.readLock().unlock();

        both.writeLock().lock();
        threads.get(() -> {
            assertThat(both.readLock().tryLock()).isFalse();
            assertThat(both.writeLock().tryLock()).isFalse();
            return true;
        });
        assertThatExceptionOfType(IllegalMonitorStateException.class).isThrownBy(both.readLock()::unlock);
        both.writeLock().unlock();
        assertThat(isFree()).isTrue();
    }

    @Test
    void letsAWriterBecomeAReaderWhomOthersJoin() {
        ReadWriteLock both = client.readWriteLock(KEY);
        try (LockClient other = LockClient.create(dataSource)) {
            Lock theirs = other.readWriteLock(KEY).readLock();
            both.writeLock().lock();
            both.readLock().lock();
            assertThat(theirs.tryLock()).isFalse();

            both.writeLock().unlock();

            scenario.await("another client to read, too", theirs::tryLock);
            threads.get(() -> {
                assertThat(both.readLock().tryLock()).isTrue();
                both.readLock().unlock();
                assertThat(both.writeLock().tryLock()).isFalse();
                return true;
            });
            assertThat(other.lock(KEY).tryLock()).isFalse();
            theirs.unlock();
            both.readLock().unlock();
            assertThat(isFree()).isTrue();
        }
    }

    @Test
    void letsNobodyWriteBetweenWritingAndReading() {
        ReadWriteLock both = client.readWriteLock(KEY);
        both.writeLock().lock();
        Threads.Going<Boolean> writer = threads.start(() -> {
            both.writeLock().lock();
            both.writeLock().unlock();
            return true;
        });
        awaitWaiters(1);

        both.readLock().lock();
        both.writeLock().unlock();
        assertThat(writer.isDone()).isFalse();
        assertThat(isFree()).isFalse();
        awaitWaiters(1);
        both.readLock().unlock();

        assertThat(writer.get()).isTrue();
    }

    @Test
    void refusesToMakeAReaderAWriter() {
        ReadWriteLock both = client.readWriteLock(KEY);
        both.readLock().lock();

        assertThatIllegalStateException().isThrownBy(both.writeLock()::lock).withMessageContaining("shared mode");
        assertThatIllegalStateException().isThrownBy(both.writeLock()::lockInterruptibly);
        assertThat(both.writeLock().tryLock()).isFalse();
        assertThatExceptionOfType(IllegalMonitorStateException.class).isThrownBy(both.writeLock()::unlock);
        assertThat(both.readLock().tryLock()).as("as before").isTrue();
        both.readLock().unlock();
        both.readLock().unlock();

        assertThat(isFree()).isTrue();
    }

    @Test
    void letsNoReaderOvertakeAWriterWhoWaits() {
        ReadWriteLock both = client.readWriteLock(KEY);
        List<String> order = new ArrayList<>();
        both.readLock().lock();
        Threads.Going<Boolean> writer = threads.start(() -> {
            both.writeLock().lock();
            order.add("writer");
            both.writeLock().unlock();
            return true;
        });
        awaitWaiters(1);
        Threads.Going<Boolean> reader = threads.start(() -> {
            both.readLock().lock();
            order.add("reader");
            both.readLock().unlock();
            return true;
        });
        awaitWaiters(2);
        assertThat(threads.get(() -> both.readLock().tryLock())).isFalse();
        both.readLock().unlock();

        assertThat(writer.get()).isTrue();
        assertThat(reader.get()).isTrue();
        assertThat(order).containsExactly("writer", "reader");
    }

    // ---- many threads -----------------------------------------------------------------------------------------------

    @Test
    void isGrantedInTheOrderInWhichItWasAskedFor() {
        List<Integer> order = new ArrayList<>();
        List<Integer> asked = new ArrayList<>();
        List<Threads.Going<Boolean>> waiting = new ArrayList<>();
        lock.lock();
        for (int i = 1; i <= 20; i++) {
            int number = i;
            asked.add(number);
            waiting.add(threads.start(() -> {
                lock.lock();
                order.add(number);
                lock.unlock();
                return true;
            }));
            awaitWaiters(number);
        }
        lock.unlock();

        assertThat(waiting).allSatisfy(each -> assertThat(each.get()).isTrue());
        assertThat(order).isEqualTo(asked);
    }

    @Test
    void guardsABoundedBufferAsAnyOtherLock() {
        BoundedBuffer buffer = new BoundedBuffer(client.lock("buffer"));
        List<Future<Long>> producers = new ArrayList<>();
        List<Future<Long>> consumers = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            int from = i * 100;
            producers.add(threads.start(() -> {
                for (int item = from; item < from + 100; item++) {
                    buffer.put(item);
                }
                return 0L;
            }));
            consumers.add(threads.start(() -> {
                long sum = 0;
                for (int taken = 0; taken < 100; taken++) {
                    sum += buffer.take();
                }
                return sum;
            }));
        }

        assertThat(producers.stream().map(Threads::await).toList()).containsOnly(0L);
        assertThat(consumers.stream().mapToLong(Threads::await).sum()).isEqualTo(400L * 399 / 2);
        assertThat(buffer.isEmpty()).isTrue();
    }

    /** Written for one thread at a time; without conditions those who have to wait look again. */
    private static final class BoundedBuffer {

        private final Lock lock;
        private final List<Integer> items = new ArrayList<>();

        BoundedBuffer(Lock lock) {
            this.lock = lock;
        }

        void put(int item) {
            while (true) {
                lock.lock();
                try {
                    if (items.size() < 5) {
                        items.add(item);
                        return;
                    }
                } finally {
                    lock.unlock();
                }
            }
        }

        int take() {
            while (true) {
                lock.lock();
                try {
                    if (!items.isEmpty()) {
                        return items.remove(0);
                    }
                } finally {
                    lock.unlock();
                }
            }
        }

        boolean isEmpty() {
            return items.isEmpty();
        }
    }
}
