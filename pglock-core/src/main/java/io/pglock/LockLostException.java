// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import java.io.Serial;
import java.sql.SQLException;

/**
 * A lock that was believed to be held is not: its session ended, or somebody released it behind our back ({@code
 * pg_advisory_unlock} answered {@code false}). What it protected may have run twice.
 *
 * @see <a href="https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-ADVISORY-LOCKS">Advisory Lock
 *     Functions</a>
 */
public class LockLostException extends PgLockException {

    @Serial
    private static final long serialVersionUID = 1L;

    /**
     * @param message what failed, on which lock, and what to do
     * @param cause what the driver reported
     */
    public LockLostException(String message, SQLException cause) {
        super(message, cause);
    }

    /** @param message what failed, on which lock, and what to do */
    public LockLostException(String message) {
        super(message);
    }
}
