// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import java.util.Properties;
import org.jspecify.annotations.Nullable;

/**
 * What the agent does through one driver, in a class loader that sees it. Only types of the JDK and of the agent's own loader
 * go to and fro. Thread-safe.
 */
public interface Realm {

    /**
     * A statement is about to go out on this thread.
     *
     * @param scope the thread's innermost, if any
     * @return what {@link #after} is to be given; null where there is nothing to do
     * @throws Throwable instead of the statement
     */
    @Nullable Object before(Object executor, @Nullable Object what, int flags, @Nullable Scope scope) throws Throwable;

    /** It has been done, or not. */
    void after(Object statement, @Nullable Object result, @Nullable Throwable thrown);

    /** This executor is this connection's. */
    void owns(Object connection, @Nullable Object executor);

    /**
     * A connection has been opened, by these means.
     *
     * @param scope the thread's innermost, if any
     * @throws Throwable instead of handing it out
     */
    void connected(
            Object driver,
            @Nullable String url,
            @Nullable Properties properties,
            Object connection,
            @Nullable Scope scope)
            throws Throwable;

    /** What this realm does for a scope. */
    Part partOf(Scope scope);

    /** Whether it is clear on which database a lock is to be taken that is not bound to a connection. */
    boolean knowsWhereToLock(Scope scope);

    /** What is to be said about this driver and its databases. */
    String describe();

    /** What a realm does for one scope. By the scope's thread only. */
    interface Part {

        /**
         * Takes the advisory lock that the scope asks for, on a connection of its own, unless it has it.
         *
         * @throws Throwable when it is not acquired, or cannot be
         */
        void lock() throws Throwable;

        /**
         * Takes it on a session of this realm's.
         *
         * @param presumed as long as no connection of the method's has shown that it belongs there
         */
        void lockAt(Place place, boolean presumed);

        /**
         * The same, without waiting.
         *
         * @return whether it was free
         */
        boolean tryLockAt(Place place, boolean presumed);

        /** The method's body has ended: its connections are as they would be without it, and nobody is signalled any more. */
        void ended();

        /** Whether what was thrown ended a wait for a lock, and all of it can be done again after a pause. */
        boolean comesBack(Throwable thrown);

        /** What is to be said of a failure. */
        @Nullable String explain(Throwable thrown);

        /** Lets go of everything but the advisory lock, which is the scope's. */
        void close();
    }
}
