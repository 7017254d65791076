// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import io.pglock.PgLockException;
import io.pglock.SeenBlocker;
import io.pglock.Signalled;
import java.lang.ref.WeakReference;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.postgresql.core.BaseConnection;

/**
 * A session for as long as a scope guards it: what was asked for, who has been seen in its way and what was done. The watch's
 * thread acts for it under a lock that {@link #end} takes too, so that nothing is done for it afterwards. It does not keep the
 * connection from being collected. Thread-safe. Not API.
 */
public final class Guarded {

    /** Longer than any statement of the side connection may run. */
    private static final Duration LONGEST_SIGNAL = Duration.ofSeconds(6);

    private final PriorityPlan plan;
    private final PgSession.Facts facts;
    private final WeakReference<Connection> connection;
    private final WeakReference<BaseConnection> physical;
    private final OwnSessions.Registration registration;
    private final long startedAt = System.nanoTime();

    /** Held while something is done for this session. */
    private final ReentrantLock acting = new ReentrantLock();

    private final CompletableFuture<Optional<String>> checked = new CompletableFuture<>();
    private volatile boolean ended;
    private volatile boolean refused;

    /** Cuts the side connection off; nothing while no watch looks after this session. */
    private volatile Runnable cutOff = () -> {};

    private final Findings findings = new Findings();
    private final Outside outside = new Outside();

    /** These under {@link #acting}. */
    private final Notices notices;

    private final Pursuits pursuits;
    private final QueuePlace place;

    public Guarded(PgSession session, PriorityPlan plan) throws SQLException {
        this.plan = plan;
        this.facts = session.facts();
        this.connection = new WeakReference<>(session.connection());
        this.physical = new WeakReference<>(session.physical());
        this.registration = OwnSessions.register(facts);
        this.notices = new Notices(plan.listener(), findings);
        this.pursuits = new Pursuits(plan, facts.pid(), findings, notices);
        this.place = new QueuePlace(facts.pid(), notices);
    }

    int pid() {
        return facts.pid();
    }

    String serverStart() {
        return facts.serverStart();
    }

    /** How often it wants to be looked after. */
    Duration every() {
        return plan.timing().every();
    }

    /** When it is first worth a look: most statements are over before. */
    long firstLookAt() {
        return plan.required() && !checked.isDone() ? startedAt : startedAt + every().toNanos();
    }

    boolean isBehind(BaseConnection other) {
        return physical.get() == other;
    }

    /** The scope was closed, or its connection, or nobody can reach that any more. */
    boolean isOver() {
        Connection open = connection.get();
        BaseConnection session = physical.get();
        try {
            return ended || open == null || session == null || open.isClosed() || session.isClosed();
        } catch (SQLException e) {
            return true;
        }
    }

    boolean isRefused() {
        return refused;
    }

    /** The watch cannot serve this session, ever. */
    void refuse(String why) {
        refused = true;
        unavailable(why, why);
        outside.giveUp(); // whoever waits has been served before, so it is its session that is gone
    }

    /** The watch cannot serve this session, now; told once for each {@code occasion}. */
    void unavailable(String occasion, String why) {
        acting.lock();
        try {
            BaseConnection session = physical.get();
            if (!ended && session != null) {
                notices.warnOnce(
                        session,
                        occasion,
                        "Whoever blocks pid " + pid() + " is not seen: " + why + ". The work itself goes on.");
            }
        } finally {
            acting.unlock();
        }
        checked.complete(Optional.of(why));
    }

    /** The watch can serve this session. */
    void accepted() {
        BaseConnection session = physical.get();
        if (session != null) {
            Notices.forget(session);
        }
        checked.complete(Optional.empty());
    }

