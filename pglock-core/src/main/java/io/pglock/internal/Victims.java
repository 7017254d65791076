// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Who waits behind a guarded session while it waits itself. Under the lock of {@link Acting}. Not API. */
public final class Victims {

    /** What became of it in the whole unit: how many different sessions, how many at once, and the longest wait of one. */
    public record Summary(int sessions, int atOnce, Duration longest) {}

    /** What others have lost is forgotten at this rate: one part in so many of their time may be lost to a unit in the long run. */
    private static final int FORGOTTEN_IN = 50;

    /** Since when each of them has been seen, for servers that do not tell (before PostgreSQL 14). */
    private final Map<Integer, Long> seenSince = new HashMap<>();

    private final Tally tally;
    private Duration behindThisWait = Duration.ZERO;
    private int mostBehindThisWait;
    private long lastSeen;

    Victims(Tally tally) {
        this.tally = tally;
    }

    /** Of all the sessions of a unit, over all its attempts. */
    static final class Tally {

        private final Set<Integer> all = new HashSet<>();
        private int most;
        private Duration longest = Duration.ZERO;
        private long lost;
        private long lostAt;

        private void saw(Collection<Integer> pids, Duration waited) {
            all.addAll(pids);
            most = Math.max(most, pids.size());
            longest = Durations.longer(longest, waited);
        }

        private void lose(Duration waited, long now) {
            if (!waited.isZero()) {
                lost = lately(now) + waited.toNanos();
                lostAt = now;
            }
        }

        private long lately(long now) {
            return Math.max(0, lost - (now - lostAt) / FORGOTTEN_IN);
        }

        Summary summary() {
            return new Summary(all.size(), most, longest);
        }
    }

    /**
     * These wait now.
     *
     * @param waited the longest wait, where the server tells
     * @param ownWait nobody has waited behind a wait for longer than that has lasted
     * @return the longest wait
     */
    Duration saw(Collection<Integer> pids, Optional<Duration> waited, Duration ownWait, long now) {
        seenSince.keySet().retainAll(pids);
        pids.forEach(pid -> seenSince.putIfAbsent(pid, now));
        Duration theirs = waited.orElseGet(() -> seenSince.values().stream()
                .map(since -> Duration.ofNanos(now - since))
                .max(Duration::compareTo)
                .orElse(Duration.ZERO));
        Duration behind = Durations.shorter(theirs, ownWait);
        tally.saw(pids, behind);
        behindThisWait = Durations.longer(behindThisWait, behind);
        mostBehindThisWait = Math.max(mostBehindThisWait, pids.size());
        lastSeen = now;
        return behind;
    }

    /** What they have lost lately to earlier waits of the unit. */
    Duration lostBefore(long now) {
        return Duration.ofNanos(tally.lately(now));
    }

    /** Nobody waits behind it any more: it waits no more itself. */
    void gone() {
        seenSince.clear();
        tally.lose(behindThisWait, lastSeen);
        behindThisWait = Duration.ZERO;
        mostBehindThisWait = 0;
    }

    /** Since the latest {@link #gone}: those at once, and the longest wait of one. */
    Summary ofThisAttempt() {
        return new Summary(mostBehindThisWait, mostBehindThisWait, behindThisWait);
    }
}
