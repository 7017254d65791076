// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Lock;

/** Bounded waits that an interrupt does not cut short; the flag is kept. Not API. */
final class Patience {

    @FunctionalInterface
    private interface Attempt {
        boolean within(long nanos) throws InterruptedException;
    }

    private Patience() {}

    static boolean tryLock(Lock lock, Duration atMost) {
        return keepTrying(atMost, nanos -> lock.tryLock(nanos, TimeUnit.NANOSECONDS));
    }

    static boolean join(Thread thread, Duration atMost) {
        return keepTrying(atMost, nanos -> {
            thread.join(Math.max(1, TimeUnit.NANOSECONDS.toMillis(nanos)));
            return !thread.isAlive();
        });
    }

    private static boolean keepTrying(Duration atMost, Attempt attempt) {
        long until = System.nanoTime() + atMost.toNanos();
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return attempt.within(Math.max(0, until - System.nanoTime()));
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
