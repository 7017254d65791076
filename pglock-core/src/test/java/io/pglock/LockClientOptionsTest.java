// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.time.Duration;
import java.util.Arrays;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a client may be told when it is made, and what it tells in return: to its listener, in the log, in messages. */
@PostgresTest
@Timeout(60)
class LockClientOptionsTest {

    private static final LockClient.Options DEFAULTS = LockClient.Options.defaults();
    private static final LockKey KEY = LockKey.of(1);

    private final DataSource dataSource;
    private final Scenario scenario;
    private final RecordedLog log = new RecordedLog();

    LockClientOptionsTest(DataSource dataSource, Scenario scenario) {
        this.dataSource = dataSource;
        this.scenario = scenario;
    }

    @AfterEach
    void listenNoMore() {
        log.close();
    }

    /** What a listener was told, in one line each. */
    private static final class Told implements LockListener {
        private final Queue<String> lines = new ConcurrentLinkedQueue<>();
        private final Queue<Use> uses = new ConcurrentLinkedQueue<>();
        private final Queue<Throwable> suspicions = new ConcurrentLinkedQueue<>();

        private void add(String what, Use lock) {
            uses.add(lock);
            lines.add(what + " " + lock.keys() + (lock.shared() ? " shared" : "") + " for " + lock.owner() + " on "
                    + Thread.currentThread().getName());
        }

        @Override
        public void acquired(Use lock) {
            add("acquired", lock);
        }

        @Override
        public void notAcquired(Use lock) {
            add("not acquired", lock);
        }

        @Override
        public void released(Use lock) {
            add("released", lock);
        }

        @Override
        public void lost(Use lock, String why) {
            add("lost, " + why, lock);
        }

        @Override
        public void suspected(Use lock, Throwable acquiredAt) {
            add("suspected", lock);
            suspicions.add(acquiredAt);
        }
    }

