// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import io.pglock.LockKey;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Somebody's wish for a lock, or for several at once, until it has an outcome: whoever gives it one first decides, be it the
 * client's thread or the one that waits. Thread-safe. Not API.
 */
public final class LockRequest {

    /** How a request ends. */
    public sealed interface Outcome {

        /** It is held. */
        record Granted(ClientHold hold) implements Outcome {}

        /** Not in time. */
        record NotAcquired() implements Outcome {}

        /** Whoever waited was interrupted, or does not want it any more. */
        record GivenUp() implements Outcome {}

        /** It cannot be had. */
        record Failed(RuntimeException failure) implements Outcome {}
    }

    private static final Outcome NOT_ACQUIRED = new Outcome.NotAcquired();
    private static final Outcome GIVEN_UP = new Outcome.GivenUp();
    private static final long FOR_EVER = Long.MAX_VALUE;

    private final List<LockKey> keys;
    private final boolean shared;
    private final Owner owner;
    private final long begun = System.nanoTime();
    private final long timeout;
    private final CompletableFuture<Outcome> outcome = new CompletableFuture<>();
    private volatile boolean answered;

    /** @param wait for how long; what the session says counts as for ever, there is no session yet */
    public LockRequest(List<LockKey> keys, boolean shared, Object owner, Wait wait) {
        this.keys = keys;
        this.shared = shared;
        this.owner = new Owner(owner);
        this.timeout = wait.atMost().map(Duration::toNanos).orElse(FOR_EVER);
    }

    public List<LockKey> keys() {
        return keys;
    }

    LockKey key() {
        return keys.get(0);
    }

    boolean isShared() {
        return shared;
    }

    /** For whom. */
    public Object owner() {
        return owner.who();
    }

    Owner ownedBy() {
        return owner;
    }

    /** How long ago it was made. */
    public Duration age() {
        return Duration.ofNanos(System.nanoTime() - begun);
    }

    /** Whether it is not to wait at all. */
    boolean isTry() {
        return timeout == 0;
    }

    boolean isTimed() {
        return timeout != FOR_EVER;
    }

    /** What is left of its time, in nanoseconds; negative when that is over. */
    long left(long now) {
        return isTimed() ? timeout - (now - begun) : FOR_EVER;
    }

    boolean isDone() {
        return outcome.isDone();
    }

    /** The outcome, for whoever does not wait with a thread. */
    public CompletableFuture<Outcome> outcome() {
        return outcome;
    }

    /** @return false when nobody wants it any more: also when its time is over, and whoever waits is about to notice */
    boolean grant(ClientHold hold) {
        if (answered && left(System.nanoTime()) <= 0) {
            outcome.complete(NOT_ACQUIRED);
        }
        return outcome.complete(new Outcome.Granted(hold));
    }

    boolean fail(RuntimeException failure) {
        return outcome.complete(new Outcome.Failed(failure));
    }

    /** @return whether it had no outcome yet */
    public boolean giveUp() {
        return outcome.complete(GIVEN_UP);
    }

    /** It cannot be had at the moment, the server says, or the queue of this client. */
    void notNow(long now) {
        answered = true;
        // by the clock too, and after that: whoever waits has looked at the time first, and may wait for this
        if (isTry() || left(now) <= 0 || left(System.nanoTime()) <= 0) {
            outcome.complete(NOT_ACQUIRED);
        }
    }

    /** @return whether its time is over, and with it the request */
    boolean expire(long now, long patience) {
        return (left(now) <= 0 && answered || left(now) <= -patience) && outcome.complete(NOT_ACQUIRED);
    }

    /**
     * Waits for the outcome; in vain for as long as the request says, but at least for the first answer: a lock that is free is
     * got, however short the timeout and however long the way.
     *
     * @param patience how long the first answer may take beyond the timeout
     * @param interruptibly whether an interrupt ends the waiting; its flag is set again in any case
     */
    public Outcome await(Duration patience, boolean interruptibly) {
        boolean interrupted = false;
        try {
            while (true) {
                long now = System.nanoTime();
                expire(now, patience.toNanos());
                long left = left(now);
                try {
                    return outcome.get(left > 0 ? left : Math.max(1, left + patience.toNanos()), TimeUnit.NANOSECONDS);
                } catch (TimeoutException e) {
                    // looked at again
                } catch (InterruptedException e) {
                    interrupted = true;
                    if (interruptibly) {
                        giveUp();
                    }
                }
            }
        } catch (ExecutionException e) {
            throw new AssertionError("an outcome is never exceptional", e);
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
