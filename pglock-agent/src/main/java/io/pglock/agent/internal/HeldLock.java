// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

/** An advisory lock that no connection of the application's holds. Thread-safe. */
public interface HeldLock {

    /** Whether it is, as far as is known; nobody is asked for that. */
    boolean isHeld();

    /**
     * Lets go of it, on whatever thread.
     *
     * @throws io.pglock.LockLostException when it was lost meanwhile
     */
    void release();
}
