// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import java.time.Duration;
import java.util.List;

/**
 * What becomes of the locks of a {@link LockClient}, for metrics and logs. Every method does nothing unless it is overridden.
 * Implementations are called from many threads at once and must be thread-safe; those that acquire and release wait for them, so
 * they should be quick. What they throw is logged and changes nothing.
 *
 * {@snippet :
 * LockListener metrics = new LockListener() {
 *     @Override
 *     public void acquired(Use lock) {
 *         waitingTime.record(lock.waited());
 *     }
 * };
 * LockClient client = LockClient.create(dataSource, LockClient.Options.defaults().listener(metrics));
 * }
 *
 * <p>Without one, Java Flight Recorder shows the same as events: {@code pglock.Acquire}, {@code pglock.Hold} and {@code
 * pglock.RoundTrip}.
 */
public interface LockListener {

    /**
     * One request, and what came of it.
     *
     * @param keys what was asked for, one key or several at once
     * @param shared in which mode
     * @param owner for whom, usually the thread
     * @param waited how long it took to be granted, or was waited for in vain
     * @param held for how long it is or was held; zero while it is not
     */
    record Use(List<LockKey> keys, boolean shared, Object owner, Duration waited, Duration held) {}

    /** A lock was acquired. On the thread that waited for it, or for a {@code ...Async} method on the client's executor. */
    default void acquired(Use lock) {}

    /** A lock was not acquired: not in time, or the thread was interrupted. Where {@link #acquired} would have been called. */
    default void notAcquired(Use lock) {}

    /** A lock was released. On the thread that did so. */
    default void released(Use lock) {}

    /** A lock was lost. Once for each that was held, on the client's executor or the thread that was about to release it. */
    default void lost(Use lock, String why) {}

    /**
     * A lock is held for longer than {@link LockClient.Options#warnWhenHeldFor} allows, or its handle was forgotten. On the
     * client's executor, in addition to a warning in the log.
     *
     * @param acquiredAt its stack is where the lock was acquired
     */
    default void suspected(Use lock, Throwable acquiredAt) {}
}
