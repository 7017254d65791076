// SPDX-License-Identifier: Apache-2.0
package io.pglock.testkit;

/** What a test may leave behind. */
public enum Leftover {
    /** A session in the database of the test that neither the testkit nor the test has closed. */
    SESSION,
    /** A granted or awaited advisory lock in the database of the test. */
    ADVISORY_LOCK,
    /** A prepared transaction in the database of the test. */
    PREPARED_TRANSACTION,
    /** A changed setting, or another property of the connection, on an injected connection. */
    SETTING,
    /** An open or failed transaction on an injected connection. */
    TRANSACTION,
    /** A thread whose name starts with {@code pglock}. */
    THREAD
}
