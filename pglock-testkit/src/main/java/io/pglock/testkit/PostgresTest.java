// SPDX-License-Identifier: Apache-2.0
package io.pglock.testkit;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/**
 * Gives a test class a fresh database, and its constructor and methods what they ask for by parameter:
 *
 * <ul>
 *   <li>{@link PostgresServer}, {@link Database}, {@link javax.sql.DataSource} (plain, no pool)
 *   <li>{@link java.sql.Connection}: a new one for each parameter, in autocommit, closed after the test
 *   <li>{@link Scenario}: named sessions and waiting for them, one per test
 * </ul>
 *
 * <p>After each test, what it opened through these is closed, and the test fails if something is left: a session in the
 * database, an advisory lock, a prepared transaction, a changed setting or an open transaction on an injected connection, a
 * thread whose name starts with {@code pglock}. {@link Leaves} is the way out for a test that means to.
 *
 * {@snippet :
 * @PostgresTest
 * class LockTimeoutTest {
 *     @Test
 *     void restoresWhatWasThere(Connection connection, Scenario scenario) { ... }
 * }
 * }
 *
 * <p>Nested classes share the database of the outer class.
 */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@Documented
@Inherited
@ExtendWith(PostgresExtension.class)
@Execution(ExecutionMode.SAME_THREAD)
public @interface PostgresTest {}
