// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * Whether a lock that was acquired is still held: it is released or lost once, and whoever wants to know of the loss is told
 * once. Thread-safe. Not API.
 */
public class Hold {

    private enum State {
        HELD,
        RELEASED,
        LOST
    }

    private final Executor executor;
    private volatile State state = State.HELD;
    private volatile @Nullable Loss loss;
    private @Nullable List<Runnable> actions;

    /** Why it is lost, for the message of the exception. */
    public record Loss(String message, @Nullable Throwable cause) {}

    /** @param executor on what the loss is told */
    public Hold(Executor executor) {
        this.executor = executor;
    }

    /** Neither released nor lost. */
    public final boolean isHeld() {
        return state == State.HELD;
    }

    /** Whether it is lost, and its release is still owed the news. */
    public final boolean isLost() {
        return state == State.LOST;
    }

    /** Why it was lost; empty where it was not. */
    public final String why() {
        Loss known = loss;
        return known == null ? "" : known.message();
    }

    /** The loss, if it was one; told to one caller only. */
    public final synchronized @Nullable Loss takeLoss() {
        if (state != State.LOST) {
            return null;
        }
        state = State.RELEASED;
        return loss;
    }

    /** @return whether it was held until now */
    public final synchronized boolean release() {
        if (state != State.HELD) {
            return false;
        }
        state = State.RELEASED;
        return true;
    }

    /** It turned out to be gone when it was to be released: whoever wanted to know of that still does. */
    public final void lostBeforeRelease(Loss why) {
        becomes(state, why).forEach(this::tell);
    }

    /** @return who wants to know; each is told once */
    private synchronized List<Runnable> becomes(State next, Loss why) {
        loss = why;
        state = next;
        List<Runnable> told = actions == null ? List.of() : actions;
        actions = null;
        return told;
    }

    /** @return whether it was held until now */
    public final boolean lose(Loss why) {
        List<Runnable> told;
        synchronized (this) {
            if (state != State.HELD) {
                return false;
            }
            told = becomes(State.LOST, why);
        }
        told.forEach(this::tell);
        return true;
    }

    /** Has this run when it is lost, or at once if it is. */
    public final void onLost(Runnable action) {
        synchronized (this) {
            if (state == State.HELD) {
                if (actions == null) {
                    actions = new ArrayList<>(1);
                }
                actions.add(action);
                return;
            }
            if (loss == null) {
                return;
            }
        }
        tell(action);
    }

    private void tell(Runnable action) {
        executor.execute(() -> {
            try {
                action.run();
            } catch (RuntimeException | Error e) { // the thread may be one that all others depend on
                Log.log(Level.WARNING, "What was given to onLost() failed", e);
            }
        });
    }
}
