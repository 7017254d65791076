// SPDX-License-Identifier: Apache-2.0
package io.pglock.stress;

import io.pglock.ClientLock;
import io.pglock.LockClient;
import io.pglock.LockHandle;
import io.pglock.LockInterruptedException;
import io.pglock.LockKey;
import io.pglock.LockLostException;
import io.pglock.LockTimeoutException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.Lock;

/** A thread that uses a {@link LockClient}, in all ways that there are. */
final class ClientWorker extends FuzzWorker {

    private final LockClient client;
    private final NotedDataSource dataSource;
    private int requests;

    ClientWorker(String name, Random random, FuzzRun run, LockClient client, NotedDataSource dataSource)
            throws SQLException {
        super(name, random, run);
        this.client = client;
        this.dataSource = dataSource;
    }

    @Override
    void end() {}

    @Override
    void step() throws Exception {
        List<Integer> keys = someKeys(oneIn(6) ? 3 : 1);
        boolean shared = oneIn(3);
        if (oneIn(8)) {
            view(keys.get(0), shared);
            return;
        }
        boolean async = oneIn(4);
        // another one each time: what a cancelled future has got is its owner's until it is released, a moment later
        Object owner = async ? name + "#" + requests++ : Thread.currentThread();
        ClientLock request = request(keys, shared).owner(owner);
        Optional<LockHandle> acquired = async ? later(request) : now(request);
        if (acquired.isPresent()) {
            run.counts().acquired().increment();
            section(acquired.get(), keys, request, owner);
        }
    }

    private ClientLock request(List<Integer> keys, boolean shared) {
        LockKey[] more = keys.stream().skip(1).map(KEYS::get).toArray(LockKey[]::new);
        ClientLock request = client.advisory(KEYS.get(keys.get(0)), more);
        if (shared) {
            request = request.shared();
        }
        return switch (random.nextInt(5)) {
            case 0 -> request.timeout(Duration.ZERO);
            case 1, 2 -> request.timeout(Duration.ofMillis(1 + random.nextInt(40)));
            default -> request;
        };
    }

    // ---- to get it --------------------------------------------------------------------------------------------------

    private Optional<LockHandle> now(ClientLock request) throws Exception {
        boolean orThrow = random.nextBoolean();
        return interruptibly(() -> {
            try {
                Optional<LockHandle> acquired = orThrow ? Optional.of(request.acquire()) : request.tryAcquire();
                if (acquired.isEmpty()) {
                    run.counts().notInTime().increment();
                }
                return acquired;
            } catch (LockTimeoutException e) {
                run.counts().notInTime().increment();
                return Optional.empty();
            } catch (LockInterruptedException e) {
                check(Thread.currentThread().isInterrupted(), "the flag is gone: " + e);
                run.counts().interrupted().increment();
                return Optional.empty();
            }
        });
    }

    private Optional<LockHandle> later(ClientLock request) throws Exception {
        CompletableFuture<Optional<LockHandle>> future = request.tryAcquireAsync();
        long patience = oneIn(3) ? random.nextInt(10) : 60_000;
        return interruptibly(() -> {
            try {
                Optional<LockHandle> acquired = future.get(patience, TimeUnit.MILLISECONDS);
                if (acquired.isEmpty()) {
                    run.counts().notInTime().increment();
                }
                return acquired;
            } catch (TimeoutException | InterruptedException e) {
                check(patience < 60_000 || e instanceof InterruptedException, "nothing came of " + request);
                run.counts().cancelledFutures().increment();
                return future.cancel(true) ? Optional.empty() : future.join();
            } catch (ExecutionException e) {
                throw new AssertionError(request + " asynchronously: " + e.getCause(), e);
            } catch (CancellationException e) {
                throw new AssertionError("somebody else cancelled " + request, e);
            }
        });
    }

    // ---- what happens inside ----------------------------------------------------------------------------------------

