// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal.driver;

import io.pglock.agent.internal.Scope;
import io.pglock.agent.internal.driver.TimeoutSetting.Change;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What the application was told of a timeout while ours was in force. It may have set another for a while, and put that back: then ours
 * is in force again, and nobody else's. That is seen when its scope is over. Under the lock of its {@link Session}.
 */
final class PutBack {

    /** What it has been told, in this scope. */
    private record Told(Scope scope, Change change) {}

    private @Nullable Told told;
    /** What it may have put back in the session, until somebody has looked. */
    private Optional<Change> ofSession = Optional.empty();
    /** The same, in the transaction that is open. */
    private Optional<Change> ofTransaction = Optional.empty();

    /** @param inForce what it is told; empty where that is none of ours */
    void tells(Scope scope, Optional<Change> inForce) {
        told = inForce.map(ours -> new Told(scope, ours)).orElse(null);
    }

    /**
     * The application sets it, perhaps to what it has been told.
     *
     * @param local for the transaction only
     */
    void mayBeBy(boolean local) {
        ofTransaction = Optional.ofNullable(told).map(Told::change);
        if (!local && told != null) {
            ofSession = ofTransaction;
        }
    }

    /** By what comes, which may be in another scope than the one that it was told in. */
    void usedIn(@Nullable Scope innermost) {
        if (told != null && !TimeoutSetting.isAround(told.scope(), innermost)) {
            told = null;
        }
    }

    void transactionEnded() {
        ofTransaction = Optional.empty();
    }

    /** Whether somebody has yet to look, in the session or in the transaction. */
    boolean isInDoubt() {
        return ofSession.isPresent() || ofTransaction.isPresent();
    }

    boolean isInDoubtForSession() {
        return ofSession.isPresent();
    }

    /** What it may be, to be looked at now. */
    Optional<Change> takeOfSession() {
        Optional<Change> maybe = ofSession;
        ofSession = Optional.empty();
        return maybe;
    }

    /** What it may be, to be looked at now. */
    Optional<Change> takeOfTransaction() {
        Optional<Change> maybe = ofTransaction;
        ofTransaction = Optional.empty();
        return maybe;
    }
}
