// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import io.pglock.internal.Wait;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.Lock;

/**
 * A lock of a {@link LockClient} as one of {@code java.util.concurrent}: the thread that locks it unlocks it, as often. Any number
 * of these for the same key and mode are the same lock. Thread-safe.
 */
final class ThreadLock implements Lock {

    /** What a thread holds through these. */
    record Holder(Thread thread, LockKey key, boolean shared) {}

    private final ClientLock request;
    private final LockKey key;
    private final boolean shared;
    private final ConcurrentMap<Holder, Deque<LockHandle>> held;

    /** @param held what all threads hold, of all locks of the client */
    ThreadLock(ClientLock request, LockKey key, boolean shared, ConcurrentMap<Holder, Deque<LockHandle>> held) {
        this.request = request;
        this.key = key;
        this.shared = shared;
        this.held = held;
    }

    private Holder holder() {
        return new Holder(Thread.currentThread(), key, shared);
    }

    private void locked(LockHandle handle) {
        held.computeIfAbsent(holder(), holder -> new ArrayDeque<>(1)).push(handle);
    }

    @Override
    public void lock() {
        locked(request.acquireUninterruptibly());
    }

    @Override
    public void lockInterruptibly() throws InterruptedException {
        try {
            locked(request.acquire());
        } catch (LockInterruptedException e) {
            throw interrupted(e);
        }
    }

    @Override
    public boolean tryLock() {
        return locked(request.tryAcquire(Duration.ZERO));
    }

    @Override
    public boolean tryLock(long time, TimeUnit unit) throws InterruptedException {
        if (Thread.interrupted()) {
            throw new InterruptedException(request + ": interrupted before it was acquired.");
        }
        Duration timeout = Duration.ofNanos(unit.toNanos(Math.max(0, time))); // at most 292 years
        try {
            return locked(
                    timeout.compareTo(Wait.LONGEST) > 0
                            ? request.noTimeout().tryAcquire()
                            : request.tryAcquire(timeout));
        } catch (LockInterruptedException e) {
            throw interrupted(e);
        }
    }

    private boolean locked(Optional<LockHandle> handle) {
        handle.ifPresent(this::locked);
        return handle.isPresent();
    }

    /** The flag is what the exception stands for. */
    private static InterruptedException interrupted(LockInterruptedException cause) {
        Thread.interrupted();
        InterruptedException interrupted = new InterruptedException(cause.getMessage());
        interrupted.initCause(cause);
        return interrupted;
    }

    @Override
    public void unlock() {
        Deque<LockHandle> handles = held.get(holder());
        if (handles == null) {
            throw new IllegalMonitorStateException(
                    request + ": " + Thread.currentThread().getName() + " does not hold it.");
        }
        LockHandle last = handles.pop();
        if (handles.isEmpty()) {
            held.remove(holder());
        }
        last.close();
    }

    @Override
    public Condition newCondition() {
        throw new UnsupportedOperationException(
                "An advisory lock has no conditions: PostgreSQL does not know any. Poll, or use LISTEN and NOTIFY.");
    }

    /** {@code nightly-report (-8663603374018903193), held by this thread}. */
    @Override
    public String toString() {
        return request + (held.containsKey(holder()) ? ", held by this thread" : ", not held by this thread");
    }
}
