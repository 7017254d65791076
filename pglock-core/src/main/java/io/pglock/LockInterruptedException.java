// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import java.io.Serial;

/**
 * The thread was interrupted while it waited for a lock of a {@link LockClient}. It holds nothing that it has not held before, all
 * other locks are as they were, and its interrupt flag is set again.
 *
 * @see Thread#interrupt()
 */
public class LockInterruptedException extends PgLockException {

    @Serial
    private static final long serialVersionUID = 1L;

    /** @param message which lock was waited for */
    public LockInterruptedException(String message) {
        super(message);
    }
}
