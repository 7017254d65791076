// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/**
 * Held while something is done for the sessions of one unit, by the thread of whichever watch looks after them: what anybody
 * else does for them meanwhile waits, and cuts off what hangs. Thread-safe. Not API.
 */
final class Acting {

    /** Longer than any statement of the side connection may run. */
    private static final Duration LONGEST_SIGNAL = Duration.ofSeconds(6);

    private final ReentrantLock lock = new ReentrantLock();

    /** Cuts off the side connection that is at work; nothing while none is. */
    private volatile Runnable cutOff = () -> {};

    /** What a watch does. */
    @FunctionalInterface
    interface Work {
        void run() throws SQLException;
    }

    /** On a watch's thread. */
    void run(Runnable canCutOff, Work work) throws SQLException {
        lock.lock();
        try {
            cutOff = canCutOff;
            work.run();
        } finally {
            cutOff = () -> {};
            lock.unlock();
        }
    }

    /** While no watch acts; what hangs is cut off, because the work must not hang with it. */
    <T> T undisturbed(Supplier<T> work) {
        if (!Patience.tryLock(lock, LONGEST_SIGNAL)) {
            cutOff.run();
            lock.lock();
        }
        try {
            return work.get();
        } finally {
            lock.unlock();
        }
    }

    /** For as long as it takes, on a watch's thread, where nothing that could hang is done. */
    void tell(Runnable work) {
        lock.lock();
        try {
            work.run();
        } finally {
            lock.unlock();
        }
    }

    /** Waits until what is being done at this moment has been done and is on record; not for as long as it may hang. */
    boolean settled() {
        if (Patience.tryLock(lock, LONGEST_SIGNAL)) {
            lock.unlock();
            return true;
        }
        return false;
    }

    /** As {@link #settled}, and what hangs is cut off. */
    void settle() {
        if (!settled()) {
            cutOff.run();
        }
    }
}
