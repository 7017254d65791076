// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import io.pglock.internal.ClientHold;
import io.pglock.internal.Daemon;
import io.pglock.internal.HoldWatch;
import io.pglock.internal.LockEngine;
import io.pglock.internal.LockRequest;
import io.pglock.internal.Log;
import io.pglock.internal.Text;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.function.Consumer;
import javax.sql.DataSource;

/**
 * Session advisory locks for a service that takes many, all day long: ten thousand on one connection. One thread of the client's own uses
 * that connection; whoever wants a lock parks until it is granted, and all that is wanted at the same time goes to the server in one
 * statement. A lock that is lost, because the session that held it is gone, is told to its holder.
 *
 * {@snippet :
 * try (LockClient client = LockClient.create(dataSource)) {
 *     try (LockHandle lock = client.advisory("nightly-report").acquire()) {
 *         report();
 *     }
 *     Lock leader = client.lock("leader"); // java.util.concurrent.locks.Lock
 * }
 * }
 *
 * <p>Make one for each database and application, and keep it. It takes one connection from the DataSource for as long as it
 * is open, and a second one for a moment where a pooler sits in between. Waiting never happens on the server: a waiter holds no
 * snapshot and no backend, and an interrupt of it touches nobody else. While a lock is held elsewhere, the server is asked again, 1 to 50 ms apart.
 *
 * <p>When the connection is lost, every lock is: each handle is told once ({@link LockHandle#onLost}), and none is taken again
 * behind your back. That the server has said goodbye or the socket is closed is noticed within a second, a network that is
 * silently dead within {@link Options#heartbeat}. Whoever waits goes on waiting, on a new connection; that is opened when
 * somebody wants a lock, again and again, up to 5 s apart, for as long as somebody does.
 *
 * <p>The session is set up so that the server soon notices when this machine dies: it probes the connection after 5 s of silence
 * and gives up 6 s later ({@code tcp_keepalives_*}, {@code tcp_user_timeout}). A process that is killed takes its connection along at once.
 *
 * <p>This class is thread-safe.
 *
 * @see <a href="https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS">Advisory Locks</a>
 */
public final class LockClient implements AutoCloseable {

    private static final LockListener NOBODY = new LockListener() {};
    private static final int MOST_THREADS = 8;
    private static final long LONGEST_QUESTION_MILLIS = 3_000;

    private final Options options;
    private final Executor executor;
    private final HoldWatch watch;
    private final LockEngine engine;
    private final ConcurrentMap<ThreadLock.Holder, Deque<LockHandle>> heldByThreads = new ConcurrentHashMap<>();

    /**
     * What a {@link LockClient} is made with. Immutable: its methods return new options. Thread-safe.
     *
     * {@snippet :
     * LockClient.Options.defaults().heartbeat(Duration.ofSeconds(5)).maxLocks(10_000)
     * }
     */
    public static final class Options {

        private static final Options DEFAULTS =
                new Options("", Duration.ofSeconds(10), 1_000, Optional.empty(), NOBODY, Optional.empty());

        private final String name;
        private final Duration heartbeat;
        private final int maxLocks;
        private final Optional<Duration> warnWhenHeldFor;
        private final LockListener listener;
        private final Optional<Executor> executor;

        private Options(
                String name,
                Duration heartbeat,
                int maxLocks,
                Optional<Duration> warnWhenHeldFor,
                LockListener listener,
                Optional<Executor> executor) {
            this.name = name;
            this.heartbeat = heartbeat;
            this.maxLocks = maxLocks;
            this.warnWhenHeldFor = warnWhenHeldFor;
            this.listener = listener;
            this.executor = executor;
        }

        /** A heartbeat of 10 s, at most 1,000 locks, no warning about long holds, no listener, threads of the client's own. */
        public static Options defaults() {
            return DEFAULTS;
        }

        /** What the session shows as its {@code application_name}, followed by {@code pglock}; by default the connection's own. */
        public Options name(String applicationName) {
            return new Options(applicationName, heartbeat, maxLocks, warnWhenHeldFor, listener, executor);
        }

        /**
         * Within this a connection is known to be dead that does not say so. A server that takes longer than three quarters of it to answer
         * counts as dead. By default 10 s: long enough for a busy server, short enough for a job to stop in time.
         *
         * @throws IllegalArgumentException when it is shorter than 200 ms or longer than an hour
         */
        public Options heartbeat(Duration atMost) {
            if (atMost.compareTo(Duration.ofMillis(200)) < 0 || atMost.compareTo(Duration.ofHours(1)) > 0) {
                throw new IllegalArgumentException(
                        "A heartbeat is between 200ms and 1h, not " + Text.age(atMost) + ".");
            }
            return new Options(name, atMost, maxLocks, warnWhenHeldFor, listener, executor);
        }

