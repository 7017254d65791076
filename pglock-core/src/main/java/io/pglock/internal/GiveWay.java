// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import java.time.Duration;
import java.util.Optional;

/**
 * When a guarded session that waits cancels its own statement, because others wait behind it: only while its work says that
 * it can be undone and run again. Immutable. Not API.
 *
 * @param maxBlockedTime so that nobody loses more than this; empty for however long
 * @param maxVictims when more than these wait; empty for however many
 * @param lockTimeout how long the session waits for a lock; empty for ever
 */
public record GiveWay(Optional<Duration> maxBlockedTime, Optional<Integer> maxVictims, Optional<Duration> lockTimeout) {

    /** PostgreSQL sends an autovacuum away when the wait is this old; it takes a moment to go. */
    public static final Duration VACUUM_LEAVES = Duration.ofMillis(500);

    /**
     * Whether it is time. Not only when the bound is reached: also when it would be before the next look, and when those ahead
     * have been at it for so long already that they will hardly be done within it. Whoever leaves the queue then is back the
     * moment they are.
     *
     * @param victims how many wait behind
     * @param lost the most that one of them has lost to the unit, lately and by now
     * @param nextLook how long it is until then
     * @param ahead for how long those ahead have held on
     */
    boolean isDue(int victims, Duration lost, Duration nextLook, Duration ahead) {
        return maxBlockedTime
                        .filter(most -> victims > 0
                                && Durations.longer(lost.plus(nextLook), ahead).compareTo(most) >= 0)
                        .isPresent()
                || maxVictims.filter(most -> victims > most).isPresent();
    }

    /** Whether a wait that is only a little longer gets past an autovacuum: giving way would begin that wait anew. */
    boolean outlasts(Duration deadlockTimeout, Duration waited) {
        return lockTimeout
                        .filter(timeout -> timeout.compareTo(deadlockTimeout) <= 0)
                        .isEmpty()
                && waited.compareTo(deadlockTimeout.plus(VACUUM_LEAVES)) < 0;
    }
}
