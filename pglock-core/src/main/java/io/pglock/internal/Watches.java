// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import javax.sql.DataSource;

/**
 * One watch for each DataSource on which somebody is guarded, from the first scope to the last; nothing is kept of a
 * DataSource without one. Most scopes are over before a look at them is due: then their watch never gets a thread. One daemon
 * thread, the alarm, starts those of the others. Thread-safe. Not API.
 */
public final class Watches {

    /** Longer than it takes from one migration to the next, so that not each of them has to start the alarm. */
    private static final Duration LINGER = Duration.ofMillis(100);

    /** Until another try where there was no thread for a watch. */
    private static final Duration AGAIN = Duration.ofSeconds(1);

    /** For everything below, and for a watch to begin or to become over. */
    private static final ReentrantLock LOCK = new ReentrantLock();

    private static final Condition SOONER = LOCK.newCondition();

    private static final IdentityHashMap<DataSource, Watch> RUNNING = new IdentityHashMap<>();

    private static Optional<Thread> alarm = Optional.empty();
    private static long wakesAt;
    private static boolean usedSinceItWoke;

    /** Whom to tell that there is no thread, when the lock is free again: a listener may come back here. */
    private static final List<Runnable> NEWS = new ArrayList<>();

    private Watches() {}

    /** What ends the guarding; closing it again does nothing. */
    @FunctionalInterface
    public interface Guarding extends AutoCloseable {
        @Override
        void close();
    }

    /** From now on the watch on this DataSource looks after this session; starts it if need be. No SQL, no waiting. */
    public static Guarding guard(DataSource dataSource, Guarded session) {
        Watch watch;
        LOCK.lock();
        try {
            watch = RUNNING.computeIfAbsent(dataSource, Watch::new);
            watch.add(session);
            if (!watch.hasBegun()) {
                beginAt(session.firstLookAt(), watch);
            }
        } finally {
            unlock();
        }
        return () -> leave(watch, session);
    }

    /** When it returns, nothing is done for this session any more; with the last one the watch ends too. */
    static void leave(Watch watch, Guarded session) {
        boolean last;
        LOCK.lock();
        try {
            last = watch.remove(session);
            if (last) {
                RUNNING.remove(watch.dataSource(), watch);
                wakeBy(System.nanoTime() + LINGER.toNanos());
            }
        } finally {
            LOCK.unlock();
        }
        session.end();
        if (last) {
            watch.awaitEnd();
        }
    }

    // ---- the alarm --------------------------------------------------------------------------------------------------

    private static void beginAt(long firstLook, Watch watch) {
        if (firstLook - System.nanoTime() <= 0) {
            begin(watch);
            return;
        }
        usedSinceItWoke = true;
        if (alarm.isPresent()) {
            wakeBy(firstLook);
            return;
        }
        wakesAt = firstLook;
        try {
            alarm = Optional.of(Daemon.start(Watches::ring, "pglock-alarm"));
        } catch (OutOfMemoryError e) {
            NEWS.add(() -> watch.cannotBegin(e));
        }
    }

    private static void begin(Watch watch) {
        try {
            watch.begin();
        } catch (OutOfMemoryError e) {
            NEWS.add(() -> watch.cannotBegin(e));
        }
    }

    private static void unlock() {
        List<Runnable> news = List.copyOf(NEWS);
        NEWS.clear();
        LOCK.unlock();
        news.forEach(Runnable::run);
    }

    /** It wakes no later than that. Nobody tells it to sleep for longer: it finds out, which is cheaper. */
    private static void wakeBy(long at) {
        if (alarm.isPresent() && at - wakesAt < 0) {
            wakesAt = at;
            SOONER.signal();
        }
    }

    /** Ends when nobody has needed it for a while, so that it outlives neither its class loader nor the patience of a user. */
    private static void ring() {
        LOCK.lock();
        try {
            boolean needed = true;
            while (needed) {
                for (long left = wakesAt - System.nanoTime(); left > 0; left = wakesAt - System.nanoTime()) {
                    SOONER.awaitNanos(left);
                }
                needed = beginWhatIsDue();
                if (!NEWS.isEmpty()) {
                    try {
                        unlock();
                    } finally {
                        LOCK.lock();
                    }
                }
            }
        } catch (InterruptedException e) {
            // whoever ends the threads of this JVM; a watch that has begun waits by itself
        } finally {
            alarm = Optional.empty();
            try {
                waiting().forEach(Watches::begin);
            } finally {
                unlock();
            }
        }
    }

    /** Whether to go on. */
    private static boolean beginWhatIsDue() {
        long now = System.nanoTime();
        waiting().stream().filter(watch -> watch.firstLookAt() - now <= 0).forEach(Watches::begin);
        Optional<Long> next = waiting().stream()
                .map(Watch::firstLookAt)
                .map(first -> first - now <= 0 ? now + AGAIN.toNanos() : first)
                .reduce((a, b) -> a - b < 0 ? a : b);
        boolean needed = next.isPresent() || usedSinceItWoke;
        usedSinceItWoke = false;
        wakesAt = next.orElse(now + LINGER.toNanos());
        return needed;
    }

    private static Collection<Watch> waiting() {
        return RUNNING.isEmpty()
                ? List.of()
                : RUNNING.values().stream().filter(watch -> !watch.hasBegun()).toList();
    }
}
