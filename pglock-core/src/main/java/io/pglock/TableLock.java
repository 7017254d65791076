// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import io.pglock.internal.Attempt;
import io.pglock.internal.Blockers;
import io.pglock.internal.PgSession;
import io.pglock.internal.TableCall;
import io.pglock.internal.Wait;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/**
 * A request for {@code LOCK TABLE} in your transaction: which tables, in which mode, and how long to wait for all of them.
 * Immutable: its methods return new requests, and acquiring changes nothing in it. As thread-safe as the connection.
 *
 * <p>One round trip, or two (three on PostgreSQL 10) with a timeout of its own, setting and restoring the timeouts included. One more
 * on a connection that pglock does not know yet, to ask whether the server is a standby: once if the transaction has not begun, else,
 * and behind a pooler, each time. In a {@code READ ONLY} transaction that has begun it is two, and the connection is known then.
 * Commit and rollback release the locks. When they are not all acquired, none is held that was not before, and the transaction stays
 * usable.
 *
 * <p>As with PostgreSQL's own {@code LOCK TABLE}, a transaction in {@code REPEATABLE READ} or {@code SERIALIZABLE} sees what the
 * holder before has committed if it has run no query yet. After a {@link LockTimeoutException}, whose message takes one, that is over:
 * begin another transaction.
 *
 * {@snippet :
 * connection.setAutoCommit(false);
 * PgLock.on(connection)
 *         .table("orders", "billing.invoices")
 *         .mode(LockMode.SHARE_ROW_EXCLUSIVE)
 *         .timeout(Duration.ofSeconds(2))
 *         .acquire();
 * }
 *
 * <p>The tables are locked in the order given, each with its partitions and children unless {@link #only()}; agree on one
 * order, or two sessions can meet in a deadlock. Views (PostgreSQL 11+) stand for the tables that they read.
 *
 * @see <a href="https://www.postgresql.org/docs/current/sql-lock.html">LOCK</a>
 */
public final class TableLock {

    private final PgSession session;
    private final List<TableName> tables;
    private final LockMode mode;
    private final Wait wait;
    private final boolean only;

    TableLock(PgSession session, List<TableName> tables) {
        this(session, tables, LockMode.ACCESS_EXCLUSIVE, Wait.AS_THE_SESSION, false);
        if (tables.isEmpty()) {
            throw new IllegalArgumentException("No table to lock. Name at least one.");
        }
    }

    private TableLock(PgSession session, List<TableName> tables, LockMode mode, Wait wait, boolean only) {
        this.session = session;
        this.tables = tables;
        this.mode = mode;
        this.wait = wait;
        this.only = only;
    }

    static List<TableName> parse(String... tables) {
        return Arrays.stream(tables).map(TableName::parse).toList();
    }

    /** In this mode; without this, in {@link LockMode#ACCESS_EXCLUSIVE} as PostgreSQL does. */
    public TableLock mode(LockMode mode) {
        return new TableLock(session, tables, mode, wait, only);
    }

    /**
     * Waits at most so long for all tables and partitions together; without this, as long as the session's {@code
     * lock_timeout} says for each of them. A shorter {@code statement_timeout} of the session stays in force and means what it
     * always means: failure.
     *
     * @param timeout {@link Duration#ZERO} is {@link #noWait()}; a part of a millisecond counts as one
     * @throws IllegalArgumentException when it is negative or longer than PostgreSQL can hold (24 days)
     */
    public TableLock timeout(Duration timeout) {
        return new TableLock(session, tables, mode, Wait.upTo(timeout), only);
    }

    /** Waits for ever, whatever the session's {@code lock_timeout} is. */
    public TableLock noTimeout() {
        return new TableLock(session, tables, mode, Wait.FOREVER, only);
    }

    /** Does not wait at all: {@code NOWAIT}. */
    public TableLock noWait() {
        return timeout(Duration.ZERO);
    }

    /** The tables themselves, not their partitions and children: {@code ONLY}. */
    public TableLock only() {
        return new TableLock(session, tables, mode, wait, true);
    }

    /**
     * Locks the tables.
     *
     * @throws LockTimeoutException when not all were acquired in time; the message names who is in the way
     * @throws LockDeadlockException when PostgreSQL ended a deadlock by failing this request
     * @throws LockNotSupportedException outside a transaction (in autocommit mode), or on a standby
     * @throws PgLockException when a table does not exist or may not be locked so, the transaction has failed, the statement was
     *     cancelled, or the server fails
     */
    public void acquire() {
        Attempt attempt = new TableCall(session, tables, mode, only).lock(wait);
        if (!attempt.acquired()) {
            String message = names() + ": " + mode.sql() + " lock not acquired " + wait.describe()
                    + Blockers.ofTables(session, tables, mode, only);
            throw attempt.cause() == null
                    ? new LockTimeoutException(message)
                    : new LockTimeoutException(message, attempt.cause());
        }
    }

    /**
     * Locks the tables, or returns false when not all were acquired in time.
     *
     * @throws LockDeadlockException when PostgreSQL ended a deadlock by failing this request
     * @throws LockNotSupportedException outside a transaction (in autocommit mode), or on a standby
     * @throws PgLockException when a table does not exist or may not be locked so, the transaction has failed, the statement was
     *     cancelled, or the server fails
     */
    public boolean tryAcquire() {
        return new TableCall(session, tables, mode, only).lock(wait).acquired();
    }

    private String names() {
        return tables.stream().map(TableName::toString).collect(Collectors.joining(", "));
    }

    /** {@code orders, billing.invoices (SHARE)}. */
    @Override
    public String toString() {
        return names() + " (" + mode.sql() + ")";
    }
}
