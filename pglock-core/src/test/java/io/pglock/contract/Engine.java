// SPDX-License-Identifier: Apache-2.0
package io.pglock.contract;

import io.pglock.AdvisoryLock;
import io.pglock.LockHandle;
import io.pglock.LockKey;
import io.pglock.testkit.Scenario;
import java.sql.Connection;
import java.time.Duration;
import java.util.Optional;

/** What keeps the {@link LockContract}: a way to hold advisory locks. */
interface Engine {

    /** Somebody who can hold locks, over this connection: nobody else does. */
    Party on(Connection connection, Scenario scenario);

    /** Whether each party has a session of its own. */
    default boolean hasSessionsOfItsOwn() {
        return true;
    }

    /** One of those who compete for locks. */
    interface Party extends AutoCloseable {

        Request advisory(LockKey key);

        Request advisory(String name);

        /** The backend that holds its locks. */
        int pid();

        /** What names it in the message of a timeout. */
        String name();

        /** Whether it waits for a lock. */
        boolean isWaiting();

        /** Does what an application has to do before it can know that its session was ended. */
        void look();

        @Override
        void close();
    }

    /** What {@link AdvisoryLock} and {@link io.pglock.ClientLock} have in common. */
    interface Request {

        Request shared();

        Request timeout(Duration timeout);

        Request noTimeout();

        LockHandle acquire();

        Optional<LockHandle> tryAcquire();

        Optional<LockHandle> tryAcquire(Duration timeout);

        <X extends Exception> void run(AdvisoryLock.Work<X> work) throws X;

        <T, X extends Exception> T run(AdvisoryLock.Call<T, X> call) throws X;

        <X extends Exception> boolean tryRun(AdvisoryLock.Work<X> work) throws X;

        <T, X extends Exception> Optional<T> tryRun(AdvisoryLock.Call<T, X> call) throws X;
    }
}
