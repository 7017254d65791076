// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import java.sql.SQLException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A guarded session's place in PostgreSQL's lock queue, attempt by attempt: who is ahead of it, who waits behind it, and when it
 * makes way for them. Under the lock of {@link Acting}. Not API.
 */
final class QueuePlace {

    private final PgSession.Facts facts;
    private final Notices notices;
    private final Victims victims;
    private List<Sighting> ahead = List.of();
    private String waitsFor = "";

    /** Since when it has been seen to wait for that, and each of those ahead to be there all the time; by the watch's own clock. */
    private long waitsSince;

    private final Map<BlockerKey, Long> aheadSince = new HashMap<>();

    /**
     * Since when each session holds what it waits for, in however many transactions: a lock of a session outlasts them. Empty for
     * who has been seen to from the first look at this wait on.
     */
    private final Map<BlockerKey, Optional<Long>> holdingSince = new HashMap<>();

    private Duration waited = Duration.ZERO;

    private Optional<GiveWay> rule = Optional.empty();

    /** Of the latest rule that there was. */
    private Optional<Duration> maxBlockedTime = Optional.empty();

    private Optional<Long> gaveWayAt = Optional.empty();

    /** Somebody was, in this attempt: he needs a moment to go, however long he has been there, and leaving begins all anew. */
    private boolean sentAway;

    /** An autovacuum that no waiting drives off: one that prevents wraparound, to a role that may not see that. */
    private boolean vacuumStays;

    QueuePlace(PgSession.Facts facts, Notices notices, Victims.Tally victims) {
        this.facts = facts;
        this.notices = notices;
        this.victims = new Victims(victims);
    }

    /** An attempt begins. */
    void attempt() {
        ahead = List.of();
        waitsFor = "";
        waited = Duration.ZERO;
        victims.gone();
        gaveWayAt = Optional.empty();
        sentAway = false;
        rule = Optional.empty();
    }

    /** From here on by this rule; with one only if the attempt can be undone and made again. */
    void rule(Optional<GiveWay> mayGiveWay) {
        rule = mayGiveWay;
        mayGiveWay.ifPresent(given -> maxBlockedTime = given.maxBlockedTime());
    }

    /** How long others may wait behind it, by the latest attempt that would have given way. */
    Optional<Duration> maxBlockedTime() {
        return maxBlockedTime;
    }

    boolean gaveWay() {
        return gaveWayAt.isPresent();
    }

    /** These are ahead now; those who were last remembered are kept where nobody is. */
    void saw(List<Sighting> sightings, long now) {
        if (sightings.isEmpty()) {
            waitsFor = "";
            return;
        }
        String before = waitsFor;
        waitsFor = sightings.get(0).waitsFor();
        boolean begins = !waitsFor.equals(before);
        if (begins) {
            waitsSince = now;
            aheadSince.clear();
            holdingSince.clear();
        }
        Set<BlockerKey> present = sightings.stream()
                .map(sighting -> BlockerKey.of(sighting.backend()))
                .collect(Collectors.toSet());
        aheadSince.keySet().retainAll(present);
        present.forEach(key -> aheadSince.putIfAbsent(key, now));
        Set<BlockerKey> holders = sightings.stream()
                .filter(Sighting::hard)
                .map(holder -> BlockerKey.ofSession(holder.backend()))
                .collect(Collectors.toSet());
        holdingSince.keySet().retainAll(holders);
        holders.forEach(holder -> holdingSince.putIfAbsent(holder, begins ? Optional.empty() : Optional.of(now)));
        ahead = sightings;
        waited = ownWait(now);
    }

    /** How long it has waited, as it was seen last in this attempt. */
    Duration waited() {
        return waited;
    }

    /** Who has waited behind it in this attempt. */
    Victims.Summary victims() {
        return victims.ofThisAttempt();
    }

    /**
     * How long it has waited for this one: by the server's clock or, where it does not tell, since the watch first saw it there, for
     * what looks like one wait may be many short ones, for others each time.
     */
    Duration waited(Sighting sighting, long now) {
        return waited(sighting, aheadSince.getOrDefault(BlockerKey.of(sighting.backend()), now), now);
    }

