// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import io.pglock.LockAttempts;
import java.util.function.ToLongFunction;

/** How many signals were sent for a unit: its host hears of each as a message, and may want to count them. Thread-safe. Not API. */
public final class UnitSignals {

    private static volatile ToLongFunction<LockAttempts> counting = attempts -> 0;

    private UnitSignals() {}

    /** Said by the one who knows, and shows it to nobody else. */
    public static void countedBy(ToLongFunction<LockAttempts> knowing) {
        counting = knowing;
    }

    /** So far, to whomever, of the latest 1,000 that were to be sent; one that is on its way is waited for. */
    public static long sent(LockAttempts attempts) {
        return counting.applyAsLong(attempts);
    }
}
