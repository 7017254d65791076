// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Scenario;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Several locks at once: all or none. */
@PostgresTest
class AcquireAllTest {

    private static final LockKey ONE = LockKey.of(1);
    private static final LockKey TWO = LockKey.of(2);
    private static final LockKey THREE = LockKey.of(3);
    private static final LockKey PAIR = LockKey.of(0, 2);
    private static final Duration SOON = Duration.ofMillis(50);
    private static final Duration LONG = Duration.ofSeconds(30);

    private final DataSource dataSource;
    private final LockClient client;
    private final LockClient other;
    private final Scenario scenario;
    private final Threads threads = new Threads();

    AcquireAllTest(DataSource dataSource, Scenario scenario) {
        this.dataSource = dataSource;
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

    /** What anybody holds: {@code 1}, {@code 1 shared}, {@code 0/2}. How clients let each other know that they wait is left out. */
    private List<String> held() throws SQLException {
        return Held.column(
                scenario.observer(),
                "select case objsubid when 1 then '' else classid || '/' end || objid"
                        + " || case mode when 'ShareLock' then ' shared' else '' end"
                        + " from pg_locks where locktype = 'advisory' and granted and classid = 0"
                        + " and database = (select oid from pg_database where datname = current_database())"
                        + " order by objsubid, objid");
    }

    private void awaitHeld(String... keys) {
        scenario.await("these to be held: " + Arrays.toString(keys), () -> held().equals(List.of(keys)));
    }

    private void awaitWaiting(LockClient who) {
        scenario.await("one to wait, of " + who, () -> who.toString().endsWith(", 1 waiting"));
    }

    @Test
    void takesThemAllInTheSameOrderForEverybody() throws SQLException {
        try (LockHandle all = client.acquireAll(PAIR, THREE, ONE, TWO)) {
            assertThat(all.keys()).containsExactly(ONE, TWO, THREE, PAIR);
            assertThat(all.key()).isEqualTo(ONE);
            assertThat(all.isHeld()).isTrue();
            assertThat(all).hasToString("1 and 2 and 3 and (0, 2), held");
            assertThat(held()).containsExactly("1", "2", "3", "0/2");
        }
        assertThat(held()).isEmpty();
    }

    @Test
    void takesOneThatIsNamedTwiceOnce() throws SQLException {
        try (LockHandle all = client.acquireAll(TWO, ONE, TWO, LockKey.of(1))) {
            assertThat(all.keys()).containsExactly(ONE, TWO);
            assertThat(held()).containsExactly("1", "2");
        }
        try (LockHandle one = client.acquireAll(ONE, ONE)) {
            assertThat(one.keys()).containsExactly(ONE);
            assertThat(held()).containsExactly("1");
        }
        assertThat(held()).isEmpty();
    }

    @Test
    void takesASingleOneAndRefusesNone() throws SQLException {
        try (LockHandle one = client.acquireAll(PAIR)) {
            assertThat(one.keys()).containsExactly(PAIR);
            assertThat(held()).containsExactly("0/2");
        }
        assertThatIllegalArgumentException().isThrownBy(client::acquireAll).withMessageContaining("name a key");
    }

    @Test
    void holdsNoneWhileOneIsHeldElsewhere() throws SQLException {
        LockHandle elsewhere = other.advisory(THREE).acquire();

        Threads.Going<LockHandle> waiting = threads.start(() -> client.acquireAll(ONE, TWO, THREE, PAIR));
        awaitWaiting(client);
        awaitHeld("3");
        for (int i = 0; i < 20; i++) {
            // whoever wants one of the others gets it
            other.acquireAll(ONE, TWO, PAIR).close();
            other.advisory(ONE).timeout(LONG).acquire().close();
        }
        awaitHeld("3");
        assertThat(waiting.isDone()).isFalse();
        elsewhere.close();

        LockHandle all = waiting.get();
        assertThat(held()).containsExactly("1", "2", "3", "0/2");
        all.close();
        assertThat(held()).isEmpty();
    }

    @Test
    void holdsNoneWhileOneIsHeldByAnotherOwnerOfTheSameClient() throws SQLException {
        LockHandle mine = client.advisory(TWO).acquire();

        Threads.Going<LockHandle> waiting = threads.start(() -> client.acquireAll(ONE, TWO));
        awaitWaiting(client);
        assertThat(held()).containsExactly("2");
        client.advisory(ONE).tryAcquire(Duration.ZERO).orElseThrow().close();
        assertThat(waiting.isDone()).isFalse();
        mine.close();

        LockHandle all = waiting.get();
        assertThat(held()).containsExactly("1", "2");
        all.close();
    }

    @Test
    void saysWhoIsInTheWayWhenItsTimeIsOver() {
        try (LockHandle elsewhere = other.advisory(THREE).acquire()) {
            assertThat(elsewhere.isHeld()).isTrue();
            ClientLock request = client.advisory(ONE, TWO, THREE);
            assertThat(request.tryAcquire(Duration.ZERO)).isEmpty();
            assertThat(request.tryAcquire(SOON)).isEmpty();
            assertThatExceptionOfType(LockTimeoutException.class)
                    .isThrownBy(request.timeout(SOON)::acquire)
                    .withMessageStartingWith("1 and 2 and 3: not acquired within 50ms")
                    .withMessageContaining("blocked by pid ");
            threads.get(() -> {
                assertThat(other.advisory(TWO, THREE).tryAcquire(Duration.ZERO)).isEmpty();
                assertThatExceptionOfType(LockTimeoutException.class)
                        .isThrownBy(other.advisory(TWO, THREE).timeout(SOON)::acquire)
                        .withMessageStartingWith("2 and 3: not acquired within 50ms, 3 is held in this JVM by thread ");
                return true;
            });
        }
        awaitHeld();
    }

    @Test
    void neverDeadlocksInWhateverOrderTheyAreNamed() throws SQLException {
        int[] guarded = new int[5];
        AtomicInteger expected = new AtomicInteger();
        List<Threads.Going<Integer>> working = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            LockClient mine = i % 2 == 0 ? client : other;
            Random random = new Random(i);
            working.add(threads.start(() -> {
                for (int round = 0; round < 40; round++) {
                    List<Integer> numbers = new ArrayList<>(List.of(0, 1, 2, 3, 4));
                    Collections.shuffle(numbers, random);
                    List<Integer> mineNow = numbers.subList(0, 2 + random.nextInt(2));
                    LockKey[] keys = mineNow.stream().map(LockKey::of).toArray(LockKey[]::new);
                    try (LockHandle all = mine.acquireAll(keys)) {
                        assertThat(all.isHeld()).isTrue();
                        mineNow.forEach(number -> guarded[number]++);
                        expected.addAndGet(mineNow.size());
                    }
                }
                return 40;
            }));
        }

        assertThat(working.stream().mapToInt(Threads::await).sum()).isEqualTo(320);
        assertThat(Arrays.stream(guarded).sum()).isEqualTo(expected.get());
        assertThat(held()).isEmpty();
    }