    /** Waits until it is known whether the watch can serve this session; only where that is required. */
    public void awaitChecked(Duration atMost) {
        Optional<String> failure;
        try {
            failure = checked.get(atMost.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            failure = Optional.of("no side connection within " + Text.age(atMost));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            failure = Optional.of("interrupted while the side connection was opened");
        } catch (ExecutionException e) {
            failure = Optional.of(String.valueOf(e.getCause()));
        }
        if (failure.isPresent()) {
            throw new PgLockException("Whoever blocks pid " + pid() + " could not be seen: " + failure.get() + ".");
        }
    }

    /** Takes note of who is in the way now, and does what was asked for; on the watch's thread. */
    void saw(List<Sighting> sightings, SideConnection side) throws SQLException {
        acting.lock();
        try {
            long now = System.nanoTime();
            place.saw(sightings, now);
            boolean signalled = false;
            for (Sighting sighting : sightings) {
                if (ended) {
                    return;
                }
                signalled |= pursuits.pursue(sighting, place.waited(sighting, now), side, now);
            }
            if (!sightings.isEmpty() && !ended) {
                place.makeWay(side, now, signalled);
            }
        } finally {
            acting.unlock();
        }
    }

    boolean isOutside() {
        return outside.isWaiting();
    }

    /** Looks who of those that were in the way still is, and ends whom a cancel did not move; on the watch's thread. */
    void lookFromOutside(SideConnection side) throws SQLException {
        List<Sighting.Held> awaited = outside.awaited();
        Optional<Set<Sighting.Held>> held = awaited.isEmpty() ? Optional.of(Set.of()) : side.stillHeld(awaited, pid());
        if (held.isEmpty()) {
            outside.giveUp();
            return;
        }
        Set<Sighting.Held> still = held.get();
        acting.lock();
        try {
            long now = System.nanoTime();
            for (Sighting sighting : place.holders()) {
                if (ended || !outside.isWaiting()) { // it has gone on meanwhile
                    break;
                }
                if (sighting.held().filter(still::contains).isPresent()) {
                    pursuits.finish(sighting, side, now);
                } else if (sighting.held().filter(awaited::contains).isPresent()) {
                    pursuits.gone(sighting);
                }
            }
        } finally {
            acting.unlock();
        }
        outside.saw(awaited, still);
    }

    // ---- attempts: called by the thread of the work -----------------------------------------------------------------

    /** An attempt begins; with a rule for giving way only if it can be undone and made again. */
    public void attempt(Optional<GiveWay> rule) {
        undisturbed(() -> {
            findings.begin();
            place.attempt(rule);
            return true;
        });
    }

    /** It has ended; when this returns, nothing is on its way any more that would hit what comes next. */
    public void attemptEnded() {
        undisturbed(() -> {
            place.attemptEnded();
            return true;
        });
    }

    /** Whether the attempt was cancelled from here, to give way. */
    public boolean gaveWay() {
        return undisturbed(place::gaveWay);
    }

    /** Whether nobody but an autovacuum that PostgreSQL would send away held what the attempt waited for. */
    public boolean onlyAutovacuumInTheWay() {
        return undisturbed(place::onlyAutovacuumAhead);
    }

    /** Who waited behind it. */
    public Victims.Summary victims() {
        return undisturbed(place::victims);
    }

    /**
     * Waits, holding no lock, until those who held what the last attempt waited for have let go, or until one of them may be
     * signalled, which takes a waiter in the queue.
     *
     * @param delay the longest wait, unless {@code patient}
     * @param patient to wait for longer while they are seen and nothing could be done about them by waiting in the queue
     * @param atMost the longest wait in any case
     * @return whether they have let go
     */
    public boolean awaitOutside(Duration delay, boolean patient, Duration atMost) throws InterruptedException {
        List<Sighting> holders = undisturbed(place::holders);
        Optional<Duration> untilSignal = untilSignal(holders);
        Duration withoutSignal = patient && untilSignal.isEmpty() ? atMost : delay;
        Duration longest = untilSignal
                .filter(until -> !until.isNegative() && !until.isZero())
                .map(until -> patient ? until : Durations.shorter(until, delay))
                .orElse(withoutSignal);
        return outside.await(
                holders.stream().map(Sighting::held).flatMap(Optional::stream).toList(),
                delay,
                Durations.shorter(longest, atMost),
                every());
    }

    private Optional<Duration> untilSignal(List<Sighting> holders) {
        return undisturbed(() -> {
            long now = System.nanoTime();
            return holders.stream()
                    .map(holder -> pursuits.untilSignal(holder, place.waited(holder, now), now))
                    .flatMap(Optional::stream)
                    .reduce(Durations::shorter);
        });
    }

    /** While nothing is done for this session; what hangs is cut off, because the work must not hang with it. */
    private <T> T undisturbed(Supplier<T> work) {
        if (!Patience.tryLock(acting, LONGEST_SIGNAL)) {
            cutOff.run();
            acting.lock();
        }
        try {
            return work.get();
        } finally {
            acting.unlock();
        }
    }

    // ---- the end, and what is known ---------------------------------------------------------------------------------

    /** From now on this ends a statement that hangs. */
    void servedBy(Runnable canCutOff) {
        cutOff = canCutOff;
    }

    /** From here on nothing is signalled for this session; what is on its way is waited for, and cut off if it hangs. */
    void end() {
        ended = true;
        if (!settled()) {
            cutOff.run();
        }
        registration.close();
        checked.complete(Optional.of("the scope was closed"));
    }

    /** Waits until what is being done at this moment has been done and is on record; false if that takes too long. */
    private boolean settled() {
        if (Patience.tryLock(acting, LONGEST_SIGNAL)) {
            acting.unlock();
            return true;
        }
        return false;
    }

    public List<SeenBlocker> blockers() {
        return findings.blockers();
    }

    /** Those of the latest attempt. */
    public List<SeenBlocker> latestBlockers() {
        return findings.latestBlockers();
    }

    /** The signal lets the guarded session go on before it is on record here; whoever asks then gets to see it. */
    public List<Signalled> actions() {
        settled();
        return findings.actions();
    }

    public List<String> warnings() {
        return findings.warnings();
    }
}
