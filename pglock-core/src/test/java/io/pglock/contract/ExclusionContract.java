// SPDX-License-Identifier: Apache-2.0
package io.pglock.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.LockHandle;
import io.pglock.LockKey;
import io.pglock.testkit.Session;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Who may hold what together with whom, and what that looks like to PostgreSQL. */
interface ExclusionContract extends OnStage {

    static Stream<LockKey> keys() {
        return Stream.of(
                LockKey.named("nightly-report"),
                LockKey.of(0),
                LockKey.of(-1),
                LockKey.of(Long.MIN_VALUE),
                LockKey.of(Long.MAX_VALUE),
                LockKey.of(0, 0),
                LockKey.of(7, -42),
                LockKey.of(-1, -1),
                LockKey.of(Integer.MIN_VALUE, Integer.MAX_VALUE));
    }

    @Test
    default void excludesEverybodyElseUntilItIsClosed() {
        Engine.Party one = stage().party();
        Engine.Party two = stage().party();

        try (LockHandle lock = one.advisory(KEY).acquire()) {
            assertThat(lock.isHeld()).isTrue();
            assertThat(two.advisory(KEY).tryAcquire(Duration.ZERO)).isEmpty();
            assertThat(two.advisory(KEY).shared().tryAcquire(Duration.ZERO)).isEmpty();
            assertThat(stage().held(KEY)).containsExactly("ExclusiveLock");
        }

        assertThat(isFree(two)).isTrue();
        assertThat(stage().held(KEY)).isEmpty();
    }

    @Test
    default void isHeldTogetherInSharedModeButNotWithAnExclusiveOne() {
        Engine.Party one = stage().party();
        Engine.Party two = stage().party();
        Engine.Party three = stage().party();

        LockHandle first = one.advisory(KEY).shared().acquire();
        LockHandle second = two.advisory(KEY).shared().acquire();

        assertThat(first.isHeld()).isTrue();
        assertThat(second.isHeld()).isTrue();
        assertThat(stage().held(KEY)).containsOnly("ShareLock");
        assertThat(isFree(three)).isFalse();
        first.close();
        assertThat(isFree(three)).isFalse();
        second.close();
        assertThat(isFree(three)).isTrue();
    }

    @Test
    default void locksTheSameByNameAndByKey() {
        Engine.Party one = stage().party();
        Engine.Party two = stage().party();

        try (LockHandle lock = one.advisory("nightly-report").acquire()) {
            assertThat(lock.key()).isEqualTo(KEY);
            assertThat(isFree(two)).isFalse();
            assertThat(two.advisory("another-report").tryAcquire(Duration.ZERO)).hasValueSatisfying(LockHandle::close);
        }
    }

    @ParameterizedTest
    @MethodSource("io.pglock.contract.ExclusionContract#keys")
    default void showsInPgLocksUnderItsNumbers(LockKey key) {
        Engine.Party one = stage().party();
        String locks = "select concat_ws(' ', classid, objid, objsubid, mode) from pg_locks where locktype = 'advisory'"
                + " and database = (select oid from pg_database where datname = current_database())";
        String numbers = key.classId() + " " + key.objId() + " " + key.objSubId();

        try (LockHandle lock = one.advisory(key).acquire()) {
            assertThat(stage().query(locks)).containsExactly(numbers + " ExclusiveLock");
            assertThat(lock.keys()).containsExactly(key);
        }
        try (LockHandle lock = one.advisory(key).shared().acquire()) {
            assertThat(stage().query(locks)).containsExactly(numbers + " ShareLock");
            assertThat(lock.keys()).containsExactly(key);
        }

        assertThat(stage().query(locks)).isEmpty();
    }

    @Test
    default void keepsPairsOfNumbersApartFromSingleOnes() {
        Engine.Party one = stage().party();
        Engine.Party two = stage().party();
        long both = (7L << Integer.SIZE) | 42;

        try (LockHandle pair = one.advisory(LockKey.of(7, 42)).acquire();
                LockHandle single =
                        two.advisory(LockKey.of(both)).tryAcquire(Duration.ZERO).orElseThrow()) {
            assertThat(pair.isHeld()).isTrue();
            assertThat(single.isHeld()).isTrue();
            assertThat(two.advisory(LockKey.of(7, 42)).tryAcquire(Duration.ZERO))
                    .isEmpty();
            assertThat(one.advisory(LockKey.of(both)).tryAcquire(Duration.ZERO)).isEmpty();
        }
    }

