// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import java.util.Queue;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** What goes on on other threads while a test does something else, each on one of its own; every wait is bounded. */
final class Threads implements AutoCloseable {

    private static final int LONGEST_SECONDS = 60;

    private final Queue<Going<?>> started = new ConcurrentLinkedQueue<>();

    /** Something that was started. */
    static final class Going<T> extends FutureTask<T> {

        private final Thread thread;

        private Going(Callable<T> work) {
            super(work);
            this.thread = new Thread(this, "going");
            thread.setDaemon(true);
        }

        void interrupt() {
            thread.interrupt();
        }

        /** Parked, for a while or for good. */
        boolean waits() {
            return thread.getState() == Thread.State.WAITING || thread.getState() == Thread.State.TIMED_WAITING;
        }

        boolean isInterrupted() {
            return thread.isInterrupted();
        }

        @Override
        public T get() {
            return within(this);
        }
    }

    <T> Going<T> start(Callable<T> work) {
        Going<T> going = new Going<>(work);
        started.add(going);
        going.thread.start();
        return going;
    }

    /** Has it done by a new thread, and waits for that. */
    <T> T get(Callable<T> work) {
        return start(work).get();
    }

    static <T> T await(Future<T> going) {
        return within(going);
    }

    private static <T> T within(Future<T> going) {
        try {
            return going.get(LONGEST_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw new AssertionError("it failed: " + e.getCause(), e.getCause());
        } catch (TimeoutException e) {
            throw new AssertionError("it took longer than " + LONGEST_SECONDS + " s", e);
        } catch (InterruptedException e) {
            throw new AssertionError("interrupted while waiting for another thread", e);
        }
    }

    @Override
    public void close() {
        started.forEach(Going::interrupt);
    }
}
