// SPDX-License-Identifier: Apache-2.0
package io.pglock;

/**
 * What can be sent to another session.
 *
 * @see <a href="https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-ADMIN-SIGNAL">Server Signaling
 *     Functions</a>
 */
public enum Signal {
    /** {@code pg_cancel_backend}: ends its current query; without effect on a session that is idle in transaction. */
    CANCEL,
    /** {@code pg_terminate_backend}: ends the session; its transaction is rolled back. */
    TERMINATE
}
