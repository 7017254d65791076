// SPDX-License-Identifier: Apache-2.0
package io.pglock.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.pglock.LockHandle;
import io.pglock.LockKey;
import io.pglock.LockLostException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** What a holder gets to know when the session that holds his lock is ended. */
interface LossContract extends OnStage {

    private LockHandle lost(Engine.Party party, LockHandle lock) {
        stage().kill(party);
        party.look();
        stage().await("the loss of " + lock.key() + " to be noticed", () -> !lock.isHeld());
        return lock;
    }

    @Test
    default void tellsOnce() {
        Engine.Party one = stage().party();
        AtomicInteger told = new AtomicInteger();
        LockHandle lock = one.advisory(KEY).acquire();
        assertThat(lock.onLost(told::incrementAndGet)).isSameAs(lock);

        lost(one, lock);

        stage().await("the holder to be told", () -> told.get() > 0);
        assertThat(lock.isHeld()).isFalse();
        assertThatExceptionOfType(LockLostException.class).isThrownBy(lock::close);
        assertThat(toldAfterEverythingElse(lock)).isTrue();
        assertThat(told).hasValue(1);
    }

    /** What is told later is told after what was told before. */
    private boolean toldAfterEverythingElse(LockHandle lost) {
        AtomicInteger told = new AtomicInteger();
        lost.onLost(told::incrementAndGet);
        stage().await("whoever asks late to be told", () -> told.get() == 1);
        return told.get() == 1;
    }

    @Test
    default void tellsAtOnceWhoeverAsksWhenItIsLostAlready() {
        Engine.Party one = stage().party();
        AtomicInteger told = new AtomicInteger();
        LockHandle lock = lost(one, one.advisory(KEY).acquire());

        lock.onLost(told::incrementAndGet);
        stage().await("the holder to be told", () -> told.get() == 1);
        assertThatExceptionOfType(LockLostException.class).isThrownBy(lock::close);
        lock.onLost(told::incrementAndGet);
        stage().await("whoever asks after the close to be told", () -> told.get() == 2);
    }

    @Test
    default void tellsNobodyWhoseLockWasReleased() {
        Engine.Party one = stage().party();
        AtomicInteger told = new AtomicInteger();
        LockHandle released = one.advisory(KEY).acquire().onLost(told::incrementAndGet);
        LockHandle held = one.advisory(LockKey.of(2)).acquire();
        released.close();

        lost(one, held);

        released.onLost(told::incrementAndGet);
        released.close();
        assertThat(toldAfterEverythingElse(held)).isTrue();
        assertThat(told).hasValue(0);
        assertThatExceptionOfType(LockLostException.class).isThrownBy(held::close);
    }

    @Test
    default void tellsOfEveryLockThatTheSessionHeld() {
        Engine.Party one = stage().party();
        AtomicInteger told = new AtomicInteger();
        List<LockHandle> locks = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            locks.add(one.advisory(LockKey.of(i)).acquire().onLost(told::incrementAndGet));
            locks.add(one.advisory(LockKey.of(i)).acquire().onLost(told::incrementAndGet));
        }

        locks.forEach(lock -> lost(one, lock));

        stage().await("all to be told, not " + told, () -> told.get() == 10);
        assertThat(locks)
                .allSatisfy(lock -> assertThatExceptionOfType(LockLostException.class)
                        .isThrownBy(lock::close)
                        .withMessageContaining(lock.key().toString()));
    }

    @Test
    default void tellsTheOthersWhenOneFailsToHear() {
        Engine.Party one = stage().party();
        AtomicInteger told = new AtomicInteger();
        LockHandle lock = one.advisory(KEY)
                .acquire()
                .onLost(() -> {
                    throw new IllegalStateException("deaf, for a test");
                })
                .onLost(told::incrementAndGet);

        lost(one, lock);

        stage().await("the other one to be told", () -> told.get() == 1);
        assertThatExceptionOfType(LockLostException.class).isThrownBy(lock::close);
    }

    @Test
    default void saysSoOnceWhenItIsClosed() {
        Engine.Party one = stage().party();
        LockHandle lock = lost(one, one.advisory(KEY).acquire());

        assertThatExceptionOfType(LockLostException.class)
                .isThrownBy(lock::close)
                .withMessageContaining(KEY.toString());
        lock.close();
        lock.releaseNow();
        assertThat(lock.isHeld()).isFalse();
    }

    @Test
    default void saysSoWhenTheReleaseIsTheFirstToNotice() {
        Engine.Party one = stage().party();
        AtomicInteger told = new AtomicInteger();
        LockHandle lock = one.advisory(KEY).acquire().onLost(told::incrementAndGet);
        stage().kill(one);

        assertThatExceptionOfType(LockLostException.class)
                .isThrownBy(lock::releaseNow)
                .withMessageContaining(KEY.toString());

        assertThat(lock.isHeld()).isFalse();
        lock.close();
    }

    @Test
    default void isNotTakenAgain() {
        assumeTrue(stage().engine().hasSessionsOfItsOwn(), "the other party would be lost, too");
        Engine.Party one = stage().party();
        Engine.Party two = stage().party();
        LockHandle lock = lost(one, one.advisory(KEY).acquire());

        assertThat(stage().held(KEY)).isEmpty();
        try (LockHandle next = two.advisory(KEY).acquire()) {
            assertThat(next.isHeld()).isTrue();
            assertThat(lock.isHeld()).isFalse();
            assertThatExceptionOfType(LockLostException.class).isThrownBy(lock::close);
            assertThat(next.isHeld()).isTrue();
            assertThat(stage().held(KEY)).containsExactly("ExclusiveLock");
        }
    }

    @Test
    default void doesNotConcernTheLocksOfOtherSessions() {
        assumeTrue(stage().engine().hasSessionsOfItsOwn(), "the other party would be lost, too");
        Engine.Party one = stage().party();
        Engine.Party two = stage().party();
        AtomicInteger told = new AtomicInteger();
        LockHandle other = two.advisory(KEY).shared().acquire().onLost(told::incrementAndGet);
        LockHandle lock = lost(one, one.advisory(KEY).shared().acquire());

        two.look();
        assertThat(other.isHeld()).isTrue();
        assertThat(toldAfterEverythingElse(lock)).isTrue();
        assertThat(told).hasValue(0);
        assertThatExceptionOfType(LockLostException.class).isThrownBy(lock::close);
        other.close();
    }
}
