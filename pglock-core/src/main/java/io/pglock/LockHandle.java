// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import java.util.List;

/**
 * An advisory lock that is held until {@link #close()}: by your own session ({@link AdvisoryLock#acquire}), or by that of a
 * {@link LockClient} ({@link ClientLock#acquire}).
 *
 * <p>A lock can be lost: PostgreSQL releases it when the session that holds it ends, be it terminated, cut off or crashed. Then
 * {@link #isHeld()} is false, {@link #onLost} runs, and {@link #close()} throws a {@link LockLostException}. It is never taken
 * again behind your back.
 *
 * {@snippet :
 * try (LockHandle lock = client.advisory("leader").acquire().onLost(() -> stepDown())) {
 *     lead(lock.fencingToken());
 * }
 * }
 *
 * <p>A handle of a {@link LockClient} is thread-safe: any thread may ask it, and close it. Of one on your own connection {@link
 * #isHeld()}, {@link #key()}, {@link #keys()}, {@link #isShared()} and {@link #onLost} may be called from any thread, the rest
 * where the connection may be used; close it before its connection.
 *
 * @see <a href="https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS">Advisory Locks</a>
 */
public sealed interface LockHandle extends AutoCloseable permits SessionHandle, ClientHandle {

    /** What is locked; where that is several keys, the first of {@link #keys()}. */
    LockKey key();

    /** What is locked, in the order in which it was acquired; one key, unless it was acquired for several at once. */
    List<LockKey> keys();

    /** Whether others may hold it too, in shared mode. */
    boolean isShared();

    /**
     * Whether it has neither been released nor, as far as is known here, been lost. No round trip, and no allocation. A {@link
     * LockClient} looks after its connection by itself; on your own connection, that the server has ended the session shows with
     * its next statement.
     */
    boolean isHeld();

    /**
     * Has this run once, when the loss of the lock is noticed; at once where it is lost already, never after it was released.
     * For a {@link LockClient} it runs on the client's executor, otherwise on the thread that notices, in {@link #isHeld()} or
     * {@link #close()}. What it throws is logged.
     *
     * @return this handle
     */
    LockHandle onLost(Runnable action);

    /**
     * A number for what is protected to tell a late writer by: it is greater than that of everybody who has held this lock before
     * in the same database, on whatever connection, and asked for it. Let the store refuse a number lower than the highest that it has seen.
     *
     * <p>It is a transaction id of PostgreSQL's, 64 bits wide, that this handle takes the first time it is asked, in one round
     * trip; later the same is answered. Holders of a shared lock get one each. After a crash of the server it can come again,
     * if nothing was committed since, and after a failover to a standby, if that had received nothing that was; a restored backup
     * begins where that was made. The ids of a database that was moved by a dump or by logical replication have nothing to do with
     * those of before, and are mostly far smaller: reset what the store remembers.
     *
     * @throws IllegalStateException when the lock was released; and inside a transaction, on your own connection, if the lock was
     *     acquired inside one: it may be the same, whose id may be older than the lock. Once asked outside, it answers everywhere
     * @throws LockLostException when it was lost
     * @throws PgLockException when the server fails
     * @see <a href="https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-INFO-SNAPSHOT">Transaction ID
     *     Functions</a>
     */
    long fencingToken();

    /**
     * Releases the lock, in one round trip at most; closing again does nothing. What was acquired more than once must be closed
     * as often.
     *
     * <p>On your own connection: A transaction that was begun inside the lock and has failed is rolled back first, because
     * PostgreSQL takes no other statement there, and nothing of it could be committed. Inside an open transaction nobody else gets
     * the lock before that ends, or is rolled back to a savepoint set before: the transaction takes it over, so that what was
     * protected is committed before the next one reads it (unless that waits in a transaction in {@code REPEATABLE READ} or
     * {@code SERIALIZABLE}, whose snapshot is older than the lock). {@link #releaseNow()} does not wait for that.
     *
     * @throws LockLostException when the lock was gone: the connection was closed first, the session was ended, or somebody
     *     unlocked it behind this handle's back. What it protected may have run twice
     * @throws IllegalStateException on your own connection, in a transaction that has failed, if the lock was acquired inside one:
     *     it may be the same, and have a savepoint to go back to. The lock is still held: roll back, then close again
     * @throws PgLockException when the server fails; the lock may still be held, and may be closed again
     */
    @Override
    void close();

    /**
     * Releases the lock at once, even inside an open transaction of your own connection: the next one to take it may then not see
     * yet what this transaction has written. Otherwise, and in what it throws, the same as {@link #close()}.
     */
    void releaseNow();
}
