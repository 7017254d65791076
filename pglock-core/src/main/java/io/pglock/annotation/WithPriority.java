// SPDX-License-Identifier: Apache-2.0
package io.pglock.annotation;

import io.pglock.LockPolicy;
import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Whoever blocks a statement of the method is reported, cancelled or terminated.
 *
 * {@snippet :
 * @WithPriority(value = LockPolicy.Priority.TERMINATE, settings = "prioritizeAfter=2s")
 * void migrate() { ... }
 * }
 *
 * <p>A second connection is used for that, opened when a statement has been running for longer than {@code pollInterval}. Who may
 * be signalled, and who never is, says {@link io.pglock.Prioritize}.
 *
 * <p>It does nothing by itself: it is read by the agent, {@code -javaagent:pglock-agent.jar}.
 *
 * @see <a href="https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-ADMIN-SIGNAL">Server Signaling
 *     Functions</a>
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
public @interface WithPriority {

    /** What is done to a blocker. */
    LockPolicy.Priority value();

    /** More of {@link io.pglock.LockPolicy}'s settings in one line: {@code prioritizeAfter=2s protect=pg_dump,reporting}. */
    String settings() default "";
}
