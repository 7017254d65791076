// SPDX-License-Identifier: Apache-2.0
package io.pglock.testkit;

import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Something that goes on in a {@link Session} while the test does something else. Every wait is bounded and shows the lock
 * table when it fails.
 *
 * {@snippet :
 * var locking = web.run(connection -> PgLock.on(connection).advisory("report").acquire());
 * scenario.awaitBlocked(web);
 * holder.commit();
 * LockHandle handle = locking.await();
 * }
 *
 * <p>This class is thread-safe.
 *
 * @param <T> what comes out
 */
public class Call<T extends @Nullable Object> extends FutureTask<T> {
    private final String what;
    private final Scenario scenario;
    private volatile boolean begun;

    Call(String what, Scenario scenario, Callable<T> work) {
        super(work);
        this.what = what;
        this.scenario = scenario;
    }

    /** Does it, on the thread of the session. */
    @Override
    public void run() {
        begun = true;
        super.run();
    }

    boolean hasBegun() {
        return begun;
    }

    /**
     * Waits for the result.
     *
     * @throws AssertionError if it does not end in time, or fails
     */
    public T await() {
        try {
            return getInTime();
        } catch (ExecutionException e) {
            throw new AssertionError(what + " failed: " + e.getCause(), e.getCause());
        }
    }

    /**
     * Waits for the failure.
     *
     * @throws AssertionError if it does not end in time, or succeeds
     */
    public Throwable awaitFailure() {
        return failure();
    }

    private Throwable failure() {
        try {
            throw new AssertionError(what + " was expected to fail, and gave " + getInTime());
        } catch (ExecutionException e) {
            return e.getCause() == null ? e : e.getCause();
        }
    }

    /**
     * Waits for a failure of one kind.
     *
     * @param kind the class of the exception
     * @throws AssertionError if it does not end in time, succeeds, or fails in another way
     */
    public <X extends Throwable> X awaitFailure(Class<X> kind) {
        Throwable failure = failure();
        if (!kind.isInstance(failure)) {
            throw new AssertionError(
                    what + " was expected to fail with " + kind.getSimpleName() + ", not with " + failure, failure);
        }
        return kind.cast(failure);
    }

    private T getInTime() throws ExecutionException {
        try {
            return get(scenario.longestWait().toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            throw new AssertionError(Await.failure(scenario.longestWait(), what + " to end", scenario::lockTable), e);
        } catch (CancellationException e) {
            throw new AssertionError(what + " was cancelled", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted while waiting for " + what + " to end", e);
        }
    }

    /** What goes on, and how far it is. */
    @Override
    public String toString() {
        return what + (isDone() ? " (ended)" : " (going on)");
    }
}
