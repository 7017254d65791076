// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Scenario;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import javax.sql.DataSource;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordedFrame;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledForJreRange;
import org.junit.jupiter.api.condition.JRE;
import org.junit.jupiter.api.io.TempDir;

/** A client whose callers are virtual threads. They are reached by reflection, because pglock is compiled for Java 17. */
@PostgresTest
@EnabledForJreRange(min = JRE.JAVA_21, disabledReason = "Virtual threads came with Java 21.")
class VirtualThreadTest {

    private static final int MANY = 10_000;
    private static final long LONGEST_SECONDS = 60;

    private final LockClient client;
    private final LockClient other;
    private final Scenario scenario;

    VirtualThreadTest(DataSource dataSource, Scenario scenario) {
        this.scenario = scenario;
        this.client =
                LockClient.create(dataSource, LockClient.Options.defaults().maxLocks(MANY));
        this.other = LockClient.create(dataSource);
    }

    @AfterEach
    void close() {
        client.close();
        other.close();
    }

    private static Thread startVirtual(Runnable work) {
        try {
            return (Thread)
                    Thread.class.getMethod("startVirtualThread", Runnable.class).invoke(null, work);
        } catch (ReflectiveOperationException e) {
            throw new LinkageError("no virtual threads on " + Runtime.version(), e);
        }
    }

    private static void await(CountDownLatch latch, String what) {
        try {
            assertThat(latch.await(LONGEST_SECONDS, TimeUnit.SECONDS)).as(what).isTrue();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static void join(Thread thread) throws InterruptedException {
        thread.join(TimeUnit.SECONDS.toMillis(LONGEST_SECONDS));
        assertThat(thread.isAlive()).as(thread + " still runs").isFalse();
    }

    private int held() throws SQLException {
        return Integer.parseInt(Held.column(
                        scenario.observer(),
                        "select count(*) from pg_locks where locktype = 'advisory' and granted and objsubid = 2 and classid = 7")
                .get(0));
    }

    @Test
    void takesAndReleasesTenThousandLocksAtOnce() throws SQLException, InterruptedException {
        CountDownLatch allHold = new CountDownLatch(MANY);
        CountDownLatch release = new CountDownLatch(1);
        AtomicInteger failed = new AtomicInteger();
        AtomicReference<Throwable> failure = new AtomicReference<>();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < MANY; i++) {
            LockKey key = LockKey.of(7, i);
            threads.add(startVirtual(() -> {
                try (LockHandle lock = client.advisory(key).acquire()) {
                    allHold.countDown();
                    release.await();
                    assertThat(lock.isHeld()).isTrue();
                } catch (Throwable e) {
                    failed.incrementAndGet();
                    failure.set(e);
                    allHold.countDown();
                }
            }));
        }

        await(allHold, "all to hold their locks");
        assertThat(held()).isEqualTo(MANY);
        assertThat(client).asString().contains("holds " + MANY + " of at most " + MANY);
        release.countDown();
        for (Thread thread : threads) {
            join(thread);
        }

        assertThat(failure).hasNullValue();
        assertThat(failed).hasValue(0);
        assertThat(held()).isZero();
    }

    @Test
    void leavesAllOtherLocksAloneWhenAWaitingThreadIsInterrupted() throws SQLException, InterruptedException {
        AtomicInteger lost = new AtomicInteger();
        List<LockHandle> locks = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            locks.add(client.advisory(LockKey.of(7, i)).acquire().onLost(lost::incrementAndGet));
        }
        LockHandle elsewhere = other.advisory(LockKey.of(7, 100)).acquire();
        List<Thread> waiting = new ArrayList<>();
        AtomicInteger interrupted = new AtomicInteger();
        for (int i = 0; i < 20; i++) {
            LockKey key = LockKey.of(7, i % 2 == 0 ? 100 : 50);
            waiting.add(startVirtual(() -> {
                try {
                    client.advisory(key).acquire().close();
                } catch (LockInterruptedException e) {
                    interrupted.addAndGet(Thread.currentThread().isInterrupted() ? 1 : 0);
                }
            }));
        }
        scenario.await("all to wait, of " + client, () -> client.toString().endsWith(", 20 waiting"));

        waiting.forEach(Thread::interrupt);
        for (Thread thread : waiting) {
            join(thread);
        }

        assertThat(interrupted).hasValue(20);
        assertThat(locks).allSatisfy(lock -> assertThat(lock.isHeld()).isTrue());
        assertThat(held()).isEqualTo(101);
        elsewhere.close();
        locks.forEach(LockHandle::close);
        assertThat(lost).hasValue(0);
        assertThat(held()).isZero();
    }