    @Test
    void refusesWhatMakesNoSense() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> DEFAULTS.heartbeat(Duration.ofMillis(199)))
                .withMessageContaining("between 200ms and 1h, not 199ms");
        assertThatIllegalArgumentException().isThrownBy(() -> DEFAULTS.heartbeat(Duration.ofMinutes(61)));
        assertThatIllegalArgumentException().isThrownBy(() -> DEFAULTS.heartbeat(Duration.ofSeconds(Long.MAX_VALUE)));
        assertThatIllegalArgumentException().isThrownBy(() -> DEFAULTS.heartbeat(Duration.ofSeconds(-1)));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> DEFAULTS.maxLocks(0))
                .withMessageContaining("one lock at least, not 0");
        assertThatIllegalArgumentException().isThrownBy(() -> DEFAULTS.maxLocks(-1));
        assertThatIllegalArgumentException().isThrownBy(() -> DEFAULTS.warnWhenHeldFor(Duration.ZERO));
        assertThatIllegalArgumentException().isThrownBy(() -> DEFAULTS.warnWhenHeldFor(Duration.ofMillis(-1)));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> DEFAULTS.warnWhenHeldFor(Duration.ofSeconds(Long.MAX_VALUE)))
                .withMessageContaining("is 292 years, not PT");
        assertThat(DEFAULTS.heartbeat(Duration.ofMillis(200)).maxLocks(1)).isNotSameAs(DEFAULTS);
    }

    @Test
    void saysHowManyLocksThereMayBeAndWhy() {
        try (LockClient client = LockClient.create(dataSource, DEFAULTS.maxLocks(3))) {
            LockHandle held = client.acquireAll(LockKey.of(1), LockKey.of(2));
            assertThatExceptionOfType(PgLockException.class)
                    .isThrownBy(() -> client.acquireAll(LockKey.of(3), LockKey.of(4)))
                    .withMessageStartingWith("3: not acquired. This client holds or waits for 2 locks, and may have 3"
                            + " (LockClient.Options.maxLocks). The server has room for about ")
                    .withMessageContaining("max_locks_per_transaction (")
                    .withMessageContaining("times max_connections");
            try (LockHandle third = client.acquireAll(LockKey.of(2), LockKey.of(3))) {
                assertThat(third.isHeld()).isTrue();
            }
            client.advisory(KEY).acquire().close();
            held.close();
            client.acquireAll(LockKey.of(3), LockKey.of(4), LockKey.of(5)).close();
        }
    }

    @Test
    void tellsItsListenerWhatBecomesOfEveryRequest() throws Exception {
        Told told = new Told();
        Session web = scenario.session("web");
        web.execute("select pg_advisory_lock(2)");
        try (LockClient client =
                LockClient.create(dataSource, DEFAULTS.name("shop").listener(told))) {
            String me = " on " + Thread.currentThread().getName();
            client.advisory(KEY).shared().owner("job 7").acquire().close();
            assertThat(told.lines)
                    .containsExactly("acquired [1] shared for job 7" + me, "released [1] shared for job 7" + me);
            assertThat(told.uses).last().satisfies(use -> assertThat(use.held()).isPositive());

            told.lines.clear();
            assertThat(client.advisory(LockKey.of(2), KEY).owner("job 8").tryAcquire(Duration.ofMillis(20)))
                    .isEmpty();
            assertThat(told.lines).containsExactly("not acquired [1, 2] for job 8" + me);
            assertThat(told.uses).last().satisfies(use -> {
                assertThat(use.held()).isZero();
                assertThat(use.waited()).isBetween(Duration.ofMillis(20), Duration.ofSeconds(10));
            });

            told.lines.clear();
            CompletableFuture<LockHandle> async = client.advisory(KEY).acquireAsync();
            async.join();
            assertThat(told.lines)
                    .singleElement()
                    .asString()
                    .startsWith("acquired [1] for an asynchronous request on pglock-told-");

            told.lines.clear();
            ClientSession.of(scenario, "shop").terminate();
            scenario.await("the loss to be told", () -> !told.lines.isEmpty());
            assertThat(told.lines)
                    .singleElement()
                    .asString()
                    .startsWith("lost, The connection of pglock-")
                    .contains("is lost, and with it every lock that it held: ")
                    .contains(" [1] for an asynchronous request on pglock-told-");
            assertThatExceptionOfType(LockLostException.class).isThrownBy(async.join()::close);
            assertThat(told.lines).hasSize(1);
        }
    }

    @Test
    void aListenerThatFailsChangesNothing() {
        LockListener failing = new LockListener() {
            @Override
            public void acquired(Use lock) {
                throw new IllegalStateException("one that fails");
            }

            @Override
            public void released(Use lock) {
                throw new AssertionError("one that fails badly");
            }
        };
        try (LockClient client = LockClient.create(dataSource, DEFAULTS.listener(failing))) {
            client.advisory(KEY).acquire().close();

            assertThat(client.toString()).contains("holds 0");
        }
        assertThat(log.records())
                .filteredOn(entry -> entry.getMessage().matches("The listener of pglock-\\d+ failed"))
                .hasSize(2);
    }

    @Test
    void warnsOfALockThatIsHeldForTooLongAndShowsWhoTookIt() {
        Told told = new Told();
        try (LockClient client = LockClient.create(
                dataSource, DEFAULTS.warnWhenHeldFor(Duration.ofMillis(200)).listener(told))) {
            LockHandle forLong = takenHere(client);
            client.advisory("for a moment").acquire().close();

            scenario.await("the warning", () -> !told.suspicions.isEmpty());

            assertThat(told.suspicions).singleElement().satisfies(suspicion -> {
                assertThat(suspicion).hasMessage("1: has been held for more than 200ms. It was acquired here:");
                assertShowsWhoTookIt(suspicion);
            });
            assertThat(log.records())
                    .filteredOn(entry -> entry.getMessage().startsWith("1: has been held"))
                    .singleElement()
                    .satisfies(entry -> assertShowsWhoTookIt(entry.getThrown()));
            assertThat(forLong.isHeld()).isTrue();
            forLong.close();
        }
    }

    private static LockHandle takenHere(LockClient client) {
        return client.advisory(KEY).acquire();
    }

    private static void assertShowsWhoTookIt(Throwable suspicion) {
        assertThat(Arrays.stream(suspicion.getStackTrace()).map(StackTraceElement::getMethodName))
                .contains("takenHere");
    }

    @Test
    void warnsOfAHandleThatWasForgotten() throws Exception {
        Told told = new Told();
        try (LockClient client = LockClient.create(
                dataSource,
                DEFAULTS.name("shop").warnWhenHeldFor(Duration.ofHours(1)).listener(told))) {
            takenHere(client);

            scenario.await("the warning", () -> {
                System.gc();
                return !told.suspicions.isEmpty();
            });

            assertThat(told.suspicions).singleElement().satisfies(suspicion -> {
                assertThat(suspicion).hasMessageStartingWith("1: its handle is gone, and was not closed.");
                assertShowsWhoTookIt(suspicion);
            });
            assertThat(ClientSession.of(scenario, "shop").locks()).containsExactly("1");
        }
    }

    @Test
    void readsWellForAnOperator() {
        try (LockClient client = LockClient.create(dataSource, DEFAULTS.maxLocks(50))) {
            assertThat(client.toString()).matches("pglock-\\d+, pid \\d+: holds 0 of at most 50, 0 waiting");
            LockKey report = LockKey.named("nightly-report");
            assertThat(client.advisory(report)).hasToString("nightly-report (-8663603374018903193)");
            assertThat(client.advisory(KEY, LockKey.of(2, 3)).shared()).hasToString("1 and (2, 3), shared");

            LockHandle handle = client.advisory(report).shared().owner("job 7").acquire();
            assertThat(handle).hasToString("nightly-report (-8663603374018903193), shared, held");
            assertThat(client.toString())
                    .matches(
                            "pglock-\\d+, pid \\d+: holds 1 of at most 50 \\(nightly-report \\(-8663603374018903193\\) by"
                                    + " job 7\\), 0 waiting");
            LockHandle mine = client.advisory(KEY).acquire();
            assertThat(client.toString())
                    .contains("1 by thread " + Thread.currentThread().getName());
            handle.close();
            assertThat(handle).hasToString("nightly-report (-8663603374018903193), shared, not held");
            mine.close();
        }
    }

    @Test
    void saysWhoIsInTheWay() {
        Session web = scenario.session("web");
        web.execute("select pg_advisory_lock(2)");
        try (LockClient client = LockClient.create(dataSource);
                LockClient other = LockClient.create(dataSource, DEFAULTS.name("shop"));
                LockHandle held = client.advisory(KEY).acquire();
                LockHandle far = other.advisory(LockKey.of(3)).acquire()) {
            assertThat(timeout(client.advisory(KEY).owner("somebody else")))
                    .isEqualTo("1: not acquired within 50ms, held in this JVM by thread "
                            + Thread.currentThread().getName() + ". Try again when it is released, or wait longer.");
            assertThat(timeout(client.advisory(KEY, LockKey.of(4)).owner("somebody else")))
                    .startsWith("1 and 4: not acquired within 50ms, 1 is held in this JVM by thread ");
            assertThat(timeout(client.advisory(LockKey.of(2))))
                    .startsWith("2: not acquired within 50ms, blocked by pid " + web.pid() + " (web, idle for ")
                    .endsWith("or end it: select pg_terminate_backend(" + web.pid() + ").");
            assertThat(timeout(client.advisory(LockKey.of(2)).shared()))
                    .startsWith("2: shared lock not acquired within 50ms, blocked by pid ");
            assertThat(timeout(client.advisory(far.key())))
                    .startsWith("3: not acquired within 50ms, blocked by pid ")
                    .contains("(shop pglock, ")
                    .endsWith(
                            "It is the session of a LockClient, with all locks of that application: try again when this"
                                    + " one is released.")
                    .doesNotContain("pg_terminate_backend");
            assertThat(timeout(client.advisory(KEY, LockKey.of(2))))
                    .as("that it holds one of them itself is not in the way")
                    .startsWith("1 and 2: not acquired within 50ms, blocked by pid " + web.pid() + " (web, ");
            assertThat(held.isHeld()).isTrue();
        }
    }

    private static String timeout(ClientLock request) {
        try {
            request.timeout(Duration.ofMillis(50)).acquire().close();
            throw new AssertionError(request + " was acquired");
        } catch (LockTimeoutException e) {
            return e.getMessage();
        }
    }

    @Test
    void refusesARequestForNothing() {
        try (LockClient client = LockClient.create(dataSource)) {
            assertThatIllegalArgumentException().isThrownBy(client::acquireAll).withMessageContaining("name a key");
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> client.advisory(KEY).timeout(Duration.ofMillis(-1)));
            try (LockHandle shared = client.advisory(KEY).shared().acquire()) {
                assertThatIllegalStateException()
                        .isThrownBy(() -> client.advisory(KEY).acquire())
                        .withMessageContaining(shared.key() + ": its owner holds it in shared mode");
            }
        }
    }
}
