// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import java.util.concurrent.TimeUnit;

/**
 * For how long a client keeps a lock that the server has granted, when more of its own want it: a writer passes it on eight times
 * or for 50 ms; readers come in for 50 ms, and for longer where it was asked whether a writer waits elsewhere and none did. Used
 * by the client's thread only. Not API.
 */
final class Turn {

    static final int MOST_PASSES = 8;

    private static final long LONGEST = TimeUnit.MILLISECONDS.toNanos(50);
    private static final long LONGEST_UNASKED = TimeUnit.SECONDS.toNanos(1);

    private long began;
    private int passes;
    private long readersEnterFor = LONGEST;
    private boolean hasToEnd;
    private boolean ofSeveral;

    /** The server has granted the lock. */
    void begin(long now) {
        began = now;
        passes = 0;
        readersEnterFor = LONGEST;
        hasToEnd = false;
        ofSeveral = false;
    }

    /** The same, to somebody who has asked for several. */
    void beginOfSeveral(long now) {
        begin(now);
        ofSeveral = true;
    }

    void passedOn() {
        passes++;
    }

    boolean isOver(long now) {
        return hasToEnd || passes >= MOST_PASSES || lasted(now) >= LONGEST;
    }

    long lasted(long now) {
        return now - began;
    }

    boolean isOfSeveral() {
        return ofSeveral;
    }

    /** Somebody else waits: who is inside may stay, nobody comes in. */
    void hasToEnd() {
        hasToEnd = true;
    }

    boolean mayReadersEnter(long now) {
        return !hasToEnd && lasted(now) < readersEnterFor;
    }

    /** Whether it is to be asked if a writer waits elsewhere. */
    boolean isToBeAsked() {
        return !hasToEnd;
    }

    /** No writer waits elsewhere: that goes for twice as long as the last time. */
    void goesOn(long now) {
        began = now;
        readersEnterFor = Math.min(2 * readersEnterFor, LONGEST_UNASKED);
    }
}