    @Test
    void areHeldTogetherInSharedMode() throws SQLException {
        try (LockHandle mine = client.advisory(ONE, PAIR).shared().acquire();
                LockHandle theirs = other.advisory(PAIR, TWO).shared().acquire()) {
            assertThat(mine.isShared()).isTrue();
            assertThat(theirs.isShared()).isTrue();
            assertThat(held()).containsExactly("1 shared", "2 shared", "0/2 shared", "0/2 shared");
            assertThat(threads.get(() -> other.advisory(ONE, THREE).tryAcquire(SOON)))
                    .isEmpty();
        }
        awaitHeld();
    }

    @Test
    void areHeldTogetherWithOtherReadersOfTheSameClient() throws SQLException {
        LockHandle one = client.advisory(ONE).shared().acquire();
        LockHandle set = elsewhere(() -> client.advisory(ONE, TWO).shared().tryAcquire(SOON))
                .orElseThrow();
        LockHandle overlapping = elsewhere(
                        () -> client.advisory(TWO, PAIR).shared().tryAcquire(Duration.ZERO))
                .orElseThrow();
        LockHandle within = elsewhere(() -> client.advisory(ONE, TWO).shared().tryAcquire(Duration.ZERO))
                .orElseThrow();
        LockHandle single = elsewhere(() -> client.advisory(PAIR).shared().tryAcquire(Duration.ZERO))
                .orElseThrow();
        assertThat(held()).containsExactly("1 shared", "2 shared", "0/2 shared");

        one.close();
        set.close();
        assertThat(held()).containsExactly("1 shared", "2 shared", "0/2 shared");
        within.close();
        assertThat(held()).containsExactly("2 shared", "0/2 shared");
        overlapping.close();
        assertThat(held()).containsExactly("0/2 shared");
        single.close();
        assertThat(held()).isEmpty();
        try (LockHandle all = other.acquireAll(ONE, TWO, PAIR)) {
            assertThat(all.isHeld()).isTrue();
        }
    }

