// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import io.pglock.internal.Durations;
import io.pglock.internal.SqlState;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Optional;
import java.util.function.DoubleSupplier;

/**
 * Whether one unit of work is tried again, and when: a function of its policy, of how often it has failed and of the clock.
 * As thread-safe as the connection.
 */
final class UnitRetry {

    /** Why an attempt failed, where another one makes sense. */
    enum Cause {
        LOCK_TIMEOUT("lock timeout"),
        DEADLOCK("deadlock"),
        GAVE_WAY("gave way");

        private final String text;

        Cause(String text) {
            this.text = text;
        }

        @Override
        public String toString() {
            return text;
        }
    }

    /** "For ever": longer than any server runs, and still a number of nanoseconds. */
    private static final Duration EVER = Duration.ofDays(3650);

    private final LockPolicy policy;
    private final DoubleSupplier random;
    private int attempt = 1;
    private Optional<Long> failedFirstAt = Optional.empty();

    /** @param random from 0 to 1 */
    UnitRetry(LockPolicy policy, DoubleSupplier random) {
        this.policy = policy;
        this.random = random;
    }

    /** @param gaveWay whether the statement was cancelled from here; nobody else's cancel is a reason to go on */
    static Optional<Cause> cause(SQLException failure, boolean gaveWay) {
        if (SqlState.is(failure, SqlState.LOCK_NOT_AVAILABLE)) {
            return Optional.of(Cause.LOCK_TIMEOUT);
        }
        if (SqlState.is(failure, SqlState.DEADLOCK_DETECTED)) {
            return Optional.of(Cause.DEADLOCK);
        }
        return gaveWay && SqlState.is(failure, SqlState.QUERY_CANCELED)
                ? Optional.of(Cause.GAVE_WAY)
                : Optional.empty();
    }

    /** The number of the attempt that is going on; the first is 1. */
    int attempt() {
        return attempt;
    }

    /** Whether an attempt that begins now is the last one, whatever comes of it. */
    boolean isLast(long now) {
        return policy.retryAttempts().filter(most -> attempt >= most).isPresent()
                || policy.retryDeadline().filter(Duration::isZero).isPresent()
                || failedFirstAt.isPresent() && left(now).isZero();
    }

    /** What is left until the deadline, which begins with the first failure. */
    Duration left(long now) {
        Duration deadline = policy.retryDeadline().orElse(EVER);
        Duration gone = failedFirstAt.map(at -> Duration.ofNanos(now - at)).orElse(Duration.ZERO);
        return deadline.compareTo(gone) > 0 ? deadline.minus(gone) : Duration.ZERO;
    }

    void failed(long now) {
        failedFirstAt = failedFirstAt.or(() -> Optional.of(now));
    }

    /** The pause before the next attempt: exponential, with full jitter. */
    Duration delay() {
        Duration longest = policy.retryMaxDelay();
        Duration bound = policy.retryDelay();
        for (int doubled = 1; doubled < attempt && bound.compareTo(longest) < 0; doubled++) {
            bound = bound.multipliedBy(2);
        }
        Duration capped = Durations.shorter(bound, longest);
        return Duration.ofNanos((long) (capped.toNanos() * random.getAsDouble()));
    }

    void next() {
        attempt++;
    }

    /** What comes next is another piece of work that can be undone by itself. */
    void reset() {
        attempt = 1;
        failedFirstAt = Optional.empty();
    }
}
