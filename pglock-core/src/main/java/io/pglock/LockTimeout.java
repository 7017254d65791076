// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import io.pglock.internal.PgSession;
import io.pglock.internal.SettingScope;
import io.pglock.internal.Sql;

/**
 * A scope with another {@code lock_timeout}: the longest wait for any one lock of any kind. {@link #close()} restores exactly
 * what was there before; scopes nest. As thread-safe as the connection it is on: not.
 *
 * {@snippet :
 * try (LockTimeout timeout = PgLock.on(connection).lockTimeout(Duration.ofSeconds(2))) {
 *     statement.execute("alter table orders add column note text"); // fails with 55P03 after 2 s of waiting
 * }
 * }
 *
 * <p>Opened inside a transaction, or on a connection with autocommit off, it is local to that transaction and ends with it
 * at the latest. Opened in autocommit mode it is the session's and lasts until it is closed, whatever transactions come and
 * go. In {@code REPEATABLE READ} or {@code SERIALIZABLE} the transaction's snapshot is taken when a scope is opened in it: take a
 * session lock before the transaction, and say {@code SET TRANSACTION ISOLATION LEVEL} before the scope.
 *
 * @see <a href="https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-LOCK-TIMEOUT">lock_timeout</a>
 */
public final class LockTimeout implements AutoCloseable {

    private final SettingScope scope;

    LockTimeout(PgSession session, int millis) {
        this.scope = SettingScope.open(session, Sql.LOCK_TIMEOUT, millis);
    }

    /**
     * Restores the {@code lock_timeout} of before, in one round trip. Closing again is harmless. Scopes may be closed in any
     * order: the value of the newest open one is in force.
     *
     * <p>There is nothing to restore, and nothing is sent, when the session has ended or is lost, or when the scope was local
     * to a transaction that has ended or has failed. A pool keeps the session, and what was set for it: close the scope before
     * the connection. After a {@code ROLLBACK TO SAVEPOINT} the failed transaction lives on:
     * then close again. The same holds when a scope of the session is closed inside a later transaction, which is then rolled
     * back: the rollback brings its value back.
     *
     * <p>A transaction that was begun inside a scope of the session and has failed is rolled back first: nothing of it could
     * be committed.
     *
     * @throws PgLockException when the server refuses; and when a pooled connection was closed first, with a scope of the session
     */
    @Override
    public void close() {
        scope.close();
    }
}