        /**
         * How many keys the client holds or waits for at most; one more is refused with a {@link PgLockException}. By default
         * 1,000: the server keeps all locks of everybody in one table, with room for {@code max_locks_per_transaction} times
         * {@code max_connections}, and when that is full no session can lock anything, not even a table that it reads.
         *
         * @throws IllegalArgumentException when it is not positive
         */
        public Options maxLocks(int atMost) {
            if (atMost <= 0) {
                throw new IllegalArgumentException("A client may have one lock at least, not " + atMost + ".");
            }
            return new Options(name, heartbeat, atMost, warnWhenHeldFor, listener, executor);
        }

        /**
         * Warns, with the stack of whoever acquired it, of a lock that is held for longer, or whose handle was garbage collected
         * without being closed. The lock stays held all the same. By default off, and then it costs nothing; otherwise each
         * acquisition records its stack.
         *
         * @throws IllegalArgumentException when it is not positive or longer than 292 years, which is as far as its clock goes
         */
        public Options warnWhenHeldFor(Duration longest) {
            if (longest.compareTo(Duration.ofNanos(Long.MAX_VALUE)) > 0) {
                throw new IllegalArgumentException("The longest time that a lock may be held is 292 years, not "
                        + longest + ". Leave warnWhenHeldFor() out to be warned of none.");
            }
            if (longest.isNegative() || longest.isZero()) {
                throw new IllegalArgumentException(
                        "The longest time that a lock may be held is positive, not " + longest + ".");
            }
            return new Options(name, heartbeat, maxLocks, Optional.of(longest), listener, executor);
        }

        /** Hears of what becomes of the locks. */
        public Options listener(LockListener told) {
            return new Options(name, heartbeat, maxLocks, warnWhenHeldFor, told, executor);
        }

        /**
         * Runs {@link LockHandle#onLost} and what depends on the futures of the {@code ...Async} methods. By default up to eight
         * daemon threads of the client's own, which end when they have had nothing to do for a second. It must not run them on
         * the thread that hands them over: that is the client's.
         */
        public Options executor(Executor runs) {
            return new Options(name, heartbeat, maxLocks, warnWhenHeldFor, listener, Optional.of(runs));
        }
    }

    private LockClient(DataSource dataSource, Options options) {
        this.options = options;
        this.executor = options.executor.map(LockClient::accepting).orElseGet(LockClient::threads);
        this.watch = options.warnWhenHeldFor
                .map(longest -> HoldWatch.on(longest, this::suspected))
                .orElse(HoldWatch.OFF);
        this.engine = LockEngine.start(
                dataSource::getConnection,
                new LockEngine.Settings(options.name, options.heartbeat, options.maxLocks, executor, watch::look));
    }

    /** One that is shut down, full or broken must not keep anybody from being told, nor end the thread that tells. */
    private static Executor accepting(Executor given) {
        return work -> {
            try {
                given.execute(work);
            } catch (RuntimeException e) {
                Log.log(
                        Level.WARNING,
                        "The executor of a LockClient does not take work, which a new thread does instead",
                        e);
                Daemon.thread(work, "pglock-told").start();
            }
        };
    }

    private static Executor threads() {
        AtomicInteger number = new AtomicInteger();
        ThreadPoolExecutor threads = new ThreadPoolExecutor(
                MOST_THREADS,
                MOST_THREADS,
                1,
                TimeUnit.SECONDS,
                new LinkedBlockingQueue<>(),
                work -> Daemon.thread(work, "pglock-told-" + number.incrementAndGet()));
        threads.allowCoreThreadTimeOut(true);
        return threads;
    }

    /**
     * Connects, with the default options. How long it may take to open the connection, or to get it from a pool, is for the DataSource to
     * say ({@code connectTimeout}, {@code loginTimeout}, the pool's own); once it is there, {@link Options#heartbeat} bounds every answer.
     *
     * @param dataSource where the client's connection comes from; with a pool, one connection of it is taken until {@link
     *     #close()}
     * @throws LockNotSupportedException when it does not lead to PostgreSQL, leads to a standby, through a pooler in transaction
     *     mode, or to a session that is in use
     * @throws PgLockException when it cannot connect
     */
    public static LockClient create(DataSource dataSource) {
        return create(dataSource, Options.defaults());
    }

    /** Connects; see {@link #create(DataSource)}. */
    public static LockClient create(DataSource dataSource, Options options) {
        return new LockClient(dataSource, options);
    }

    /** The lock with this name, see {@link LockKey#named}. */
    public ClientLock advisory(String name) {
        return advisory(LockKey.named(name));
    }

