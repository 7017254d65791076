// SPDX-License-Identifier: Apache-2.0
package io.pglock.testkit;

/**
 * What a session does with its connection.
 *
 * @param <A> what it takes
 * @param <R> what it gives
 */
@FunctionalInterface
public interface CheckedFunction<A, R> {
    /** Does it. */
    R apply(A argument) throws Exception;
}