    @Test
    default void excludesAndIsExcludedByASessionThatKnowsNothingOfIt() {
        Engine.Party one = stage().party();
        Session plain = stage().session("plain");

        try (LockHandle lock = one.advisory(KEY).acquire()) {
            assertThat(lock.isHeld()).isTrue();
            assertThat(plain.value("select pg_try_advisory_lock_shared(" + KEY.number() + ")"))
                    .isEqualTo("f");
        }
        plain.execute("select pg_advisory_lock_shared(" + KEY.number() + ")");
        assertThat(isFree(one)).isFalse();
        assertThat(one.advisory(KEY).shared().tryAcquire(Duration.ZERO)).hasValueSatisfying(LockHandle::close);
        plain.execute("select pg_advisory_unlock_all()", "select pg_advisory_lock(" + KEY.number() + ")");
        assertThat(one.advisory(KEY).shared().tryAcquire(Duration.ZERO)).isEmpty();
        plain.execute("select pg_advisory_unlock_all()");
        assertThat(isFree(one)).isTrue();
    }

    @Test
    default void excludesAndIsExcludedByEveryOtherEngine() {
        Engine.Party mine = stage().party();

        for (Engine other : List.of(new ConnectionEngine(), ClientEngine.clients(), ClientEngine.owners())) {
            Engine.Party theirs = stage().partyOf(other);
            try (LockHandle lock = mine.advisory(KEY).acquire()) {
                assertThat(lock.isHeld()).isTrue();
                assertThat(theirs.advisory(KEY).shared().tryAcquire(Duration.ZERO))
                        .isEmpty();
            }
            try (LockHandle lock = theirs.advisory(KEY).shared().acquire()) {
                assertThat(lock.isHeld()).isTrue();
                assertThat(isFree(mine)).isFalse();
                assertThat(mine.advisory(KEY).shared().tryAcquire(Duration.ZERO))
                        .hasValueSatisfying(LockHandle::close);
            }
            assertThat(isFree(mine)).isTrue();
            assertThat(isFree(theirs)).isTrue();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    default void isHeldAsOftenAsItWasAcquired(boolean shared) {
        Engine.Party one = stage().party();
        Engine.Party two = stage().party();
        Engine.Request request =
                shared ? one.advisory(KEY).shared() : one.advisory(KEY).timeout(SOON);

        LockHandle first = request.acquire();
        LockHandle second = request.acquire();
        LockHandle third = request.tryAcquire(Duration.ZERO).orElseThrow();
        assertThat(stage().held(KEY)).hasSize(1);

        first.close();
        third.close();
        assertThat(first.isHeld()).isFalse();
        assertThat(second.isHeld()).isTrue();
        assertThat(isFree(two)).isFalse();
        second.close();

        assertThat(isFree(two)).isTrue();
    }

    @Test
    default void mayBeSharedByItsWriterWhoThenBecomesAReader() {
        Engine.Party one = stage().party();
        Engine.Party two = stage().party();

        LockHandle writing = one.advisory(KEY).acquire();
        LockHandle reading = one.advisory(KEY).shared().acquire();
        assertThat(two.advisory(KEY).shared().tryAcquire(Duration.ZERO)).isEmpty();
        writing.close();

        assertThat(reading.isHeld()).isTrue();
        assertThat(isFree(two)).isFalse();
        assertThat(two.advisory(KEY).shared().tryAcquire(SOON)).hasValueSatisfying(LockHandle::close);
        reading.close();
        assertThat(isFree(two)).isTrue();
    }

    @Test
    default void staysExclusiveWhenItsSharedOneIsClosedFirst() {
        Engine.Party one = stage().party();
        Engine.Party two = stage().party();

        LockHandle writing = one.advisory(KEY).acquire();
        one.advisory(KEY).shared().acquire().close();

        assertThat(two.advisory(KEY).shared().tryAcquire(Duration.ZERO)).isEmpty();
        writing.close();
        assertThat(isFree(two)).isTrue();
    }
}
