// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

/** A transaction of Spring's that was open when a woven method began, as Spring tells of it. Thread-safe. */
final class CallersTransaction {

    private enum State {
        OPEN,
        SUSPENDED,
        OVER
    }

    private volatile State state = State.OPEN;

    /** Whether what its thread does now belongs to it; while it is suspended that is another one's, or nobody's. */
    boolean isOpen() {
        return state == State.OPEN;
    }

    /** Whether it has been committed or rolled back. */
    boolean isOver() {
        return state == State.OVER;
    }

    void suspended() {
        state = State.SUSPENDED;
    }

    void resumed() {
        state = State.OPEN;
    }

    /** On another thread than its own perhaps: a transaction of JTA ends where that likes. */
    void ended() {
        state = State.OVER;
    }
}
