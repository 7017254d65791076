// SPDX-License-Identifier: Apache-2.0
package io.pglock.stress;

import io.pglock.LockHandle;
import io.pglock.LockKey;
import io.pglock.LockLostException;
import java.sql.SQLException;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * One thread that takes locks, does something inside, and releases them, again and again. What it does next is drawn from
 * random numbers of its own.
 */
abstract class FuzzWorker implements Runnable {

    /** Of all sorts that there are. */
    static final List<LockKey> KEYS =
            List.of(LockKey.named("fuzz"), LockKey.of(-7), LockKey.of(7, -1), LockKey.of(7, 1));

    static final int LONGEST_SECTION_MICROS = 2_500;

    final String name;
    final Random random;
    final FuzzRun run;
    final SectionLog log;

    private final Object gate = new Object();
    private @Nullable Thread waiting;

    FuzzWorker(String name, Random random, FuzzRun run) throws SQLException {
        this.name = name;
        this.random = random;
        this.run = run;
        this.log = new SectionLog(run.access());
    }

    @Override
    public final void run() {
        try (log) {
            while (!run.isOver()) {
                step();
            }
        } catch (Exception | AssertionError e) {
            run.failed(name, e);
        } finally {
            end();
        }
    }

    /** One lock more, or not. */
    abstract void step() throws Exception;

    abstract void end();

    // ---- interrupts -------------------------------------------------------------------------------------------------

    /** Only while it waits for a lock: what it writes into the log must get there. */
    final void interrupt() {
        synchronized (gate) {
            if (waiting != null) {
                run.counts().interrupts().increment();
                waiting.interrupt();
            }
        }
    }

    /** @return what came of it; whether there was an interrupt, the thread does not know any more */
    final <T> T interruptibly(Callable<T> waits) throws Exception {
        synchronized (gate) {
            waiting = Thread.currentThread();
        }
        try {
            return waits.call();
        } finally {
            synchronized (gate) {
                waiting = null;
                boolean unused = Thread.interrupted();
            }
        }
    }

    // ---- what happens inside ----------------------------------------------------------------------------------------

    final boolean oneIn(int n) {
        return random.nextInt(n) == 0;
    }

    final void dwell() {
        LockSupport.parkNanos(TimeUnit.MICROSECONDS.toNanos(random.nextInt(LONGEST_SECTION_MICROS)));
    }

    final List<Integer> someKeys(int most) {
        int first = random.nextInt(KEYS.size());
        return IntStream.range(first, first + 1 + random.nextInt(most))
                .mapToObj(i -> i % KEYS.size())
                .toList();
    }

    /** A handle, and how often it was told that its lock is lost. */
    record Watched(LockHandle handle, String name, AtomicInteger told) {
        static Watched of(LockHandle handle, String name) {
            AtomicInteger told = new AtomicInteger();
            handle.onLost(told::incrementAndGet);
            return new Watched(handle, name, told);
        }
    }

    /** Closes it, and notices what is told about it. @return whether it was lost */
    final boolean isLostWhenClosed(Watched watched) {
        try {
            watched.handle().close();
            check(watched.told().get() == 0, "onLost() ran, and close() knows nothing of it: " + watched);
            return false;
        } catch (LockLostException e) {
            run.lost(watched);
            return true;
        } finally {
            check(!watched.handle().isHeld(), "is held after close(): " + watched);
            watched.handle().close();
        }
    }

    /** @return 0 where it is lost */
    static long token(LockHandle handle) {
        try {
            return handle.fencingToken();
        } catch (LockLostException e) {
            return 0;
        }
    }

    static void check(boolean holds, String otherwise) {
        if (!holds) {
            throw new AssertionError(otherwise);
        }
    }
}
