// SPDX-License-Identifier: Apache-2.0
package io.pglock.annotation;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * The method runs under an advisory lock: in one session of the whole database at a time, whichever JVM it is in.
 *
 * {@snippet :
 * @WithAdvisoryLock(value = "nightly-report", timeout = "5s", onTimeout = OnTimeout.SKIP)
 * void report() { ... }
 * }
 *
 * <p>The lock is taken before the method begins, in a session of its own, and released after it has ended, however it ends. With
 * {@link #xact} it is taken on the very connection that the method uses, at the first statement of each of its transactions, and
 * goes with the transaction.
 *
 * <p>It does nothing by itself: it is read by the agent, {@code -javaagent:pglock-agent.jar}.
 *
 * @see <a href="https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS">Advisory Locks</a>
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
public @interface WithAdvisoryLock {

    /**
     * The name of the lock, see {@link io.pglock.LockKey#named}; {@code 42} and {@code 7:42} are keys by number. Empty: {@code
     * <class>.<method>}, which all methods of that name in the class share.
     */
    String value() default "";

    /** Together with others who share it, and with nobody who does not. */
    boolean shared() default false;

    /** A lock of the transaction on the method's own connection, not one of a session. */
    boolean xact() default false;

    /**
     * The longest wait for it: {@code 500ms}, {@code 5s}, {@code 2m}, ISO-8601; {@code 0s} not at all, {@code none} for ever, but
     * not at all with {@link OnTimeout#SKIP}. With {@link #xact}, {@code none} is as long as {@code lock_timeout} says, the method's
     * or the session's.
     */
    String timeout() default "none";

    /** What happens when that is over. */
    OnTimeout onTimeout() default OnTimeout.RAISE;

    /** What a skipped call returns where it has to return a number, a character or a boolean, or a text is wanted. */
    String skipValue() default "";
}