    /** How long it has waited for this one as a holder: who has stood in the queue before has been in nobody's way for so long. */
    Duration heldUpBy(Sighting sighting, long now) {
        Duration waited = waited(sighting, now);
        return holdingSince
                .getOrDefault(BlockerKey.ofSession(sighting.backend()), Optional.empty())
                .map(since -> Durations.shorter(waited, Duration.ofNanos(now - since)))
                .orElse(waited);
    }

    /** Whoever is ahead by now. */
    private Duration ownWait(long now) {
        return waited(ahead.get(0), waitsSince, now);
    }

    private static Duration waited(Sighting sighting, long since, long now) {
        Duration seen = Duration.ofNanos(now - since);
        return sighting.waited()
                .orElseGet(() -> sighting.running()
                        .map(running -> Durations.shorter(running, seen))
                        .orElse(seen));
    }

    /** Whether nobody but an autovacuum that PostgreSQL would send away holds what the attempt waits, or waited, for. */
    boolean onlyAutovacuumAhead() {
        List<Sighting> holders = holders();
        return !holders.isEmpty() && holders.stream().allMatch(holder -> holder.kind() == Sighting.Kind.AUTOVACUUM);
    }

    /**
     * Cancels the waiting statement where others wait behind it.
     *
     * @param signalled whether somebody has just been sent away for it: that may be all it takes
     * @param nextLook how long it is until then
     */
    void makeWay(SideConnection side, long now, boolean signalled, Duration nextLook) throws SQLException {
        Sighting any = ahead.get(0);
        Duration waited = ownWait(now);
        Duration behind = victims.saw(any.victims(), any.victimsWaited(), waited, now);
        sentAway |= signalled;
        if (signalled || rule.isEmpty() || isOnItsWay(waited, now)) {
            return;
        }
        GiveWay given = rule.get();
        boolean due = sentAway
                ? given.isDue(any.victims().size(), behind, nextLook, Duration.ZERO)
                : given.isDue(any.victims().size(), behind.plus(victims.lostBefore(now)), nextLook, heldOnFor(waited));
        if (!due || isPastAnAutovacuumSoon(given, side, waited)) {
            return;
        }
        Optional<Long> before = gaveWayAt;
        gaveWayAt = Optional.of(now); // an answer that is lost does not say that nothing was sent
        try {
            if (!side.giveWay(facts.pid(), facts.start())) {
                gaveWayAt = before;
            }
        } catch (SQLException e) {
            if (!SqlState.is(e, SqlState.INSUFFICIENT_PRIVILEGE)) {
                throw e;
            }
            gaveWayAt = before;
            rule = Optional.empty();
            notices.warn(
                    "give way",
                    "Others wait behind pid " + facts.pid()
                            + ", and the side connection's role may not cancel that statement to make"
                            + " way for them: GRANT pg_signal_backend TO it, or let it connect as the role that migrates.");
        }
    }

    /** At least as long as the unit has waited for them; longer where it may be seen when their transactions began. */
    private Duration heldOnFor(Duration waited) {
        return holders().stream()
                .flatMap(holder -> holder.backend().xactAge().stream())
                .reduce(waited, Durations::longer);
    }

    /** A cancel was sent, and not to an earlier wait of the same attempt. */
    private boolean isOnItsWay(Duration waited, long now) {
        return gaveWayAt.filter(at -> waited.toNanos() >= now - at).isPresent();
    }

    /** Giving way to others would begin the wait anew that makes an autovacuum leave. */
    private boolean isPastAnAutovacuumSoon(GiveWay given, SideConnection side, Duration waited) {
        if (vacuumStays || !onlyAutovacuumAhead()) {
            return false;
        }
        boolean soon = given.outlasts(side.deadlockTimeout(), waited);
        vacuumStays = !soon && given.outlasts(side.deadlockTimeout(), Duration.ZERO);
        return soon;
    }

    /** Those ahead who hold something. */
    List<Sighting> holders() {
        return ahead.stream().filter(Sighting::hard).toList();
    }
}
