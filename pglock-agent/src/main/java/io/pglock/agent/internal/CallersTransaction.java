// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import java.util.ArrayList;
import java.util.List;

/**
 * A transaction of Spring's that was open when a woven method began, as Spring tells of it. It keeps the advisory locks of the
 * methods that have ended in it: what they have done is seen by others when it is committed, and maybe not even sent before.
 * Thread-safe.
 */
final class CallersTransaction {

    private enum State {
        OPEN,
        SUSPENDED,
        OVER
    }

    private final AgentLog log;
    private final List<Scope> kept = new ArrayList<>();
    private volatile State state = State.OPEN;

    CallersTransaction(AgentLog log) {
        this.log = log;
    }

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

    /**
     * Until it has ended. One for each method: its thread has that lock by then, and whatever it has been given more is let go.
     *
     * @return false where the lock is not to be kept
     */
    synchronized boolean keep(Scope scope) {
        return isOpen()
                && kept.stream().noneMatch(other -> other.holdsLock() && other.hasTheSameLockAs(scope))
                && kept.add(scope);
    }

    /** Whose locks are kept. */
    synchronized List<Scope> kept() {
        return List.copyOf(kept);
    }

    /** It is about to be committed, and is not, if a lock has been lost: somebody else may have it by now. */
    void commits() {
        for (Scope scope : kept()) {
            if (!scope.holdsLock()) {
                unlock(scope);
            }
        }
    }

    private static void unlock(Scope scope) {
        try {
            scope.unlock();
        } catch (RuntimeException e) {
            Throwable lost = Refusal.asTheApplicationKnowsIt(e, scope.site().loader());
            throw lost instanceof RuntimeException known ? known : e;
        }
    }

    /** On another thread than its own perhaps: a transaction of JTA ends where that likes. */
    void ended() {
        state = State.OVER;
        for (Scope scope : allKept()) {
            try {
                scope.unlock();
            } catch (RuntimeException e) {
                log.warn(scope + ": " + e.getMessage());
            }
        }
    }

    private synchronized List<Scope> allKept() {
        List<Scope> all = List.copyOf(kept);
        kept.clear();
        return all;
    }
}
