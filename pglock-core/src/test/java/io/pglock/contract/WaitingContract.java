// SPDX-License-Identifier: Apache-2.0
package io.pglock.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.pglock.LockHandle;
import io.pglock.LockTimeoutException;
import io.pglock.testkit.Session;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** For how long a lock is waited for, and what comes of it. */
interface WaitingContract extends OnStage {

    @Test
    default void triesOnceWhenNotToWait() {
        Engine.Party one = stage().party();
        Engine.Party two = stage().party();

        try (LockHandle lock = one.advisory(KEY).acquire()) {
            assertThat(lock.isHeld()).isTrue();
            Engine.Request request = two.advisory(KEY).timeout(Duration.ZERO);
            assertThat(request.tryAcquire()).isEmpty();
            assertThatExceptionOfType(LockTimeoutException.class)
                    .isThrownBy(request::acquire)
                    .withMessageContaining("not acquired at once");
        }
        try (LockHandle lock = two.advisory(KEY).timeout(Duration.ZERO).acquire()) {
            assertThat(lock.isHeld()).isTrue();
        }
    }

    @Test
    default void waitsForAsLongAsItIsToldAndNamesTheHolder() {
        Engine.Party one = stage().party();
        Engine.Party two = stage().party();

        try (LockHandle lock = one.advisory(KEY).acquire()) {
            assertThat(lock.isHeld()).isTrue();
            Engine.Request request = two.advisory(KEY).timeout(SOON);
            long begun = System.nanoTime();
            assertThat(request.tryAcquire()).isEmpty();
            assertThat(Duration.ofNanos(System.nanoTime() - begun)).isGreaterThanOrEqualTo(SOON);
            assertThatExceptionOfType(LockTimeoutException.class)
                    .isThrownBy(request::acquire)
                    .withMessageStartingWith(KEY + ": not acquired within 50ms")
                    .withMessageContaining(one.name());
            assertThatExceptionOfType(LockTimeoutException.class)
                    .isThrownBy(() -> two.advisory(KEY).shared().timeout(SOON).acquire())
                    .withMessageStartingWith(KEY + ": shared lock not acquired within 50ms")
                    .withMessageContaining(one.name());
        }
    }

    @Test
    default void namesASessionThatKnowsNothingOfItAndWhatItDoes() {
        Engine.Party one = stage().party();
        Session web = stage().session("web");
        Session reader = stage().session("reader");
        reader.execute("select pg_advisory_lock_shared(" + KEY.number() + ")");

        assertThatExceptionOfType(LockTimeoutException.class)
                .isThrownBy(() -> one.advisory(KEY).timeout(SOON).acquire())
                .withMessageContaining("blocked by pid " + reader.pid() + " (reader, idle");
        reader.execute("select pg_advisory_unlock_all()");
        web.begin();
        web.execute("select pg_advisory_lock(" + KEY.number() + ")");
        assertThatExceptionOfType(LockTimeoutException.class)
                .isThrownBy(() -> one.advisory(KEY).timeout(SOON).acquire())
                .withMessageContaining("blocked by pid " + web.pid() + " (web, idle in transaction for ")
                .withMessageContaining("\"select pg_advisory_lock(");
    }

    @Test
    default void waitsForEverUnlessToldOtherwise() {
        Engine.Party one = stage().party();
        Engine.Party two = stage().party();
        Engine.Party three = stage().party();
        LockHandle lock = one.advisory(KEY).acquire();

        Future<LockHandle> waiting = stage().start(two.advisory(KEY)::acquire);
        stage().awaitWaiting(two);
        // somebody else's time is over meanwhile
        assertThat(three.advisory(KEY).tryAcquire(SOON)).isEmpty();
        assertThat(waiting.isDone()).isFalse();
        lock.close();

        stage().get(waiting).close();
    }

    @Test
    default void forgetsItsTimeoutWithNoTimeout() {
        Engine.Party one = stage().party();
        Engine.Party two = stage().party();
        Engine.Party three = stage().party();
        LockHandle lock = one.advisory(KEY).shared().acquire();

        Future<Optional<LockHandle>> waiting =
                stage().start(two.advisory(KEY).timeout(Duration.ofMillis(1)).noTimeout()::tryAcquire);
        stage().awaitWaiting(two);
        assertThat(three.advisory(KEY).tryAcquire(SOON)).isEmpty();
        assertThat(waiting.isDone()).isFalse();
        lock.close();

        assertThat(stage().get(waiting)).hasValueSatisfying(LockHandle::close);
    }