    /**
     * The lock with this key; with more than one, all of them or none: in one statement, in the same order for everybody. Whoever
     * waits for several holds none of them meanwhile, and does not queue before those who want one.
     */
    public ClientLock advisory(LockKey first, LockKey... more) {
        if (more.length == 0) {
            return new ClientLock(this, List.of(first));
        }
        LockKey[] all = Arrays.copyOf(more, more.length + 1);
        all[more.length] = first;
        return new ClientLock(
                this,
                Arrays.stream(all)
                        .distinct()
                        .sorted(Comparator.comparing(LockKey::isPair).thenComparing(LockKey::number))
                        .toList());
    }

    /**
     * Takes all these locks or none, and waits until it can; the same as {@code advisory(keys).acquire()}.
     *
     * @throws IllegalArgumentException when there is no key
     */
    public LockHandle acquireAll(LockKey... keys) {
        if (keys.length == 0) {
            throw new IllegalArgumentException("There is nothing to lock: name a key.");
        }
        return advisory(keys[0], Arrays.copyOfRange(keys, 1, keys.length)).acquire();
    }

    /** The lock with this name as one of {@code java.util.concurrent}; see {@link #lock(LockKey)}. */
    public Lock lock(String name) {
        return lock(LockKey.named(name));
    }

    /**
     * The lock with this key as one of {@code java.util.concurrent}: re-entrant, held by the thread that has locked it. {@code
     * unlock()} by any other throws {@link IllegalMonitorStateException}, and {@link LockLostException} when the lock was lost; there
     * are no conditions. Any number of views of the same key are the same lock.
     */
    public Lock lock(LockKey key) {
        return new ThreadLock(advisory(key), key, false, heldByThreads);
    }

    /** The lock with this name for readers and writers; see {@link #readWriteLock(LockKey)}. */
    public ReadWriteLock readWriteLock(String name) {
        return readWriteLock(LockKey.named(name));
    }

    /**
     * The lock with this key for readers, in shared mode, and writers, in exclusive mode, as one of {@code java.util.concurrent}. A
     * writer may lock for reading too, and so become a reader. A reader that wants to become a writer would wait for itself: that
     * is refused with an {@link IllegalStateException}, {@code tryLock()} returns false.
     */
    public ReadWriteLock readWriteLock(LockKey key) {
        Lock reading = new ThreadLock(advisory(key).shared(), key, true, heldByThreads);
        Lock writing = lock(key);
        return new ReadWriteLock() {
            @Override
            public Lock readLock() {
                return reading;
            }

            @Override
            public Lock writeLock() {
                return writing;
            }

            @Override
            public String toString() {
                return key.toString();
            }
        };
    }

    LockEngine engine() {
        return engine;
    }

    Executor executor() {
        return executor;
    }

    void acquired(ClientHandle handle, ClientHold hold) {
        watch.watch(hold, handle);
        if (options.listener != NOBODY) {
            hold.onLost(() -> tell(listener -> listener.lost(use(hold), hold.why())));
            tell(listener -> listener.acquired(use(hold)));
        }
    }

    static LockListener.Use use(ClientHold hold) {
        return new LockListener.Use(hold.keys(), hold.isShared(), hold.owner(), hold.waited(), hold.age());
    }

    /** Who is in the way, as the end of a message. */
    String inTheWayOf(LockRequest request) {
        return asked(engine.inTheWayOf(request), ".");
    }

    private static String asked(CompletableFuture<String> answer, String otherwise) {
        boolean interrupted = Thread.interrupted();
        try {
            return answer.get(LONGEST_QUESTION_MILLIS, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            interrupted = true;
            return otherwise;
        } catch (ExecutionException | TimeoutException e) {
            return otherwise;
        } finally {
            answer.cancel(false); // if it has not come, nobody listens any more
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private void suspected(ClientHold hold, HoldWatch.Suspicion suspicion) {
        executor.execute(() -> {
            Log.log(Level.WARNING, String.valueOf(suspicion.getMessage()), suspicion);
            tell(listener -> listener.suspected(use(hold), suspicion));
        });
    }

    void tell(Consumer<LockListener> what) {
        if (options.listener == NOBODY) {
            return;
        }
        try {
            what.accept(options.listener);
        } catch (RuntimeException | Error e) { // an AssertionError must not cost a caller his handle
            Log.log(Level.WARNING, "The listener of " + engine.name() + " failed", e);
        }
    }

    /** Ends the session, and waits for that; for a DataSource that does not come back with a new one, a second. Whoever waits for a lock gets an {@link IllegalStateException}; what is still held is lost, and is told so. Closing again does nothing. */
    @Override
    public void close() {
        engine.close();
    }

    /** {@code pglock-1, pid 4711: holds 2 of at most 1000 (leader (...) by thread main; ...), 1 waiting}. */
    @Override
    public String toString() {
        return asked(engine.describe(), engine + ", busy");
    }
}
