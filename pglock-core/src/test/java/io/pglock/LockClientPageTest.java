// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.testkit.PostgresTest;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReadWriteLock;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;

/** What the page on LockClient shows, run. */
@PostgresTest
class LockClientPageTest {

    private final DataSource dataSource;
    private final AtomicInteger reports = new AtomicInteger();

    LockClientPageTest(DataSource dataSource) {
        this.dataSource = dataSource;
    }

    private void report() {
        reports.incrementAndGet();
    }

    @Test
    void create() {
        // docs: client-create
        try (LockClient client = LockClient.create(dataSource)) { // one for the application, kept open
            try (LockHandle lock = client.advisory("nightly-report").acquire()) {
                report();
            }
        }
        // end
        assertThat(reports).hasValue(1);
    }

    @Test
    void returnRaiseOrSkip() {
        try (LockClient client = LockClient.create(dataSource)) {
            // docs: client-forms
            ClientLock lock = client.advisory("account:17").timeout(Duration.ofSeconds(2));

            lock.run(() -> report()); // LockTimeoutException when somebody else has it for longer than 2s
            boolean ran = lock.tryRun(() -> report()); // skip
            Optional<LockHandle> handle = lock.tryAcquire(); // return
            handle.ifPresent(LockHandle::close);

            client.advisory("catalog").shared().run(() -> report()); // together with other readers
            // end
            assertThat(ran).isTrue();
            assertThat(handle).isPresent();
            assertThat(reports).hasValue(3);
        }
    }

    @Test
    void acquireSeveral() {
        try (LockClient client = LockClient.create(dataSource)) {
            // docs: client-several
            try (LockHandle both = client.acquireAll(LockKey.named("account:17"), LockKey.named("account:42"))) {
                report();
            }
            // end
            assertThat(reports).hasValue(1);
        }
    }

    @Test
    void acquireWithoutAThread() {
        try (LockClient client = LockClient.create(dataSource)) {
            // docs: client-async
            CompletableFuture<Void> reported = client.advisory("nightly-report")
                    .timeout(Duration.ofSeconds(10))
                    .acquireAsync()
                    .thenAccept(lock -> {
                        try (lock) {
                            report();
                        }
                    });
            // end
            assertThat(reported).succeedsWithin(Duration.ofSeconds(30));
            assertThat(reports).hasValue(1);
        }
    }

    @Test
    void asALockOfTheJdk() throws InterruptedException {
        try (LockClient client = LockClient.create(dataSource)) {
            // docs: client-jdk
            Lock lock = client.lock("nightly-report");
            if (lock.tryLock(2, TimeUnit.SECONDS)) {
                try {
                    report();
                } finally {
                    lock.unlock();
                }
            }
            ReadWriteLock catalog = client.readWriteLock("catalog"); // catalog.readLock(), catalog.writeLock()
            // end
            assertThat(catalog.readLock().tryLock()).isTrue();
            catalog.readLock().unlock();
            assertThat(reports).hasValue(1);
        }
    }

    private boolean hasWork() {
        return reports.get() < 2;
    }

    private void work(long token) {
        assertThat(token).isPositive();
        report();
    }

    private void stepDown() {
        reports.set(-1);
    }

    @Test
    void hearOfALoss() {
        try (LockClient client = LockClient.create(dataSource)) {
            // docs: client-lost
            try (LockHandle leader = client.advisory("leader").acquire().onLost(() -> stepDown())) {
                while (leader.isHeld() && hasWork()) { // no round trip
                    work(leader.fencingToken());
                }
            } // LockLostException when it was lost meanwhile
            // end
            assertThat(reports).hasValue(2);
        }
    }

    private void alert(String message) {
        throw new AssertionError(message);
    }

    @Test
    void setOptions() {
        // docs: client-options
        LockClient.Options options = LockClient.Options.defaults()
                .name("orders") // shown as application_name: "orders pglock"
                .heartbeat(Duration.ofSeconds(5))
                .maxLocks(10_000)
                .warnWhenHeldFor(Duration.ofMinutes(5))
                .listener(new LockListener() {
                    @Override
                    public void lost(Use lock, String why) {
                        alert(lock.keys() + " " + why);
                    }
                });
        // end
        try (LockClient client = LockClient.create(dataSource, options)) {
            client.advisory("nightly-report").run(() -> report());
            assertThat(client).hasToString(client.toString()).asString().contains("holds 0 of at most 10000");
        }
    }
}
