// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import java.io.Serial;
import java.sql.SQLException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Something that pglock asked of PostgreSQL did not work; the base of everything pglock throws on account of the
 * database. A mistake in a call (a bad name, a negative duration) is an {@link IllegalArgumentException} or an
 * {@link IllegalStateException} instead, before any SQL runs.
 *
 * <p>{@link #sqlState()} is PostgreSQL's own code, unchanged: only {@code 55P03} means "not acquired" (then it is a
 * {@link LockTimeoutException}); a cancelled statement stays {@code 57014}, a lost server {@code 08006} or {@code 57P01}.
 *
 * {@snippet :
 * try {
 *     PgLock.on(connection).table("orders").mode(LockMode.SHARE).acquire();
 * } catch (LockTimeoutException timeout) {
 *     log.warn(timeout.getMessage()); // names the table, who is in the way, and what to do
 * }
 * }
 *
 * @see <a href="https://www.postgresql.org/docs/current/errcodes-appendix.html">PostgreSQL Error Codes</a>
 */
public class PgLockException extends RuntimeException {

    @Serial
    private static final long serialVersionUID = 1L;

    private final @Nullable String sqlState;

    /**
     * @param message what failed, on which lock, and what to do
     * @param cause what the driver reported
     */
    public PgLockException(String message, SQLException cause) {
        super(message, cause);
        this.sqlState = cause.getSQLState();
    }

    /** @param message what failed, on which lock, and what to do */
    public PgLockException(String message) {
        super(message);
        this.sqlState = null;
    }

    /** PostgreSQL's SQLSTATE, or empty where no statement failed. */
    public Optional<String> sqlState() {
        return Optional.ofNullable(sqlState);
    }
}
