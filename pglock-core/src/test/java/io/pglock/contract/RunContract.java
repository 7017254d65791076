// SPDX-License-Identifier: Apache-2.0
package io.pglock.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.pglock.LockHandle;
import io.pglock.LockLostException;
import io.pglock.LockTimeoutException;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Work that runs under the lock. */
interface RunContract extends OnStage {

    @Test
    default void runsWorkUnderTheLockAndReturnsWhatItReturns() {
        Engine.Party one = stage().party();
        Engine.Party two = stage().party();
        AtomicInteger ran = new AtomicInteger();

        one.advisory(KEY).run(() -> {
            assertThat(isFree(two)).isFalse();
            ran.incrementAndGet();
        });
        assertThat(ran).hasValue(1);
        assertThat(one.advisory(KEY).<Boolean, RuntimeException>run(() -> isFree(two)))
                .isFalse();
        assertThat(one.advisory(KEY).tryRun(() -> {
                    ran.incrementAndGet();
                }))
                .isTrue();
        assertThat(ran).hasValue(2);
        assertThat(one.advisory(KEY).<Integer, RuntimeException>tryRun(() -> 42))
                .contains(42);
        assertThat(isFree(two)).isTrue();
    }

    @Test
    default void skipsWorkWhenNotAcquired() {
        Engine.Party one = stage().party();
        Engine.Party two = stage().party();
        AtomicInteger ran = new AtomicInteger();

        try (LockHandle lock = one.advisory(KEY).acquire()) {
            assertThat(lock.isHeld()).isTrue();
            Engine.Request request = two.advisory(KEY).timeout(SOON);
            boolean worked = request.tryRun(() -> {
                ran.incrementAndGet();
            });
            assertThat(worked).isFalse();
            Optional<Integer> answer = request.tryRun(ran::incrementAndGet);
            assertThat(answer).isEmpty();
            assertThatExceptionOfType(LockTimeoutException.class)
                    .isThrownBy(() -> request.timeout(Duration.ZERO).run(() -> {
                        ran.incrementAndGet();
                    }));
            assertThatExceptionOfType(LockTimeoutException.class).isThrownBy(() -> request.run(ran::incrementAndGet));
        }
        assertThat(ran).hasValue(0);
    }

    @Test
    default void throwsWhatTheWorkThrowsAndReleasesTheLock() {
        Engine.Party one = stage().party();
        Engine.Party two = stage().party();

        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> one.advisory(KEY).run(RunContract::fail))
                .withMessage("disk full")
                .satisfies(e -> assertThat(e.getSuppressed()).isEmpty());
        assertThat(isFree(two)).isTrue();
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> one.advisory(KEY).tryRun(RunContract::fail))
                .withMessage("disk full")
                .satisfies(e -> assertThat(e.getSuppressed()).isEmpty());
        assertThat(isFree(two)).isTrue();
    }

    private static void fail() throws IOException {
        throw new IOException("disk full");
    }

    @Test
    default void saysThatTheLockWasLostUnderTheWork() {
        Engine.Party one = stage().party();

        assertThatExceptionOfType(LockLostException.class)
                .isThrownBy(() -> one.advisory(KEY).run(() -> stage().kill(one)))
                .withMessageContaining(KEY.toString());
    }

    @Test
    default void doesNotHideWhatTheWorkThrowsBehindTheLossOfTheLock() {
        Engine.Party one = stage().party();

        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> one.advisory(KEY).run(() -> {
                    stage().kill(one);
                    fail();
                }))
                .withMessage("disk full")
                .satisfies(e -> assertThat(e.getSuppressed())
                        .hasOnlyElementsOfType(LockLostException.class)
                        .hasSize(1));
    }
}
