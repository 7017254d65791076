// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

/**
 * When a client connects again: at once at first, then 50 ms to 5 s apart, also where a connection is lost again as soon as it is
 * there. Used by the client's thread only. Not API.
 */
final class Reconnects {

    static final long LONGEST = TimeUnit.SECONDS.toNanos(5);
    private static final long SHORTEST = TimeUnit.MILLISECONDS.toNanos(50);

    /** A connection that lasted so long was a good one. */
    private static final long LASTED = TimeUnit.SECONDS.toNanos(1);

    private long next;
    private long pause;
    private long connectedAt;

    /** As {@link System#nanoTime()} counts. */
    long next() {
        return next;
    }

    void connected(long now) {
        connectedAt = now;
    }

    void lost(long now) {
        if (now - connectedAt > LASTED) {
            pause = 0;
        }
        next = now + pause;
    }

    /** With success or without. */
    void tried(long now) {
        pause = Math.min(LONGEST, Math.max(SHORTEST, 2 * pause));
        next = now + pause / 2 + ThreadLocalRandom.current().nextLong(pause / 2 + 1);
    }
}