    private void section(LockHandle handle, List<Integer> keys, ClientLock request, Object owner) throws Exception {
        Watched watched = Watched.of(handle, name);
        // in this order: what is held now, that session held all the time
        int pid = dataSource.pid();
        if (!handle.isHeld()) {
            check(isLostWhenClosed(watched), "neither held nor lost: " + watched);
            return;
        }
        Long[] ids = log.enter(keys, handle.isShared(), name, pid);
        long token = oneIn(2) ? token(handle) : 0;
        dwell();
        List<Watched> toClose = new ArrayList<>(List.of(watched));
        boolean lost = false;
        if (handle.isShared()) {
            if (oneIn(10)) {
                tryToBecomeWriter(handle, owner);
            }
        } else if (keys.size() == 1 && oneIn(10)) {
            Optional<LockHandle> shared = again(request.shared(), handle);
            if (shared.isPresent()) {
                run.counts().downgraded().increment();
                toClose = new ArrayList<>(List.of(Watched.of(shared.get(), name)));
                Long sharedSection = log.becomeShared(ids[0], token);
                lost = isLostWhenClosed(watched);
                token = 0;
                if (lost) {
                    log.told(ids);
                }
                ids = new Long[] {sharedSection};
                dwell();
            }
        }
        if (oneIn(5)) {
            again(request, handle).map(inner -> Watched.of(inner, name)).ifPresent(toClose::add);
        }
        Collections.shuffle(toClose, random);
        log.leave(ids, token);
        for (Watched each : toClose) {
            lost |= isLostWhenClosed(each);
        }
        if (lost) {
            log.told(ids);
        }
    }

    /** Its owner has it already, and need not wait unless it was lost. */
    private Optional<LockHandle> again(ClientLock request, LockHandle outer) {
        Optional<LockHandle> inner = request.tryAcquire(Duration.ZERO);
        check(inner.isPresent() || !outer.isHeld(), "not re-entrant: " + outer);
        run.counts().reEntered().increment();
        return inner;
    }

    private void tryToBecomeWriter(LockHandle handle, Object owner) {
        LockKey[] more = handle.keys().stream().skip(1).toArray(LockKey[]::new);
        Optional<LockHandle> exclusive =
                client.advisory(handle.key(), more).owner(owner).tryAcquire(Duration.ZERO);
        boolean both = exclusive.isPresent() && handle.isHeld();
        exclusive.ifPresent(LockHandle::close);
        check(!both, "a reader became a writer: " + handle);
    }

    // ---- java.util.concurrent ---------------------------------------------------------------------------------------

    private void view(int key, boolean shared) throws Exception {
        Lock lock = shared
                ? client.readWriteLock(KEYS.get(key)).readLock()
                : client.readWriteLock(KEYS.get(key)).writeLock();
        int before = dataSource.pid();
        if (!isLocked(lock)) {
            return;
        }
        run.counts().acquired().increment();
        int pid = dataSource.pid();
        boolean known = pid == before;
        Long[] ids = known ? log.enter(List.of(key), shared, name, pid) : new Long[0];
        dwell();
        boolean twice = oneIn(5) && lock.tryLock();
        if (known) {
            log.leave(ids, 0);
        }
        boolean lost = isLostWhenUnlocked(lock);
        if (twice) {
            lost |= isLostWhenUnlocked(lock);
        }
        if (lost && known) {
            log.told(ids);
        }
        try {
            lock.unlock();
            throw new AssertionError("unlocked more often than locked: " + lock);
        } catch (IllegalMonitorStateException e) {
            // so it must be
        }
    }

    private static boolean isLostWhenUnlocked(Lock lock) {
        try {
            lock.unlock();
            return false;
        } catch (LockLostException e) {
            return true;
        }
    }

    private boolean isLocked(Lock lock) throws Exception {
        int how = random.nextInt(4);
        int millis = random.nextInt(20);
        return interruptibly(() -> {
            try {
                switch (how) {
                    case 0 -> lock.lock();
                    case 1 -> lock.lockInterruptibly();
                    case 2 -> {
                        return lock.tryLock();
                    }
                    default -> {
                        return lock.tryLock(millis, TimeUnit.MILLISECONDS);
                    }
                }
                return true;
            } catch (InterruptedException e) {
                check(!Thread.currentThread().isInterrupted(), "the flag is still there: " + e);
                check(how == 1 || how == 3, "interrupted: " + lock);
                run.counts().interrupted().increment();
                return false;
            }
        });
    }
}
