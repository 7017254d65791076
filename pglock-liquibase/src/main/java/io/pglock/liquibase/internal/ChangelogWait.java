// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase.internal;

import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * One wait for the changelog lock. Immutable.
 *
 * @param began {@link System#nanoTime} at its beginning
 * @param nanos how long it may take
 * @param poll between two tries
 */
record ChangelogWait(long began, long nanos, Duration poll) {

    private static final Duration LONGEST_POLL = Duration.ofMillis(500);
    private static final Duration SHORTEST_POLL = Duration.ofMillis(50);

    /** As Liquibase is told; but its ten seconds between two tries are long where a try costs so little. */
    static ChangelogWait upTo(long minutes, long pollSeconds) {
        Duration wanted = Duration.ofSeconds(pollSeconds);
        Duration atMost = wanted.compareTo(LONGEST_POLL) < 0 ? wanted : LONGEST_POLL;
        return new ChangelogWait(
                System.nanoTime(),
                TimeUnit.MINUTES.toNanos(minutes),
                atMost.compareTo(SHORTEST_POLL) < 0 ? SHORTEST_POLL : atMost);
    }

    boolean isOver() {
        return System.nanoTime() - began >= nanos;
    }

    void pause() throws InterruptedException {
        Thread.sleep(poll.toMillis());
    }
}
