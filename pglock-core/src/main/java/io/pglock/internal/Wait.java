// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import java.time.Duration;
import java.util.Optional;

/**
 * How long to wait for a lock, in PostgreSQL's terms. Not API.
 *
 * @param kind whether and how the waiting ends
 * @param millis the bound, for {@link Kind#UP_TO} only
 */
public record Wait(Kind kind, int millis) {

    /** How the waiting ends. */
    public enum Kind {
        /** After the session's own {@code lock_timeout}, whatever that is. */
        AS_THE_SESSION,
        NOT_AT_ALL,
        UP_TO,
        FOREVER
    }

    /** What PostgreSQL can count in milliseconds: 24 days. */
    public static final Duration LONGEST = Duration.ofMillis(Integer.MAX_VALUE);

    public static final Wait AS_THE_SESSION = new Wait(Kind.AS_THE_SESSION, 0);
    public static final Wait FOREVER = new Wait(Kind.FOREVER, 0);
    private static final Wait NOT_AT_ALL = new Wait(Kind.NOT_AT_ALL, 0);

    /** Zero does not wait at all; a part of a millisecond counts as one, since PostgreSQL takes 0 for "for ever". */
    public static Wait upTo(Duration timeout) {
        return timeout.isZero() ? NOT_AT_ALL : new Wait(Kind.UP_TO, millis(timeout, "noTimeout()"));
    }

    /**
     * @param none what waits for ever instead
     * @throws IllegalArgumentException when a setting of PostgreSQL, a positive number of milliseconds, cannot hold it
     */
    public static int millis(Duration timeout, String none) {
        if (timeout.isNegative()) {
            throw new IllegalArgumentException("A timeout cannot be negative: " + timeout + ".");
        }
        if (timeout.compareTo(LONGEST) > 0) {
            throw new IllegalArgumentException("PostgreSQL's timeouts end at " + Integer.MAX_VALUE + " ms (24 days): "
                    + timeout + " is longer. Use " + none + " to wait for ever.");
        }
        return (int) timeout.plusNanos(999_999).toMillis();
    }

    /** The bound, where there is one of its own. */
    public Optional<Duration> atMost() {
        return switch (kind) {
            case NOT_AT_ALL -> Optional.of(Duration.ZERO);
            case UP_TO -> Optional.of(Duration.ofMillis(millis));
            case AS_THE_SESSION, FOREVER -> Optional.empty();
        };
    }

    public boolean isTry() {
        return kind == Kind.NOT_AT_ALL;
    }

    /** Whether {@code lock_timeout} has to be set for it. */
    public boolean isTimed() {
        return kind == Kind.UP_TO || kind == Kind.FOREVER;
    }

    /** What {@code lock_timeout} is set to, in milliseconds, where {@link #isTimed()}. */
    public String setting() {
        return Integer.toString(millis);
    }

    /** {@code within 2s}, {@code at once}: the end of "not acquired ...". */
    public String describe() {
        return switch (kind) {
            case AS_THE_SESSION -> "within this session's lock_timeout";
            case NOT_AT_ALL -> "at once";
            case UP_TO -> "within " + Text.age(Duration.ofMillis(millis));
            case FOREVER -> "without a timeout";
        };
    }
}
