// SPDX-License-Identifier: Apache-2.0
package io.pglock.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.pglock.LockHandle;
import java.io.IOException;
import java.sql.Connection;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/** What a handle is good for, from the moment when it is had until it is closed. */
interface HandleContract extends OnStage {

    @Test
    default void knowsWhatItIs() {
        Engine.Party one = stage().party();

        try (LockHandle lock = one.advisory(KEY).acquire()) {
            assertThat(lock.key()).isEqualTo(KEY);
            assertThat(lock.keys()).containsExactly(KEY);
            assertThat(lock.isShared()).isFalse();
            assertThat(lock).hasToString(KEY + ", held");
            lock.close();
            assertThat(lock).hasToString(KEY + ", not held");
        }
        try (LockHandle lock = one.advisory(KEY).shared().acquire()) {
            assertThat(lock.isShared()).isTrue();
            assertThat(lock).hasToString(KEY + ", shared, held");
        }
    }

    @Test
    default void isHeldUntilItIsClosed() {
        LockHandle lock = stage().party().advisory(KEY).acquire();

        assertThat(lock.isHeld()).isTrue();
        lock.close();

        assertThat(lock.isHeld()).isFalse();
        assertThat(lock.key()).isEqualTo(KEY);
    }

    @Test
    default void mayBeClosedAgainWhenSomebodyElseHasTheLock() {
        Engine.Party one = stage().party();
        Engine.Party two = stage().party();
        LockHandle lock = one.advisory(KEY).acquire();
        lock.close();

        try (LockHandle another = two.advisory(KEY).acquire()) {
            lock.close();
            lock.releaseNow();
            assertThat(another.isHeld()).isTrue();
            assertThat(isFree(one)).isFalse();
        }
    }

    @Test
    default void mayBeClosedAgainWhenItsHolderHasTheLockOnceMore() {
        Engine.Party one = stage().party();
        Engine.Party two = stage().party();
        LockHandle lock = one.advisory(KEY).acquire();
        try (LockHandle again = one.advisory(KEY).acquire()) {
            lock.close();
            lock.close();
            lock.releaseNow();
            assertThat(again.isHeld()).isTrue();
            assertThat(isFree(two)).isFalse();
        }
        assertThat(isFree(two)).isTrue();
    }

    @Test
    default void isReleasedAtOnceWhenAskedTo() {
        Engine.Party one = stage().party();
        Engine.Party two = stage().party();
        LockHandle lock = one.advisory(KEY).acquire();

        lock.releaseNow();

        assertThat(lock.isHeld()).isFalse();
        assertThat(isFree(two)).isTrue();
    }

    @Test
    default void isReleasedWhenTheBodyThrowsAndHidesNothingOfThat() {
        Engine.Party one = stage().party();
        Engine.Party two = stage().party();

        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> {
                    try (LockHandle lock = one.advisory(KEY).acquire()) {
                        throw new IOException(lock.isHeld() ? "disk full" : "not held");
                    }
                })
                .withMessage("disk full")
                .satisfies(e -> assertThat(e.getSuppressed()).isEmpty());

        assertThat(isFree(two)).isTrue();
    }

    @Test
    default void comesFromARequestThatStaysAsItWas() {
        Engine.Party one = stage().party();
        Engine.Party two = stage().party();
        Engine.Request request = one.advisory(KEY);
        assertThat(request.shared()).hasToString(KEY + ", shared");
        assertThat(request.shared().timeout(Duration.ZERO).noTimeout()).hasToString(KEY + ", shared");

        for (int i = 0; i < 3; i++) {
            try (LockHandle lock = request.acquire()) {
                assertThat(lock.isShared()).isFalse();
                assertThat(isFree(two)).isFalse();
            }
        }
        assertThat(request).hasToString(KEY.toString());
    }

    @Test
    default void leavesItsSessionAsItWas() {
        Connection connection = stage().connect();
        Stage.query(connection, "select set_config('lock_timeout', '7s', false)");
        List<String> before = settings(connection);

        Engine.Party one = stage().on(stage().engine(), connection);
        Engine.Party two = stage().party();
        one.advisory(KEY).timeout(SOON).acquire().close();
        one.advisory(KEY).shared().run(() -> {});
        try (LockHandle lock = two.advisory(KEY).acquire()) {
            assertThat(lock.isHeld()).isTrue();
            assertThat(one.advisory(KEY).tryAcquire(SOON)).isEmpty();
            Future<LockHandle> waiting = stage().start(one.advisory(KEY).timeout(LONG)::acquire);
            stage().awaitWaiting(one);
            lock.close();
            stage().get(waiting).close();
        }
        one.close();

        assertThat(settings(connection)).isEqualTo(before);
        assertThat(Stage.query(
                        connection, "select mode from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()"))
                .isEmpty();
    }

    private static List<String> settings(Connection connection) {
        return Stage.query(connection, "select name || ' = ' || setting from pg_settings order by name");
    }
}
