// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class UnitRetryTest {

    private static final LockPolicy POLICY = LockPolicy.defaults()
            .retryDelay(Duration.ofMillis(200))
            .retryMaxDelay(Duration.ofSeconds(2))
            .retryDeadline(Duration.ofMinutes(1));

    private static List<Long> delays(UnitRetry retry, int count) {
        List<Long> delays = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            delays.add(retry.delay().toMillis());
            retry.next();
        }
        return delays;
    }

    @Test
    void theBoundOfThePauseDoublesUpToTheMost() {
        assertThat(delays(new UnitRetry(POLICY, () -> 1), 6)).containsExactly(200L, 400L, 800L, 1600L, 2000L, 2000L);
    }

    @Test
    void thePauseIsAnythingDownToNone() {
        assertThat(delays(new UnitRetry(POLICY, () -> 0), 3)).containsExactly(0L, 0L, 0L);
        assertThat(delays(new UnitRetry(POLICY, () -> 0.5), 3)).containsExactly(100L, 200L, 400L);
    }

    @Test
    void aFirstPauseIsNoLongerThanTheMostEither() {
        assertThat(delays(new UnitRetry(POLICY.retryDelay(Duration.ofSeconds(9)), () -> 1), 2))
                .containsExactly(2000L, 2000L);
    }

    @Test
    void manyAttemptsDoNotOverflow() {
        UnitRetry retry = new UnitRetry(POLICY.retryMaxDelay(Duration.ofDays(20)), () -> 1);
        for (int i = 0; i < 10_000; i++) {
            retry.next();
        }
        assertThat(retry.delay()).isEqualTo(Duration.ofDays(20));
        assertThat(retry.attempt()).isEqualTo(10_001);
    }

    @Test
    void theDeadlineBeginsWithTheFirstFailure() {
        UnitRetry retry = new UnitRetry(POLICY, () -> 1);
        long minute = Duration.ofMinutes(1).toNanos();
        assertThat(retry.isLast(minute * 100)).isFalse();
        retry.failed(1000);
        retry.failed(minute);
        assertThat(retry.left(1000 + minute / 2)).isEqualTo(Duration.ofSeconds(30));
        assertThat(retry.isLast(999 + minute)).isFalse();
        assertThat(retry.isLast(1000 + minute)).isTrue();
        assertThat(retry.left(1000 + 2 * minute)).isZero();
    }

    @Test
    void noDeadlineIsForEverAndZeroIsNever() {
        UnitRetry forEver = new UnitRetry(POLICY.noRetryDeadline(), () -> 1);
        forEver.failed(0);
        assertThat(forEver.isLast(Duration.ofDays(365).toNanos())).isFalse();
        assertThat(new UnitRetry(POLICY.retryDeadline(Duration.ZERO), () -> 1).isLast(0)).isTrue();
    }

    @Test
    void theMostAttemptsCountAsWell() {
        UnitRetry retry = new UnitRetry(POLICY.retryAttempts(2), () -> 1);
        assertThat(retry.isLast(0)).isFalse();
        retry.next();
        assertThat(retry.isLast(0)).isTrue();
        retry.reset();
        assertThat(retry.isLast(0)).isFalse();
        assertThat(new UnitRetry(POLICY.retryAttempts(1), () -> 1).isLast(0)).isTrue();
    }

    @Test
    void onlyALockIsAReason() {
        assertThat(UnitRetry.cause(new SQLException("", "55P03"), false)).contains(UnitRetry.Cause.LOCK_TIMEOUT);
        assertThat(UnitRetry.cause(new SQLException("", "40P01"), true)).contains(UnitRetry.Cause.DEADLOCK);
        assertThat(UnitRetry.cause(new SQLException("", "57014"), true)).contains(UnitRetry.Cause.GAVE_WAY);
        assertThat(UnitRetry.cause(new SQLException("", "57014"), false)).isEmpty();
        assertThat(UnitRetry.cause(new SQLException("", "40001"), true)).isEmpty();
        assertThat(UnitRetry.cause(new SQLException("no state"), true)).isEmpty();
    }
}