    @Test
    void pinsNoCarrierThread(@TempDir Path folder) throws IOException, InterruptedException {
        List<RecordedEvent> pinned = pinnedDuring(folder, () -> {
            work(0); // the JVM links what writes the first event of a kind in a native frame, which pins whoever
            // waits for it
            List<Thread> threads = new ArrayList<>();
            AtomicInteger rounds = new AtomicInteger();
            for (int i = 0; i < 500; i++) {
                int number = i;
                threads.add(startVirtual(() -> {
                    for (int round = 0; round < 5; round++) {
                        work(number);
                        rounds.incrementAndGet();
                    }
                }));
            }
            for (Thread thread : threads) {
                join(thread);
            }
            assertThat(rounds).hasValue(2_500);
            join(startVirtual(Pinning::parked));
        });

        assertThat(pinned)
                .as("the recording sees those who are pinned")
                .anyMatch(event -> frames(event).anyMatch(Pinning.class.getName()::equals));
        assertThat(pinned)
                .filteredOn(event -> frames(event)
                        .anyMatch(name ->
                                name.startsWith("io.pglock.") && !name.startsWith(VirtualThreadTest.class.getName())))
                .isEmpty();
    }

    /** Whoever parks in its initializer pins its carrier thread. */
    private static final class Pinning {

        static {
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
        }

        static void parked() {}
    }

    /** What an application does with a client: alone and in each other's way, in every mode. */
    private void work(int number) {
        try (LockHandle own = client.advisory(LockKey.of(7, number)).acquire().onLost(() -> {});
                LockHandle wanted = client.advisory("wanted")
                        .timeout(Duration.ofSeconds(LONGEST_SECONDS))
                        .acquire()) {
            own.fencingToken();
            assertThat(wanted.isHeld()).isTrue();
        }
        client.advisory("read").shared().run(() -> {});
        client.advisory("tried").tryAcquire(Duration.ofMillis(1)).ifPresent(LockHandle::close);
        client.acquireAll(LockKey.of(8, number), LockKey.of(9, number)).close();
        client.lock("view").lock();
        client.lock("view").unlock();
        client.advisory(LockKey.of(10, number)).acquireAsync().join().close();
    }

    @FunctionalInterface
    private interface Busy {
        void run() throws InterruptedException;
    }

    private static List<RecordedEvent> pinnedDuring(Path folder, Busy work) throws IOException, InterruptedException {
        Path file = folder.resolve("pinned.jfr");
        try (Recording recording = new Recording()) {
            recording
                    .enable("jdk.VirtualThreadPinned")
                    .withThreshold(Duration.ZERO)
                    .withStackTrace();
            recording.start();
            work.run();
            recording.stop();
            recording.dump(file);
        }
        assertThat(Files.exists(file)).isTrue();
        return RecordingFile.readAllEvents(file).stream()
                .filter(event -> event.getEventType().getName().equals("jdk.VirtualThreadPinned"))
                .toList();
    }

    private static Stream<String> frames(RecordedEvent event) {
        return event.getStackTrace() == null
                ? Stream.of()
                : event.getStackTrace().getFrames().stream()
                        .map(RecordedFrame::getMethod)
                        .map(method -> method.getType().getName());
    }
}