    @Test
    void areNotInTheWayOfOneAnotherInSharedMode() {
        LockHandle reading = client.advisory(ONE).shared().acquire();
        LockHandle writing = other.advisory(TWO).acquire();

        elsewhere(() -> assertThatExceptionOfType(LockTimeoutException.class)
                .isThrownBy(client.advisory(ONE, TWO).shared().timeout(SOON)::acquire)
                .withMessageStartingWith("1 and 2: shared lock not acquired within 50ms, blocked by pid "));

        writing.close();
        elsewhere(() -> client.advisory(ONE, TWO).shared().tryAcquire(LONG))
                .orElseThrow()
                .close();
        reading.close();
        awaitHeld();
    }

    /** One after the other comes in while the one before is still reading. */
    @Test
    void letWritersThroughWhereManyReadAllTheTime() {
        AtomicBoolean over = new AtomicBoolean();
        AtomicInteger acquired = new AtomicInteger();
        Semaphore overlapping = new Semaphore(1);
        List<Threads.Going<Boolean>> reading = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            LockKey second = i % 2 == 0 ? TWO : THREE;
            reading.add(threads.start(() -> {
                while (!over.get()) {
                    try (LockHandle set = client.advisory(ONE, second).shared().acquire()) {
                        acquired.incrementAndGet();
                        // until the next one has come in, or cannot
                        overlapping.release();
                        overlapping.tryAcquire(2, 20, TimeUnit.MILLISECONDS);
                        assertThat(set.isHeld()).isTrue();
                    }
                }
                return true;
            }));
        }
        scenario.await("all to be busy", () -> acquired.get() > 100);

        int got = 0;
        for (LockClient mine : List.of(client, other, client, other)) {
            got += mine.advisory(ONE).timeout(LONG).tryRun(() -> acquired.set(0)) ? 1 : 0;
            scenario.await("the readers to be back", () -> acquired.get() > 10);
            try (LockHandle all = mine.advisory(ONE, TWO, THREE).timeout(LONG).acquire()) {
                got += all.isHeld() ? 1 : 0;
            }
        }
        over.set(true);

