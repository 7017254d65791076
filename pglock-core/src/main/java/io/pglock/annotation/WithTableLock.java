// SPDX-License-Identifier: Apache-2.0
package io.pglock.annotation;

import io.pglock.LockMode;
import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Each transaction of the method begins with {@code LOCK TABLE}, on the very connection that the method uses.
 *
 * {@snippet :
 * @WithTableLock(value = {"orders", "billing.invoices"}, mode = LockMode.SHARE_ROW_EXCLUSIVE, timeout = "2s")
 * void settle() { ... }
 * }
 *
 * <p>The tables are locked before the first statement of a transaction, in this order, and stay so until it ends. A method that
 * works in autocommit, where the lock would be gone at once, is refused.
 *
 * <p>It does nothing by itself: it is read by the agent, {@code -javaagent:pglock-agent.jar}.
 *
 * @see <a href="https://www.postgresql.org/docs/current/sql-lock.html">LOCK</a>
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
public @interface WithTableLock {

    /** The tables, each as one writes it in SQL, see {@link io.pglock.TableName#parse}; at least one. */
    String[] value();

    /** What others may still do to them. */
    LockMode mode() default LockMode.ACCESS_EXCLUSIVE;

    /**
     * The longest wait for all of them: {@code 500ms}, {@code 5s}, {@code 2m}, ISO-8601; {@code nowait} not at all; {@code none} as
     * long as {@code lock_timeout} says for each of them, the method's or the session's.
     */
    String timeout() default "none";

    /**
     * What happens when that is over. {@link OnTimeout#SKIP} needs a wait that ends: a timeout here, or a {@link WithLockTimeout}.
     * A method that has run statements before, in an earlier transaction, cannot be skipped any more: it fails.
     */
    OnTimeout onTimeout() default OnTimeout.RAISE;

    /** What a skipped call returns where it has to return a number, a character or a boolean, or a text is wanted. */
    String skipValue() default "";
}
