// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import java.sql.SQLException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Where a thread of pglock's own may hang for as long as a DataSource likes. Whoever ends that thread interrupts it there and
 * nowhere else, and does not wait for it for long; what it gets too late it gives back. Thread-safe. Not API.
 */
final class Connecting {

    /** So long a thread is waited for that was connecting when it was ended. */
    static final Duration LONGEST_END = Duration.ofSeconds(1);

    /** Gets a connection, or what is made of one. */
    @FunctionalInterface
    interface Attempt<T> {
        T connect() throws SQLException;
    }

    /** Closes what nobody wants any more. */
    @FunctionalInterface
    interface GivingBack<T> {
        void close(T connected) throws SQLException;
    }

    private final ReentrantLock lock = new ReentrantLock();

    /** Under the lock, as is what follows. */
    private Optional<Thread> connecting = Optional.empty();

    private boolean over;
    private boolean leftAlone;

    /**
     * Connects; of what goes wrong there, nothing is said to those who have been ended meanwhile.
     *
     * @return empty when it was ended, before or meanwhile
     */
    <T> Optional<T> connect(Attempt<T> attempt, GivingBack<T> givingBack) throws SQLException {
        if (!begin()) {
            return Optional.empty();
        }
        T connected;
        try {
            connected = attempt.connect();
        } catch (SQLException | RuntimeException | Error e) {
            if (isStillWanted()) {
                throw e;
            }
            return Optional.empty();
        }
        if (isStillWanted()) {
            return Optional.of(connected);
        }
        try {
            givingBack.close(connected);
        } catch (SQLException | RuntimeException e) {
            // nobody is left to be told
        }
        return Optional.empty();
    }

    private boolean begin() {
        lock.lock();
        try {
            connecting = Optional.of(Thread.currentThread()).filter(me -> !over);
            return !over;
        } finally {
            lock.unlock();
        }
    }

    /** From here on nobody interrupts the thread. */
    private boolean isStillWanted() {
        lock.lock();
        try {
            connecting = Optional.empty();
            Thread.interrupted();
            return !over;
        } finally {
            lock.unlock();
        }
    }

    /** Nobody wants a connection any more. @return whether that has met somebody who was connecting, and is left alone with it */
    boolean end() {
        lock.lock();
        try {
            boolean meets = !over && connecting.isPresent();
            over = true;
            leftAlone |= meets;
            connecting.ifPresent(Thread::interrupt);
            return meets;
        } finally {
            lock.unlock();
        }
    }

    /** Whether somebody was connecting when it was ended. */
    boolean isLeftAlone() {
        lock.lock();
        try {
            return leftAlone;
        } finally {
            lock.unlock();
        }
    }

    boolean isGoingOn() {
        lock.lock();
        try {
            return connecting.isPresent();
        } finally {
            lock.unlock();
        }
    }
}
