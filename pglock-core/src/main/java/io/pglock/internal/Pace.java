// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

/**
 * When the server is asked again for what it has refused: after 1 ms at first and 50 ms at last, and never at the same moment as
 * everybody else. Used by the client's thread only. Not API.
 */
final class Pace {

    static final long LONGEST_PAUSE = TimeUnit.MILLISECONDS.toNanos(50);
    private static final long SHORTEST_PAUSE = TimeUnit.MILLISECONDS.toNanos(1);

    private long next;
    private long pause;

    /** Nothing was refused yet. */
    boolean isFresh() {
        return pause == 0;
    }

    /** The next time, as {@link System#nanoTime()} counts. */
    long next(long now) {
        return pause == 0 ? now : next;
    }

    /** What is nearly due comes along with what is. */
    boolean isDue(long now) {
        return pause == 0 || next - now <= pause / 4;
    }

    void refused(long now) {
        pause = Math.min(LONGEST_PAUSE, Math.max(SHORTEST_PAUSE, 2 * pause));
        next = now + pause / 2 + ThreadLocalRandom.current().nextLong(pause / 2 + 1);
    }

    /** Leaves it to others for about as long as one had it oneself: whoever waits elsewhere looks that often by now. */
    void leave(long now, long lasted) {
        long about = Math.min(LONGEST_PAUSE, Math.max(2 * SHORTEST_PAUSE, lasted));
        next = now + about + ThreadLocalRandom.current().nextLong(about / 2);
        pause = SHORTEST_PAUSE;
    }

    void reset() {
        pause = 0;
    }
}
