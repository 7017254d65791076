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
import org.postgresql.core.BaseConnection;

/**
 * A session for as long as a scope guards it: what was asked for, who has been seen in its way and what was done. The watch's
 * thread acts for it under a lock that {@link #end} takes too, so that nothing is done for it afterwards. It does not keep the
 * connection from being collected. Thread-safe. Not API.
 *
 * <p>Where a unit takes its sessions from a pool, one may be {@link #apart} from the unit for a while: in other hands, or gone.
 * Then nobody looks who is in its way, and what the unit waits for outside the queue is still looked for.
 */
public final class Guarded {

    private final PriorityPlan plan;
    private final GuardedUnit unit;
    private final PgSession.Facts facts;
    private final WeakReference<Connection> connection;
    private final WeakReference<BaseConnection> physical;
    private final OwnSessions.Registration registration;

    /** Who gone, this is over: the connection, unless the unit outlives that. */
    private final Optional<WeakReference<Object>> keeper;

    private final Acting acting;
    private volatile long startedAt = System.nanoTime();

    private final CompletableFuture<Optional<Unseen>> checked = new CompletableFuture<>();
    private volatile boolean ended;
    private volatile boolean refused;
    private volatile boolean apart;
    private volatile Optional<Duration> deadlockTimeout = Optional.empty();

    /** Cuts the side connection off; nothing while no watch looks after this session. */
    private volatile Runnable cutOff = () -> {};

    private final Findings findings;
    private final Outside outside = new Outside();

    /** Under {@link #acting}. */
    private final QueuePlace place;

    /** Why nobody can be seen who is in the way. */
    private record Unseen(String why, Optional<Throwable> cause) {

        PgLockException asException(String what) {
            String message = what + why + ".";
            return cause.map(known -> Failures.causedBy(known, message)).orElseGet(() -> new PgLockException(message));
        }
    }

    private Guarded(PgSession session, GuardedUnit unit, Optional<WeakReference<Object>> keeper) throws SQLException {
        this.plan = unit.plan();
        this.unit = unit;
        this.facts = session.facts();
        this.connection = new WeakReference<>(session.connection());
        this.physical = new WeakReference<>(session.physical());
        this.registration = OwnSessions.register(facts);
        this.keeper = keeper;
        this.acting = unit.acting();
        this.findings = unit.findings();
        this.place = new QueuePlace(facts, unit.notices(), unit.victims());
    }

    /** The only session of a unit; over when its connection is. */
    public static Guarded alone(PgSession session, PriorityPlan plan) throws SQLException {
        return new Guarded(session, GuardedUnit.of(plan), Optional.empty());
    }

    /**
     * One of the sessions of a unit that may outlive it.
     *
     * @param keeper of the unit; not kept from being collected either
     * @param other of the same unit, if there is one
     */
    public static Guarded oneOf(PgSession session, PriorityPlan plan, Object keeper, Optional<Guarded> other)
            throws SQLException {
        return new Guarded(
                session,
                other.map(known -> known.unit).orElseGet(() -> GuardedUnit.of(plan)),
                Optional.of(new WeakReference<>(keeper)));
    }

    int pid() {
        return facts.pid();
    }

    /** When the session began: its pid alone may be somebody else's, once it has ended and nobody has noticed. */
    long start() {
        return facts.start();
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
        return !apart && physical.get() == other;
    }

    /** The scope was closed, or its connection, or nobody can reach that any more. */
    boolean isOver() {
        return ended || keeper.map(unit -> unit.get() == null).orElseGet(this::isGone);
    }

    /** Whether the session is not the unit's at the moment, or is no more. */
    public boolean isApart() {
        return apart || keeper.isPresent() && isGone();
    }