        assertThat(got).isEqualTo(8);
        assertThat(reading).allSatisfy(each -> assertThat(each.get()).isTrue());
        awaitHeld();
    }

    private <T> T elsewhere(Callable<T> work) {
        return threads.get(work);
    }

    @Test
    void areReEntrantOneByOne() throws SQLException {
        LockHandle one = client.advisory(ONE).acquire();
        LockHandle both = client.acquireAll(ONE, TWO);
        LockHandle two = client.advisory(TWO).acquire();
        assertThat(held()).containsExactly("1", "2");

        both.close();
        assertThat(held()).containsExactly("1", "2");
        one.close();
        assertThat(held()).containsExactly("2");
        two.close();
        assertThat(held()).isEmpty();

        try (LockHandle reading = client.advisory(ONE).shared().acquire()) {
            assertThatIllegalStateException().isThrownBy(() -> client.acquireAll(ONE, TWO));
            assertThat(reading.isHeld()).isTrue();
        }
    }

    @Test
    void areCountedAgainstTheMostLocksThatTheClientMayHave() throws SQLException {
        try (LockClient small =
                LockClient.create(dataSource, LockClient.Options.defaults().maxLocks(3))) {
            assertThatExceptionOfType(PgLockException.class)
                    .isThrownBy(() -> small.acquireAll(ONE, TWO, THREE, PAIR))
                    .withMessageContaining("may have 3");
            LockHandle all = small.acquireAll(ONE, TWO, THREE);
            small.acquireAll(ONE, THREE).close();
            assertThatExceptionOfType(PgLockException.class)
                    .isThrownBy(() -> small.acquireAll(ONE, PAIR))
                    .withMessageContaining("maxLocks");
            all.close();
            small.acquireAll(ONE, TWO, PAIR).close();
            assertThat(held()).isEmpty();
        }
    }

    @Test
    void areLostTogetherAndToldOnce() {
        AtomicInteger told = new AtomicInteger();
        LockHandle all = client.acquireAll(ONE, TWO, PAIR).onLost(told::incrementAndGet);
        scenario.session("operator")
                .execute("select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and objid = 1");

        scenario.await("the loss to be told", () -> told.get() > 0);
        assertThat(all.isHeld()).isFalse();
        assertThatExceptionOfType(LockLostException.class).isThrownBy(all::close);
        all.close();
        assertThat(told).hasValue(1);
    }

    /** Somebody else's doing on the session of the client: it is found out after a statement that fails. */
    @Test
    void leaveNothingBehindWhenOneOfThemIsLost() throws SQLException {
        List<Connection> sessions = new CopyOnWriteArrayList<>();
        DataSource seen = new HandingOut(() -> {
            sessions.add(dataSource.getConnection());
            return sessions.get(0);
        });
        Held.execute(
                scenario.observer(),
                "create schema refusing; create function refusing.pg_try_advisory_lock(key bigint) returns boolean language"
                        + " plpgsql as $$ begin raise 'refused'; end $$");
        try (LockClient mine = LockClient.create(seen)) {
            LockHandle both = mine.acquireAll(LockKey.of(1), LockKey.of(2));
            Held.execute(sessions.get(0), "select pg_advisory_unlock(2)");
            Held.execute(sessions.get(0), "set search_path = refusing, pg_catalog");
            assertThatExceptionOfType(PgLockException.class)
                    .isThrownBy(mine.advisory(LockKey.of(3))::acquire)
                    .withMessageContaining("refused");
            assertThat(both.isHeld()).isFalse();
            awaitHeld("1");

            assertThatExceptionOfType(LockLostException.class).isThrownBy(both::close);

            awaitHeld();
            Held.execute(sessions.get(0), "reset search_path");
        } finally {
            Held.execute(scenario.observer(), "drop schema refusing cascade");
        }
    }

    @Test
    void leaveNothingWhenWhoeverWaitsIsInterrupted() throws SQLException {
        LockHandle elsewhere = other.advisory(TWO).acquire();
        Threads.Going<Boolean> waiting = threads.start(() -> {
            assertThatExceptionOfType(LockInterruptedException.class)
                    .isThrownBy(() -> client.acquireAll(ONE, TWO))
                    .withMessageContaining("1 and 2");
            return true;
        });
        awaitWaiting(client);
        waiting.interrupt();

        assertThat(waiting.get()).isTrue();
        scenario.await("nobody to wait", () -> client.toString().endsWith(", 0 waiting"));
        elsewhere.close();
        assertThat(held()).isEmpty();
    }

    @Test
    void areGotWhereManyWantOneOfThem() {
        AtomicBoolean over = new AtomicBoolean();
        AtomicInteger acquired = new AtomicInteger();
        List<Threads.Going<Boolean>> busy = new ArrayList<>();
        for (LockKey key : List.of(ONE, TWO)) {
            for (int i = 0; i < 3; i++) {
                busy.add(threads.start(() -> {
                    while (!over.get()) {
                        client.advisory(key).run(() -> {
                            acquired.incrementAndGet();
                        });
                    }
                    return true;
                }));
            }
        }
        scenario.await("all to be busy", () -> acquired.get() > 100);

        int got = 0;
        for (LockClient mine : List.of(client, other, client, other)) {
            try (LockHandle all = mine.advisory(ONE, TWO).timeout(LONG).acquire()) {
                got += all.isHeld() ? 1 : 0;
            }
        }
        over.set(true);

        assertThat(got).isEqualTo(4);
        assertThat(busy).allSatisfy(each -> assertThat(each.get()).isTrue());
        awaitHeld();
    }
}
