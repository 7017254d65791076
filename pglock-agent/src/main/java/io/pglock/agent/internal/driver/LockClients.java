// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal.driver;

import io.pglock.ClientLock;
import io.pglock.LockClient;
import io.pglock.LockHandle;
import io.pglock.LockKey;
import io.pglock.agent.internal.HeldLock;
import io.pglock.internal.Daemon;
import java.time.Duration;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * A client for each database on which locks are taken that no connection of the application's holds: opened with the first of
 * them, closed when there has been none for a while, so that neither its session nor its thread outlives an application.
 * Thread-safe.
 */
final class LockClients {

    /**
     * Shorter than what it takes an idle client to ask whether its session is still there: in a web application that has been
     * stopped meanwhile the driver would have to load classes for that, and its class loader refuses to.
     */
    private static final Duration LINGER = Duration.ofSeconds(1);

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final IdentityHashMap<DataSource, Entry> open = new IdentityHashMap<>();
    private @Nullable Thread closing;

    private static final class Entry {
        private final CompletableFuture<LockClient> connected = new CompletableFuture<>();
        int users;
        long idleSince;

        /** For the first who comes: it takes as long as the database likes. */
        void connect(DataSource database) {
            try {
                connected.complete(LockClient.create(database));
            } catch (RuntimeException | Error e) {
                connected.completeExceptionally(e);
                throw e;
            }
        }

        /** For everybody else, once it is there. */
        LockClient client() {
            try {
                return connected.join();
            } catch (CompletionException e) {
                if (e.getCause() instanceof RuntimeException why) {
                    throw why;
                }
                throw e;
            }
        }
    }

    /** Where a lock can be acquired. */
    @FunctionalInterface
    interface Lease {
        Held acquire(LockKey key, boolean shared, Optional<Duration> timeout);
    }

    /** A lock that is held, by one who uses a client. */
    record Held(LockHandle handle, Runnable leave) implements HeldLock {

        @Override
        public boolean isHeld() {
            return handle.isHeld();
        }

        @Override
        public void release() {
            try {
                handle.close();
            } finally {
                leave.run();
            }
        }
    }

    /** On this database. */
    Lease on(DataSource database) {
        return (key, shared, timeout) -> {
            Entry entry = enter(database);
            boolean acquired = false;
            try {
                ClientLock request = entry.client().advisory(key);
                request = shared ? request.shared() : request;
                LockHandle held = timeout.map(request::timeout)
                        .orElseGet(request::noTimeout)
                        .acquire();
                acquired = true;
                return new Held(held, () -> leave(entry));
            } finally {
                if (!acquired) {
                    leave(entry);
                }
            }
        };
    }

    private Entry enter(DataSource database) {
        Entry mine = new Entry();
        Entry entry;
        lock.lock();
        try {
            Entry there = open.putIfAbsent(database, mine);
            entry = there == null ? mine : there;
            entry.users++;
        } finally {
            lock.unlock();
        }
        boolean connected = false;
        try {
            if (entry == mine) {
                entry.connect(database); // without the lock: a database that is silent is no other's affair
            }
            entry.client();
            connected = true;
            return entry;
        } finally {
            if (!connected) {
                forget(database, entry);
            }
        }
    }

    /** The next one tries again. */
    private void forget(DataSource database, Entry failed) {
        lock.lock();
        try {
            open.remove(database, failed);
        } finally {
            lock.unlock();
        }
    }

    private void leave(Entry entry) {
        lock.lock();
        try {
            entry.users--;
            entry.idleSince = System.nanoTime();
            if (closing == null) {
                Thread begun = Daemon.thread(this::closeIdle, "pglock-idle");
                begun.start(); // or the next one tries again
                closing = begun;
            }
        } finally {
            lock.unlock();
        }
    }

    /** Until there is none. */
    private void closeIdle() {
        try {
            for (List<LockClient> over = awaitIdle(); !over.isEmpty(); over = awaitIdle()) {
                over.forEach(LockClient::close); // takes a while, and others may enter meanwhile
            }
        } finally {
            ended(Thread.currentThread());
        }
    }

    /** However it has ended: the next lock that is released begins another one. */
    private void ended(Thread thread) {
        lock.lock();
        try {
            if (closing == thread) {
                closing = null;
            }
        } finally {
            lock.unlock();
        }
    }

    /** Those that nobody has used for a while; none when there are no others either. */
    private List<LockClient> awaitIdle() {
        List<LockClient> over = new ArrayList<>();
        lock.lock();
        try {
            while (true) {
                long now = System.nanoTime();
                open.values().removeIf(entry -> {
                    boolean idle = entry.users == 0 && now - entry.idleSince >= LINGER.toNanos();
                    if (idle) {
                        over.add(entry.client());
                    }
                    return idle;
                });
                if (!over.isEmpty() || open.isEmpty()) {
                    break;
                }
                changed.awaitNanos(LINGER.toNanos() / 5);
            }
        } catch (InterruptedException e) {
            return List.of(); // whoever ends the threads of this JVM
        } finally {
            if (over.isEmpty()) {
                closing = null;
            }
            lock.unlock();
        }
        return over;
    }
}
