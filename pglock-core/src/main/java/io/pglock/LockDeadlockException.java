// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import java.io.Serial;
import java.sql.SQLException;

/**
 * PostgreSQL resolved a deadlock by failing this request (SQLSTATE {@code 40P01}). Release what is held and begin again.
 *
 * @see <a href="https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-DEADLOCKS">Deadlocks</a>
 */
public class LockDeadlockException extends PgLockException {

    @Serial
    private static final long serialVersionUID = 1L;

    /**
     * @param message what failed, on which lock, and what to do
     * @param cause what the driver reported
     */
    public LockDeadlockException(String message, SQLException cause) {
        super(message, cause);
    }

    /** @param message what failed, on which lock, and what to do */
    public LockDeadlockException(String message) {
        super(message);
    }
}
