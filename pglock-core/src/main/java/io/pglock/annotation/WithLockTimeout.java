// SPDX-License-Identifier: Apache-2.0
package io.pglock.annotation;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * The statements of the method wait no longer than this for a lock, on whatever connections it uses.
 *
 * {@snippet :
 * @WithLockTimeout("2s")
 * void archive() { ... }
 *
 * @WithLockTimeout(value = "2s", settings = "retryDeadline=10m retryDelay=1s")
 * void archiveAndTryAgain() { ... }
 * }
 *
 * <p>A statement that is not let in fails with SQLSTATE 55P03. After the method every connection has the settings that it had
 * before. The method is run again only where {@code retryDeadline} or {@code retryAttempts} says so, and everything that it did
 * has been undone.
 *
 * <p>It does nothing by itself: it is read by the agent, {@code -javaagent:pglock-agent.jar}.
 *
 * @see <a href="https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-LOCK-TIMEOUT">lock_timeout</a>
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
public @interface WithLockTimeout {

    /**
     * The longest wait for one lock: {@code 500ms}, {@code 5s}, {@code 2m}, ISO-8601, at least 1 ms; {@code none} leaves what the
     * session has.
     */
    String value();

    /** The longest run of one statement, written alike; empty leaves what the session has. */
    String statementTimeout() default "";

    /** More of {@link io.pglock.LockPolicy}'s settings in one line: {@code retryDeadline=10m retryDelay=1s}. */
    String settings() default "";
}