    private boolean isGone() {
        Connection open = connection.get();
        BaseConnection session = physical.get();
        try {
            return open == null || session == null || open.isClosed() || session.isClosed();
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
        unavailable(why, why, Optional.empty());
        outside.giveUp(); // whoever waits has been served before, so it is its session that is gone
    }

    /** The watch cannot serve this session, now; told once for each {@code occasion}. */
    void unavailable(String occasion, String why, Optional<Throwable> cause) {
        acting.tell(() -> {
            BaseConnection session = physical.get();
            if (!ended && session != null) {
                unit.notices()
                        .warnOnce(
                                session,
                                occasion,
                                "Whoever blocks pid " + pid() + " is not seen: " + Text.withoutStop(why)
                                        + ". The work itself goes on.");
            }
        });
        checked.complete(Optional.of(new Unseen(why, cause)));
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
        Optional<Unseen> failure;
        try {
            failure = checked.get(atMost.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            failure = Optional.of(new Unseen("no side connection within " + Text.age(atMost), Optional.empty()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            failure = Optional.of(new Unseen("interrupted while the side connection was opened", Optional.of(e)));
        } catch (ExecutionException e) {
            failure = Optional.of(new Unseen(String.valueOf(e.getCause()), Optional.of(e)));
        }
        if (failure.isPresent()) {
            throw failure.get().asException("Whoever blocks pid " + pid() + " could not be seen: ");
        }
    }

    /** Takes note of who is in the way now, and does what was asked for; on the watch's thread. */
    void saw(List<Sighting> sightings, SideConnection side) throws SQLException {
        deadlockTimeout = Optional.of(side.deadlockTimeout());
        acting.run(cutOff, () -> {
            if (apart) {
                return;
            }
            long now = System.nanoTime();
            place.saw(sightings, now);
            boolean signalled = false;
            for (Sighting sighting : sightings) {
                if (ended) {
                    return;
                }
                signalled |= unit.pursuits()
                        .pursue(sighting, place.waited(sighting, now), place.heldUpBy(sighting, now), side, now);
            }
            if (!sightings.isEmpty() && !ended) {
                place.makeWay(side, now, signalled, every());
            }
        });
    }

    boolean isOutside() {
        return outside.isWaiting();
    }

    /** Looks who of those that were in the way still is, and ends whom a cancel did not move; on the watch's thread. */
    void lookFromOutside(SideConnection side) throws SQLException {
        List<Sighting.Held> awaited = outside.awaited();
        Optional<Set<Sighting.Held>> held =
                awaited.isEmpty() ? Optional.of(Set.of()) : side.holders(awaited, isApart() ? side.pid() : pid());
        if (held.isEmpty()) {
            outside.giveUp();
            return;
        }
        Set<Sighting.Held> holders = held.get();
        acting.run(cutOff, () -> {
            long now = System.nanoTime();
            for (Sighting sighting : place.holders()) {
                if (ended || !outside.isWaiting()) { // it has gone on meanwhile
                    break;
                }
                if (sighting.held().filter(holders::contains).isPresent()) {
                    unit.pursuits().finish(sighting, side, now);
                } else if (sighting.held().filter(awaited::contains).isPresent()) {
                    unit.pursuits().gone(sighting);
                }
            }
        });
        outside.saw(awaited, holders);
    }

    // ---- attempts: called by the thread of the work -----------------------------------------------------------------

    /** An attempt begins; with a rule for giving way only if it can be undone and made again. */
    public void attempt(Optional<GiveWay> rule) {
        acting.undisturbed(() -> {
            findings.begin();
            place.attempt();
            place.rule(rule);
            return true;
        });
    }

    /** It goes on by another rule; without one when it has ended: nothing is on its way any more that would hit what comes next. */
    public void rule(Optional<GiveWay> rule) {
        acting.undisturbed(() -> {
            place.rule(rule);
            return true;
        });
    }

    /** The session is not, or no more, the unit's: nothing is done for it nor to it, until {@link #together}. */
    public void apart() {
        acting.undisturbed(() -> {
            apart = true;
            place.rule(Optional.empty());
            return true;
        });
    }

    /** It is the unit's, for the first time or again. */
    public void together(Optional<GiveWay> rule) {
        acting.undisturbed(() -> {
            if (apart) {
                startedAt = System.nanoTime();
                apart = false;
            }
            place.rule(rule);
            return true;
        });
    }

    /** Whether the attempt was cancelled from here, to give way. */
    public boolean gaveWay() {
        return acting.undisturbed(place::gaveWay);
    }

    /** How long the attempt has waited for a lock, as it was seen last; zero where it was not seen to wait. */
    public Duration waited() {
        return acting.undisturbed(place::waited);
    }

    /** Who waited behind the attempt. */
    public Victims.Summary latestVictims() {
        return acting.undisturbed(place::victims);
    }

    /** Whether somebody held what the attempt waited for. */
    public boolean isBlocked() {
        return acting.undisturbed(() -> !place.holders().isEmpty());
    }

    /** Whether nobody but an autovacuum that PostgreSQL would send away held what the attempt waited for. */
    public boolean onlyAutovacuumInTheWay() {
        return acting.undisturbed(place::onlyAutovacuumAhead);
    }

    /** Who waited behind the unit. */
    public Victims.Summary victims() {
        return acting.undisturbed(unit.victims()::summary);
    }

    /** As the side connection has it, where there was one. */
    public Optional<Duration> deadlockTimeout() {
        return deadlockTimeout;
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
        List<Sighting> holders = acting.undisturbed(place::holders);
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
                every(),
                passing());
    }

    /** Where nobody is signalled whoever stays has to be waited for; else the queue is where that is found out. */
    private Optional<Duration> passing() {
        return plan.aim().mode() == PriorityPlan.Mode.REPORT
                ? acting.undisturbed(place::maxBlockedTime)
                : Optional.empty();
    }

    private Optional<Duration> untilSignal(List<Sighting> holders) {
        return acting.undisturbed(() -> {
            long now = System.nanoTime();
            return holders.stream()
                    .map(holder -> unit.pursuits().untilSignal(holder, place.heldUpBy(holder, now), now))
                    .flatMap(Optional::stream)
                    .reduce(Durations::shorter);
        });
    }

    // ---- the end, and what is known ---------------------------------------------------------------------------------

    /** From now on this ends a statement that hangs. */
    void servedBy(Runnable canCutOff) {
        cutOff = canCutOff;
    }

    /** From here on nothing is signalled for this session; what is on its way is waited for, and cut off if it hangs. */
    void end() {
        ended = true;
        acting.settle();
        registration.close();
        checked.complete(Optional.of(new Unseen("the scope was closed", Optional.empty())));
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
        acting.settled();
        return findings.actions();
    }

    public List<String> warnings() {
        return findings.warnings();
    }
}
