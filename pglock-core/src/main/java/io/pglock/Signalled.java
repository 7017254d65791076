// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import java.time.Instant;

/**
 * What was done, or not done, to one session. Immutable and thread-safe.
 *
 * @param backend the session as it was seen before
 * @param signal what was to be sent
 * @param outcome what came of it
 * @param at when, by this machine's clock
 * @param detail what an operator should know of it, in one sentence; for a refusal, the reason and the remedy
 */
public record Signalled(Backend backend, Signal signal, Outcome outcome, Instant at, String detail) {

    /** What came of a signal. */
    public enum Outcome {
        /** The server sent it. */
        SENT,
        /**
         * Nothing was sent: the session or its transaction has ended, it blocks nobody any more, or it was to be terminated for
         * being idle and has begun to work.
         */
        GONE,
        /** Nothing was sent: this role may not (SQLSTATE 42501); {@link Signalled#detail()} names the grant. */
        NOT_PERMITTED,
        /** Nothing was sent, and nothing ever is to such a session: protected, another migration, not a client backend. */
        SPARED,
        /** Nothing was sent: a cancel does nothing to a session that runs no statement; only a terminate would. */
        NO_EFFECT,
        /** Nothing was sent: a dry run. */
        DRY_RUN
    }

    /** Whether the server sent the signal. */
    public boolean sent() {
        return outcome == Outcome.SENT;
    }
}
