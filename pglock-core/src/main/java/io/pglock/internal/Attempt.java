// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/**
 * What came of one attempt to take a lock. Whatever is neither "acquired" nor "not acquired" is thrown instead. Not API.
 *
 * @param cause the driver's 55P03, where there was one
 */
public record Attempt(boolean acquired, @Nullable SQLException cause) {

    static final Attempt ACQUIRED = new Attempt(true, null);
    static final Attempt NOT_FREE = new Attempt(false, null);

    /** Only 55P03 means "not acquired"; every other failure keeps its meaning. */
    static Attempt timedOutOrThrow(SQLException e) throws SQLException {
        if (SqlState.is(e, SqlState.LOCK_NOT_AVAILABLE)) {
            return timedOut(e);
        }
        throw e;
    }

    static Attempt timedOut(SQLException cause) {
        return new Attempt(false, cause);
    }
}
