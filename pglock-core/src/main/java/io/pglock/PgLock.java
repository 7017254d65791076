// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import io.pglock.internal.PgSession;
import io.pglock.internal.Wait;
import java.sql.Connection;
import java.time.Duration;
import java.util.List;
import javax.sql.DataSource;

/**
 * The entry to everything that pglock does on <em>your</em> connection: in your session, as part of your transaction, through
 * whatever pool or proxy wraps it. Cheap, immutable, and as thread-safe as the connection: not.
 *
 * {@snippet :
 * PgLock pg = PgLock.on(connection);
 * try (LockHandle lock = pg.advisory("nightly-report").acquire()) {
 *     report();
 * }
 * }
 *
 * @see <a href="https://www.postgresql.org/docs/current/explicit-locking.html">Explicit Locking</a>
 */
public final class PgLock {

    private final PgSession session;

    private PgLock(PgSession session) {
        this.session = session;
    }

    /**
     * No SQL runs yet.
     *
     * @throws LockNotSupportedException when it is not a PostgreSQL connection
     * @throws PgLockException when it is closed
     */
    public static PgLock on(Connection connection) {
        return new PgLock(PgSession.of(connection));
    }

    /** The advisory lock with this name, see {@link LockKey#named}. */
    public AdvisoryLock advisory(String name) {
        return advisory(LockKey.named(name));
    }

    /** The advisory lock with this key. */
    public AdvisoryLock advisory(LockKey key) {
        return new AdvisoryLock(session, key);
    }

    /**
     * {@code LOCK TABLE} on these tables, in this order.
     *
     * @param tables each as one writes it in SQL, see {@link TableName#parse}
     * @throws IllegalArgumentException when there is none, or one is not a name
     */
    public TableLock table(String... tables) {
        return new TableLock(session, TableLock.parse(tables));
    }

    /**
     * {@code LOCK TABLE} on these tables, in this order.
     *
     * @throws IllegalArgumentException when there is none
     */
    public TableLock table(TableName... tables) {
        return new TableLock(session, List.of(tables));
    }

    /**
     * Sets {@code lock_timeout} until the scope is closed.
     *
     * @param timeout more than zero; a part of a millisecond counts as one
     * @throws IllegalArgumentException when it is not positive or longer than PostgreSQL can hold (24 days)
     * @throws LockNotSupportedException outside a transaction, when a transaction pooler sits in between
     * @throws PgLockException when the transaction has failed, or the server refuses
     */
    public LockTimeout lockTimeout(Duration timeout) {
        return new LockTimeout(session, positive(timeout, "noLockTimeout()"));
    }

    /** Sets {@code lock_timeout} to 0, wait for ever, until the scope is closed; throws as {@link #lockTimeout} does. */
    public LockTimeout noLockTimeout() {
        return new LockTimeout(session, 0);
    }

    /**
     * Sets {@code statement_timeout} until the scope is closed.
     *
     * @param timeout more than zero; a part of a millisecond counts as one
     * @throws IllegalArgumentException when it is not positive or longer than PostgreSQL can hold (24 days)
     * @throws LockNotSupportedException outside a transaction, when a transaction pooler sits in between
     * @throws PgLockException when the transaction has failed, or the server refuses
     */
    public StatementTimeout statementTimeout(Duration timeout) {
        return new StatementTimeout(session, positive(timeout, "noStatementTimeout()"));
    }

    /** Sets {@code statement_timeout} to 0, for ever, until the scope is closed; throws as {@link #statementTimeout} does. */
    public StatementTimeout noStatementTimeout() {
        return new StatementTimeout(session, 0);
    }

    /**
     * Sees who blocks this session, and does something about it; by default it only reports.
     *
     * @param dataSource where the watch gets a connection of its own from, to the same server
     */
    public Prioritize prioritize(DataSource dataSource) {
        return new Prioritize(session, dataSource);
    }

    /** What is locked on the server, and who waits for whom. */
    public LockQuery locks() {
        return new LockQuery(session);
    }

    private static int positive(Duration timeout, String none) {
        int millis = Wait.millis(timeout, none);
        if (millis == 0) {
            throw new IllegalArgumentException("Zero would mean no timeout to PostgreSQL. Use " + none + " for that.");
        }
        return millis;
    }
}
