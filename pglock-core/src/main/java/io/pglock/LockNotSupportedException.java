// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import java.io.Serial;
import java.sql.SQLException;

/**
 * The lock would not mean here what it says, so it is refused before anything is locked: a session lock through a
 * transaction pooler, an advisory lock on a standby, a transaction lock outside a transaction, a connection that is not
 * PostgreSQL. The message names the remedy.
 *
 * @see <a href="https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS">Advisory Locks</a>
 */
public class LockNotSupportedException extends PgLockException {

    @Serial
    private static final long serialVersionUID = 1L;

    /**
     * @param message what failed, on which lock, and what to do
     * @param cause what the driver reported
     */
    public LockNotSupportedException(String message, SQLException cause) {
        super(message, cause);
    }

    /** @param message what failed, on which lock, and what to do */
    public LockNotSupportedException(String message) {
        super(message);
    }
}
