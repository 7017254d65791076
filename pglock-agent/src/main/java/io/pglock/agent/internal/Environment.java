// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

/** What a realm needs of the agent. Thread-safe. */
public interface Environment {

    /** What is done aside from the scope. */
    @FunctionalInterface
    interface Aside<T> {
        T run() throws Throwable;
    }

    /** There is more, or less, to do for statements: a scope, or a session with something to put back. */
    void arm(int more);

    /** On this thread, but not as a part of what its scope is about. */
    <T> T aside(Aside<T> work) throws Throwable;

    /** What the agent says. */
    System.Logger log();

    /** A warning that is given once, however often there is occasion for it. */
    void warnOnce(String occasion, String message);

    /** A pooler is in the way of something. */
    void pooler(String database, String consequence);
}
