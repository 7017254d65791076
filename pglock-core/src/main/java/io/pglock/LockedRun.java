// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import io.pglock.internal.AdvisoryCalls;
import io.pglock.internal.Attempt;
import io.pglock.internal.PgSession;
import io.pglock.internal.Wait;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Work under an advisory lock, with nothing left behind. A lock of the session cannot be released in a transaction that has
 * failed, and nobody has its handle to do so later: hence the transaction's own lock where one is open.
 */
final class LockedRun {

    private final PgSession session;
    private final AdvisoryCalls calls;
    private final LockKey key;
    private final boolean shared;

    LockedRun(PgSession session, AdvisoryCalls calls, LockKey key, boolean shared) {
        this.session = session;
        this.calls = calls;
        this.key = key;
        this.shared = shared;
    }

    /**
     * @param acquired sees what came of the attempt, and throws where work must not be skipped
     * @return empty when the work was skipped
     */
    <T, X extends Exception> Optional<T> run(Wait wait, Consumer<Attempt> acquired, AdvisoryLock.Call<T, X> work)
            throws X {
        boolean inTransaction = session.inTransaction();
        Attempt attempt = inTransaction ? calls.lockXact(wait) : calls.lock(wait);
        acquired.accept(attempt);
        if (!attempt.acquired()) {
            return Optional.empty();
        }
        return Optional.of(inTransaction ? underLockOfTransaction(work) : underLockOfSession(work));
    }

    private <T, X extends Exception> T underLockOfTransaction(AdvisoryLock.Call<T, X> work) throws X {
        T result = work.call();
        if (!session.inFailedTransaction() && !calls.isHeld()) {
            throw new LockLostException(
                    key + ": the transaction that held it was ended inside the work. Begin the transaction"
                            + " inside the work, or end it after.");
        }
        return result;
    }

    /** Closing rolls back what the work began and left failed. */
    private <T, X extends Exception> T underLockOfSession(AdvisoryLock.Call<T, X> work) throws X {
        try (LockHandle lock = new SessionHandle(session, key, shared, calls)) {
            T result = work.call();
            if (session.inFailedTransaction()) {
                throw new PgLockException(key + ": the work left a transaction that had failed. It was rolled back.");
            }
            return result;
        }
    }
}
