// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import java.io.Serial;
import java.sql.SQLException;

/**
 * The lock was not acquired in the time allowed (SQLSTATE {@code 55P03}), or at once where no waiting was asked for. The
 * session and its transaction are usable; nothing is held. The message names who was in the way, as far as this role may
 * see it.
 *
 * @see <a href="https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-LOCK-TIMEOUT">lock_timeout</a>
 */
public class LockTimeoutException extends PgLockException {

    @Serial
    private static final long serialVersionUID = 1L;

    /**
     * @param message what failed, on which lock, and what to do
     * @param cause what the driver reported
     */
    public LockTimeoutException(String message, SQLException cause) {
        super(message, cause);
    }

    /** @param message what failed, on which lock, and what to do */
    public LockTimeoutException(String message) {
        super(message);
    }
}
