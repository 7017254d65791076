// SPDX-License-Identifier: Apache-2.0
package io.pglock.testkit;

import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** Waiting for a state that is looked at again and again: bounded, and telling what it waited for when it gives up. */
public final class Await {
    /** How long every wait of the testkit is at most: {@code -Dpglock.test.waitSeconds}, 60 if absent, as a busy machine takes its time. */
    static final Duration LONGEST = Duration.ofSeconds(Long.getLong("pglock.test.waitSeconds", 60L));

    private static final long PAUSE = TimeUnit.MILLISECONDS.toNanos(5);

    private Await() {}

    /** Waits at most {@link #LONGEST}. */
    static void until(String whatFor, Callable<Boolean> state, Callable<String> details) {
        until(LONGEST, whatFor, state, details);
    }

    /**
     * Waits at most so long.
     *
     * @param details what a failure says besides
     * @throws AssertionError when it was in vain
     */
    public static void until(Duration longest, String whatFor, Callable<Boolean> state, Callable<String> details) {
        if (!within(longest, whatFor, state)) {
            throw new AssertionError(failure(longest, whatFor, details));
        }
    }

    /** What a wait says that was in vain. */
    static String failure(Duration longest, String whatFor, Callable<String> details) {
        return "waited " + longest.toMillis() + " ms for " + whatFor + "\n" + describe(details);
    }

    /** Whether the state came about in time. */
    static boolean within(Duration longest, String whatFor, Callable<Boolean> state) {
        long start = System.nanoTime();
        while (true) {
            if (ask(whatFor, state)) {
                return true;
            }
            if (System.nanoTime() - start > longest.toNanos()) {
                return false;
            }
            // Left set, the interrupt would turn every pause into none.
            if (Thread.currentThread().isInterrupted()) {
                throw new AssertionError("interrupted while waiting for " + whatFor);
            }
            LockSupport.parkNanos(PAUSE);
        }
    }

    private static boolean ask(String whatFor, Callable<Boolean> state) {
        @Nullable Boolean answer;
        try {
            answer = state.call();
        } catch (Exception e) {
            throw new AssertionError("waiting for " + whatFor + ": " + e, e);
        }
        return Boolean.TRUE.equals(answer);
    }

    private static String describe(Callable<String> details) {
        try {
            return details.call();
        } catch (Exception e) {
            return "(nothing more is known: " + e + ")";
        }
    }
}
