// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A guarded session that waits outside PostgreSQL's lock queue, where nobody has to wait behind it, until those who were in
 * its way have let go. The session's thread waits; the watch's thread looks. Thread-safe. Not API.
 */
final class Outside {

    /** How many looks may fail before nobody can be said to be watching. */
    private static final int LOOKS = 5;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();

    private final List<Sighting.Held> awaited = new ArrayList<>();

    /** Who has come to hold the same meanwhile, and since when that has been seen. */
    private final Map<Sighting.Held, Long> newcomers = new HashMap<>();

    private Optional<Duration> passing = Optional.empty();
    private boolean waiting;
    private boolean inVain;
    private long lookedAt;

    /** Whether the watch is to look. */
    boolean isWaiting() {
        lock.lock();
        try {
            return waiting;
        } finally {
            lock.unlock();
        }
    }

    /** What to look for. */
    List<Sighting.Held> awaited() {
        lock.lock();
        try {
            return List.copyOf(awaited);
        } finally {
            lock.unlock();
        }
    }

    /** The watch has looked for some, and these hold that now, they or others; meanwhile others may be awaited. */
    void saw(Collection<Sighting.Held> lookedFor, Collection<Sighting.Held> holders) {
        lock.lock();
        try {
            lookedAt = System.nanoTime();
            boolean gone = awaited.removeIf(each -> lookedFor.contains(each) && !holders.contains(each));
            newcomers.keySet().retainAll(holders);
            if (waiting && !lookedFor.isEmpty()) {
                awaited.addAll(whoStays(holders));
            }
            if (gone) {
                changed.signalAll();
            }
        } finally {
            lock.unlock();
        }
    }

    /** Of those who have come meanwhile: it would meet them in the queue, and wait there for nothing. */
    private List<Sighting.Held> whoStays(Collection<Sighting.Held> holders) {
        holders.stream().filter(each -> !awaited.contains(each)).forEach(each -> newcomers.putIfAbsent(each, lookedAt));
        return newcomers.entrySet().stream()
                .filter(each -> !awaited.contains(each.getKey()))
                .filter(each -> passing.filter(most -> lookedAt - each.getValue() >= most.toNanos())
                        .isPresent())
                .map(Map.Entry::getKey)
                .toList();
    }

    /** The session that waits is gone: the sooner it finds out, the better. */
    void giveUp() {
        lock.lock();
        try {
            inVain = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Waits until nobody of these holds his lock any more.
     *
     * @param delay the longest wait while nobody looks
     * @param atMost the longest wait
     * @param every how often the watch looks
     * @param passing whoever comes to hold the same meanwhile, and for longer than this, is waited for as well; empty if nobody
     * @return whether they have let go; never where there are none to wait for
     * @throws InterruptedException when the thread is interrupted
     */
    boolean await(
            Collection<Sighting.Held> these,
            Duration delay,
            Duration atMost,
            Duration every,
            Optional<Duration> passing)
            throws InterruptedException {
        long begin = System.nanoTime();
        long blind = Math.max(TimeUnit.SECONDS.toNanos(1), LOOKS * every.toNanos());
        lock.lockInterruptibly();
        try {
            awaited.clear();
            awaited.addAll(these);
            newcomers.clear();
            this.passing = passing;
            waiting = true;
            inVain = false;
            lookedAt = begin;
            while (these.isEmpty() || !awaited.isEmpty()) {
                long now = System.nanoTime();
                boolean watched = !these.isEmpty() && now - lookedAt < blind;
                long left = (watched ? atMost : Durations.shorter(delay, atMost)).toNanos() - (now - begin);
                if (left <= 0 || inVain) {
                    return false;
                }
                changed.awaitNanos(watched ? Math.min(left, blind) : left);
            }
            return true;
        } finally {
            waiting = false;
            awaited.clear();
            lock.unlock();
        }
    }
}
