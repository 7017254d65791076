// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import io.pglock.internal.ClientHold;
import io.pglock.internal.LockEvents;
import io.pglock.internal.LockRequest;
import io.pglock.internal.LockRequest.Outcome;
import io.pglock.internal.Wait;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A request for an advisory lock of a {@link LockClient}: which key or keys, in which mode, for whom, and how long to wait.
 * Immutable: its methods return new requests, and acquiring changes nothing in it, so one request may be used over and over. Thread-safe.
 *
 * <p>The lock is one of the session, held until its handle is closed. It belongs to an <em>owner</em>, the calling thread unless
 * {@link #owner} says otherwise, and is re-entrant: an owner that holds it gets it again at once, and releases it as often; one
 * that holds it exclusively gets it in shared mode too, and keeps that when it releases the exclusive one. From shared to
 * exclusive there is no way: that would wait for itself, and is refused.
 *
 * <p>Within one client waiting is fair, first come first served; a reader does not overtake a writer that waits. Between clients,
 * and sessions of other kinds, it is not. Nobody finds out that two owners of one client wait for each other, each with a lock that
 * the other one wants: acquire several at once ({@link LockClient#acquireAll}), always in the same order, or with a timeout.
 *
 * {@snippet :
 * try (LockHandle lock = client.advisory("nightly-report").timeout(Duration.ofSeconds(2)).acquire()) {
 *     report();
 * }
 * boolean ran = client.advisory("nightly-report").timeout(Duration.ZERO).tryRun(() -> report()); // or skip it
 * }
 *
 * @see <a href="https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS">Advisory Locks</a>
 */
public final class ClientLock {

    private final LockClient client;
    private final List<LockKey> keys;
    private final boolean shared;
    private final Wait wait;
    private final @Nullable Object owner;

    ClientLock(LockClient client, List<LockKey> keys) {
        this(client, keys, false, Wait.FOREVER, null);
    }

    private ClientLock(LockClient client, List<LockKey> keys, boolean shared, Wait wait, @Nullable Object owner) {
        this.client = client;
        this.keys = keys;
        this.shared = shared;
        this.wait = wait;
        this.owner = owner;
    }

    /** In shared mode: held together with others in shared mode, never with an exclusive one. */
    public ClientLock shared() {
        return new ClientLock(client, keys, true, wait, owner);
    }

    /**
     * Waits at most so long; without this, for ever. While the server cannot be reached that is waited for too.
     *
     * @param timeout {@link Duration#ZERO} does not wait at all, it tries once; a part of a millisecond counts as one
     * @throws IllegalArgumentException when it is negative or longer than PostgreSQL can hold (24 days)
     */
    public ClientLock timeout(Duration timeout) {
        return new ClientLock(client, keys, shared, Wait.upTo(timeout), owner);
    }

    /** Waits for ever, as it does unless told otherwise. */
    public ClientLock noTimeout() {
        return new ClientLock(client, keys, shared, Wait.FOREVER, owner);
    }

    /**
     * For somebody else than the calling thread: whoever is equal to this object. For what does not stay on one thread; the
     * {@code ...Async} methods count as a new owner each time without it.
     */
    public ClientLock owner(Object somebody) {
        return new ClientLock(client, keys, shared, wait, somebody);
    }

    /**
     * Takes the lock, or waits for it.
     *
     * @throws LockTimeoutException when it was not acquired in time; the message names who holds it
     * @throws LockInterruptedException when the thread is interrupted before it is acquired; its flag is set again
     * @throws PgLockException when the client holds as many locks as it may, or the server refuses
     * @throws IllegalStateException when the owner holds it in shared mode and wants it exclusively, or the client is closed
     */
    public LockHandle acquire() {
        return require(attempt(true));
    }

    /**
     * Takes the lock, or returns empty when it was not acquired in time.
     *
     * @throws LockInterruptedException when the thread is interrupted before it is acquired; its flag is set again. Trying once
     *     ({@link Duration#ZERO}) is not interrupted
     * @throws PgLockException when the client holds as many locks as it may, or the server refuses
     * @throws IllegalStateException when the owner holds it in shared mode and wants it exclusively, or the client is closed
     */
    public Optional<LockHandle> tryAcquire() {
        return orThrow(attempt(true));
    }

    /** The same as {@code timeout(timeout).tryAcquire()}. */
    public Optional<LockHandle> tryAcquire(Duration timeout) {
        return timeout(timeout).tryAcquire();
    }

    /** As {@link #acquire()}, but an interrupt does not end the waiting; its flag is kept. */
    LockHandle acquireUninterruptibly() {
        return require(attempt(false));
    }

    /**
     * Runs the work while the lock is held, and releases it.
     *
     * @throws X what the work throws; what goes wrong after that is suppressed in it
     * @throws LockLostException when the lock was lost meanwhile; the work may have run twice
     * @throws PgLockException as {@link #acquire()}
     */
    public <X extends Exception> void run(AdvisoryLock.Work<X> work) throws X {
        run(AdvisoryLock.asCall(work));
    }

    /**
     * As {@link #run(AdvisoryLock.Work)}, for work with a result.
     *
     * @return what the call returns
     * @throws X what the call throws
     */
    public <T, X extends Exception> T run(AdvisoryLock.Call<T, X> call) throws X {
        try (LockHandle lock = acquire()) {
            return call.call();
        }
    }

    /**
     * As {@link #run(AdvisoryLock.Work)}, but skips the work when the lock was not acquired in time.
     *
     * @return whether the work has run
     * @throws X what the work throws
     */
    public <X extends Exception> boolean tryRun(AdvisoryLock.Work<X> work) throws X {
        return tryRun(AdvisoryLock.asCall(work)).isPresent();
    }

    /**
     * As {@link #run(AdvisoryLock.Call)}, but skips the call when the lock was not acquired in time.
     *
     * @return what the call returns, or empty when it was skipped
     * @throws X what the call throws
     */
    public <T, X extends Exception> Optional<T> tryRun(AdvisoryLock.Call<T, X> call) throws X {
        Optional<LockHandle> acquired = tryAcquire();
        if (acquired.isEmpty()) {
            return Optional.empty();
        }
        try (LockHandle lock = acquired.get()) {
            return Optional.of(call.call());
        }
    }

    /**
     * As {@link #acquire()}, without a thread that waits. What depends on the future runs on the client's executor. Cancelling it
     * gives the request up; what was acquired already is released then.
     *
     * @return ends with what {@link #acquire()} returns or throws
     */
    public CompletableFuture<LockHandle> acquireAsync() {
        return async(this::require);
    }

    /**
     * As {@link #tryAcquire()}, without a thread that waits; see {@link #acquireAsync()}.
     *
     * @return ends with what {@link #tryAcquire()} returns or throws
     */
    public CompletableFuture<Optional<LockHandle>> tryAcquireAsync() {
        return async(this::orThrow);
    }

    // ---- one attempt ------------------------------------------------------------------------------------------------

    /** What came of a request: a handle, or the reason why there is none. */
    private record Ended(LockRequest request, Outcome outcome, Optional<LockHandle> handle) {}

    private Ended attempt(boolean interruptibly) {
        boolean mayWait = wait.atMost().map(most -> !most.isZero()).orElse(true);
        boolean interruptible = interruptibly && mayWait;
        if (interruptible && Thread.currentThread().isInterrupted()) {
            throw interrupted();
        }
        LockEvents.Acquire event = LockEvents.acquire();
        LockRequest request = new LockRequest(keys, shared, owner == null ? Thread.currentThread() : owner, wait);
        client.engine().request(request, true);
        return ended(request, request.await(client.engine().patience(), interruptible), event);
    }

    private <T> CompletableFuture<T> async(Function<Ended, T> result) {
        LockEvents.Acquire event = LockEvents.acquire();
        LockRequest request = new LockRequest(keys, shared, owner == null ? new Nobody() : owner, wait);
        CompletableFuture<T> future = new CompletableFuture<>();
        CompletableFuture<?> unused = request.outcome()
                .thenAcceptAsync(outcome -> end(future, ended(request, outcome, event), result), client.executor());
        unused = future.whenComplete((handle, failure) -> {
            if (request.giveUp()) {
                client.engine().givenUp(request);
            }
        });
        client.engine().request(request, false);
        return future;
    }

    /** The owner of one asynchronous request. */
    private static final class Nobody {
        @Override
        public String toString() {
            return "an asynchronous request";
        }
    }

    /** A future that was cancelled takes nothing any more. */
    private static <T> void end(CompletableFuture<T> future, Ended attempt, Function<Ended, T> result) {
        boolean taken;
        try {
            taken = future.complete(result.apply(attempt));
        } catch (RuntimeException e) {
            taken = future.completeExceptionally(e);
        }
        if (!taken) {
            attempt.handle().ifPresent(LockHandle::close);
        }
    }

    private Ended ended(LockRequest request, Outcome outcome, LockEvents.Acquire event) {
        Optional<LockHandle> handle =
                outcome instanceof Outcome.Granted granted ? Optional.of(opened(granted.hold())) : Optional.empty();
        event.end(this, shared, handle.isPresent());
        if (handle.isEmpty()) {
            client.engine().givenUp(request);
            client.tell(listener -> listener.notAcquired(
                    new LockListener.Use(keys, shared, request.owner(), request.age(), Duration.ZERO)));
        }
        return new Ended(request, outcome, handle);
    }

    private LockHandle opened(ClientHold hold) {
        ClientHandle handle = new ClientHandle(client, hold);
        client.acquired(handle, hold);
        return handle;
    }

    private Optional<LockHandle> orThrow(Ended attempt) {
        if (attempt.outcome() instanceof Outcome.Failed failed) {
            throw failed.failure();
        }
        if (attempt.outcome() instanceof Outcome.GivenUp) {
            throw interrupted();
        }
        return attempt.handle();
    }

    private LockHandle require(Ended attempt) {
        return orThrow(attempt)
                .orElseThrow(() -> new LockTimeoutException(text(keys) + ": " + (shared ? "shared lock " : "")
                        + "not acquired " + wait.describe() + client.inTheWayOf(attempt.request())));
    }

    private LockInterruptedException interrupted() {
        return new LockInterruptedException(text(keys) + ": interrupted before it was acquired.");
    }

    static String text(List<LockKey> keys) {
        return keys.stream().map(LockKey::toString).collect(Collectors.joining(" and "));
    }

    /** {@code nightly-report (-8663603374018903193), shared}. */
    @Override
    public String toString() {
        return text(keys) + (shared ? ", shared" : "");
    }
}
