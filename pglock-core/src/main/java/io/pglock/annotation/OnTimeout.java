// SPDX-License-Identifier: Apache-2.0
package io.pglock.annotation;

/** What becomes of a call whose lock was not to be had in time. Immutable, as any enum. */
public enum OnTimeout {
    /** It fails with a {@link io.pglock.LockTimeoutException}; the method has not begun. */
    RAISE,
    /**
     * It returns at once, and the method has not run: nothing, {@code null}, an empty {@link java.util.Optional}, a completed
     * future, or the {@code skipValue} that the annotation declares. A method that returns a primitive has to declare one.
     */
    SKIP
}