    @Test
    default void getsWhatIsReleasedInTime() {
        Engine.Party one = stage().party();
        Engine.Party two = stage().party();
        LockHandle lock = one.advisory(KEY).acquire();

        Future<LockHandle> waiting = stage().start(two.advisory(KEY).shared().timeout(LONG)::acquire);
        stage().awaitWaiting(two);
        lock.close();

        try (LockHandle next = stage().get(waiting)) {
            assertThat(next.isHeld()).isTrue();
            assertThat(stage().held(KEY)).containsExactly("ShareLock");
        }
    }

    @Test
    default void getsWhatASessionThatKnowsNothingOfItReleases() {
        Engine.Party one = stage().party();
        Session plain = stage().session("plain");
        plain.execute("select pg_advisory_lock(" + KEY.number() + ")");

        Future<LockHandle> waiting = stage().start(one.advisory(KEY)::acquire);
        stage().awaitWaiting(one);
        plain.execute("select pg_advisory_unlock(" + KEY.number() + ")");

        stage().get(waiting).close();
    }

    @Test
    default void getsWhatWasHeldByASessionThatDied() {
        Engine.Party one = stage().party();
        Session plain = stage().session("plain");
        plain.execute("select pg_advisory_lock(" + KEY.number() + ")");

        Future<LockHandle> waiting = stage().start(one.advisory(KEY)::acquire);
        stage().awaitWaiting(one);
        plain.kill();

        stage().get(waiting).close();
    }

    @Test
    default void isGrantedToAllWhoWaitOneAtATime() {
        AtomicInteger inside = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        List<Future<Integer>> working = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            Engine.Party party = stage().party();
            working.add(stage().start(() -> {
                for (int round = 0; round < 20; round++) {
                    party.advisory(KEY).timeout(LONG).run(() -> {
                        most.accumulateAndGet(inside.incrementAndGet(), Math::max);
                        inside.decrementAndGet();
                    });
                }
                return 20;
            }));
        }

        assertThat(working.stream().mapToInt(stage()::get).sum()).isEqualTo(100);
        assertThat(most).hasValue(1);
        assertThat(stage().held(KEY)).isEmpty();
    }

    @Test
    default void holdsNothingAfterItsTimeIsOver() {
        Engine.Party one = stage().party();
        Engine.Party two = stage().party();
        LockHandle lock = one.advisory(KEY).acquire();

        for (int i = 0; i < 20; i++) {
            assertThat(two.advisory(KEY).tryAcquire(Duration.ofMillis(1))).isEmpty();
        }
        lock.close();

        assertThat(stage().held(KEY)).isEmpty();
        assertThat(isFree(two)).isTrue();
    }

    @Test
    default void waitsAMillisecondWhenToldLess() {
        Engine.Party one = stage().party();
        Engine.Party two = stage().party();

        try (LockHandle lock = one.advisory(KEY).acquire()) {
            assertThat(lock.isHeld()).isTrue();
            // zero would have meant for ever to PostgreSQL
            assertThatExceptionOfType(LockTimeoutException.class)
                    .isThrownBy(
                            () -> two.advisory(KEY).timeout(Duration.ofNanos(1)).acquire())
                    .withMessageContaining("within 1ms");
        }
    }

    @Test
    default void refusesTimeoutsThatPostgresCannotHold() {
        Engine.Request request = stage().party().advisory(KEY);

        assertThatIllegalArgumentException().isThrownBy(() -> request.timeout(Duration.ofMillis(-1)));
        assertThatIllegalArgumentException().isThrownBy(() -> request.tryAcquire(Duration.ofMillis(-1)));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> request.timeout(Duration.ofMillis(1L << 31)))
                .withMessageContaining("noTimeout()");
        assertThat(request.tryAcquire(Duration.ofMillis(Integer.MAX_VALUE))).hasValueSatisfying(LockHandle::close);
    }
}
