// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import io.pglock.LockPolicy.Priority;
import io.pglock.internal.Durations;
import io.pglock.internal.Failures;
import io.pglock.internal.GiveWay;
import io.pglock.internal.Guarded;
import io.pglock.internal.PgSession;
import io.pglock.internal.SqlState;
import io.pglock.internal.Victims;
import java.lang.System.Logger.Level;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Stream;
import javax.sql.DataSource;

/**
 * Who blocks one unit in any of the sessions that it uses, what is done about it by its policy, and what is said of it. Never
 * fails the unit, unless the side connection is required. Thread-safe.
 */
final class UnitWatch implements AutoCloseable {

    /** Two clocks, and a server that is busy. */
    private static final Duration INEXACT = Duration.ofMillis(100);

    private final String unit;
    private final LockPolicy policy;
    private final LockGuard.Messages told;

    /** One for each session that is watched. */
    private final List<PriorityScope> scopes = new CopyOnWriteArrayList<>();

    /** Any of them, also one that is over: what was seen and done is common to all. */
    private volatile Optional<PriorityScope> scope = Optional.empty();

    private final AtomicBoolean warned = new AtomicBoolean();
    private volatile Optional<Duration> lockTimeout;
    private volatile Optional<GiveWay> rule = Optional.empty();

    private volatile long begunAt = System.nanoTime();
    private volatile Optional<Long> endedAt = Optional.empty();

    /** Of nobody yet. */
    UnitWatch(String unit, LockPolicy policy, LockGuard.Messages messages) {
        this.unit = unit;
        this.policy = policy;
        this.told = UnitMessages.about(unit, messages);
        this.lockTimeout = policy.lockTimeout();
    }

    /**
     * Of the one session that a unit has.
     *
     * @throws PgLockException only where the side connection is required
     */
    static UnitWatch start(
            String unit, PgSession session, DataSource side, LockPolicy policy, LockGuard.Messages messages) {
        UnitWatch watch = new UnitWatch(unit, policy, messages);
        watch.begin(session, side, Prioritize::start);
        return watch;
    }

    /**
     * Of another session, which may end, or go into other hands, before the unit does.
     *
     * @return empty where nobody watches it
     * @throws PgLockException only where the side connection is required
     */
    Optional<PriorityScope> add(PgSession session, DataSource side) {
        Optional<PriorityScope> added = begin(session, side, request -> request.startFor(this, scope));
        added.ifPresent(this::together);
        return added;
    }

    /** The session is the unit's again. */
    void together(PriorityScope session) {
        session.guarded().together(rule);
    }

    private Optional<PriorityScope> begin(
            PgSession session, DataSource side, Function<Prioritize, PriorityScope> starting) {
        if (policy.prioritize() == Priority.OFF) {
            return Optional.empty();
        }
        try {
            PriorityScope begun = starting.apply(request(session, side, policy, told));
            scopes.add(begun);
            scope = Optional.of(begun);
            return scope;
        } catch (PgLockException e) {
            if (policy.monitorRequired()) {
                throw Failures.causedBy(
                        e.getCause() instanceof SQLException sql ? sql : e,
                        unit + ": not begun, because monitorRequired=true and nobody can watch: " + e.getMessage());
            }
            if (!warned.getAndSet(true)) {
                told.message(Level.WARNING, "goes on, but nobody watches for blockers: " + e.getMessage());
            }
            return Optional.empty();
        }
    }

    /** Not of this very object: nobody but the unit is to keep that from being collected. */
    private static Prioritize request(PgSession session, DataSource side, LockPolicy policy, LockGuard.Messages told) {
        Prioritize request = PgLock.on(session.connection())
                .prioritize(policy.monitor().orElse(side))
                .after(policy.prioritizeAfter())
                .grace(policy.prioritizeGrace())
                .minAge(policy.prioritizeMinAge().orElse(Duration.ZERO))
                .every(policy.pollInterval())
                .protectOnly(policy.protect())
                .listener(told::message);
        if (policy.monitorRequired()) {
            request = request.requireSideConnection();
        }
        return switch (policy.prioritize()) {
            case CANCEL -> request.cancel();
            case TERMINATE -> request.terminate();
            case REPORT, OFF -> request.report();
        };
    }

    Optional<String> explain(SQLException failure) {
        if (SqlState.is(failure, SqlState.LOCK_NOT_AVAILABLE)) {
            return Optional.of(unit + ": not locked"
                    + UnitMessages.within(lockTimeoutThatWasOver(), failure)
                    + described().map(who -> ", " + who).orElseGet(this::nobodySeen));
        }
        if (SqlState.is(failure, SqlState.DEADLOCK_DETECTED)) {
            return Optional.of(unit + ": ended by PostgreSQL to resolve a deadlock"
                    + described().map(who -> ", " + who).orElse(". Run it again."));
        }
        return explain();
    }

    Optional<String> explain() {
        return described().map(who -> unit + ": was " + who);
    }

    private Optional<String> described() {
        return seen().flatMap(UnitBlockers::described);
    }

    private Optional<UnitBlockers> seen() {
        return scope.map(seen -> new UnitBlockers(policy, seen, lockTimeoutThatWasOver()));
    }

    private String nobodySeen() {
        if (policy.prioritize() == Priority.OFF) {
            return "; nobody was watching (prioritize=off), so it is not known who was in the way.";
        }
        return "; it is not known who was in the way"
                + scope.map(seen -> seen.warnings().stream()
                                .findFirst()
                                .map(why -> ": " + why)
                                .orElse(": the wait was too short for the watch (pollInterval="
                                        + Durations.text(policy.pollInterval()) + ")."))
                        .orElse("."); // its sessions were watched for another unit, or by nobody
    }

    // ---- attempts ---------------------------------------------------------------------------------------------------

    /** @param lockTimeout of this attempt */
    void attempt(boolean mayGiveWay, Optional<Duration> lockTimeout) {
        begunAt = System.nanoTime();
        endedAt = Optional.empty();
        rule(mayGiveWay, lockTimeout);
        scopes.forEach(seen -> seen.guarded().attempt(rule));
    }

    /** The attempt goes on so. */
    void goesOn(boolean mayGiveWay, Optional<Duration> lockTimeout) {
        rule(mayGiveWay, lockTimeout);
        scopes.forEach(seen -> seen.guarded().rule(rule));
    }

    private void rule(boolean mayGiveWay, Optional<Duration> lockTimeout) {
        this.lockTimeout = lockTimeout;
        this.rule = mayGiveWay
                ? Optional.of(new GiveWay(policy.maxBlockedTime(), policy.maxVictims(), lockTimeout))
                : Optional.empty();
    }

    /** The statement that comes is not cancelled to give way. */
    void standFast(Optional<Duration> itsLockTimeout) {
        goesOn(false, itsLockTimeout);
    }

    /** Of the attempt that is going on or was the last. */
    Optional<Duration> lockTimeout() {
        return lockTimeout;
    }

    /**
     * The lock timeout by which the latest attempt can have ended: not the one that it was given if the work has set its own, and
     * that was over sooner or later.
     */
    Optional<Duration> lockTimeoutThatWasOver() {
        Duration lasted = Duration.ofNanos(endedAt.orElseGet(System::nanoTime) - begunAt);
        Duration waited = waiter().map(Guarded::waited).orElse(Duration.ZERO);
        return lockTimeout.filter(timeout ->
                timeout.compareTo(lasted.plus(INEXACT)) <= 0 && waited.compareTo(timeout.plus(INEXACT)) <= 0);
    }

    private void ended() {
        endedAt = endedAt.or(() -> Optional.of(System.nanoTime()));
    }

    void attemptEnded() {
        ended();
        goesOn(false, lockTimeout);
    }

    /** It has ended, and no session is the unit's any more. */
    void apart() {
        ended();
        rule = Optional.empty();
        scopes.forEach(seen -> seen.guarded().apart());
    }

    /** A session that will not be the unit's again; what was seen there is remembered. */
    void drop(PriorityScope over) {
        scopes.remove(over);
        over.close();
    }

    boolean gaveWay() {
        return scopes.stream().anyMatch(seen -> seen.guarded().gaveWay());
    }

    boolean onlyAutovacuumInTheWay() {
        return waiter().filter(Guarded::onlyAutovacuumInTheWay).isPresent();
    }

    /** {@code deadlock_timeout}, as far as the watch knows it. */
    Optional<Duration> deadlockTimeout() {
        return waiter().flatMap(Guarded::deadlockTimeout);
    }

    /** The session that the latest attempt failed in, as far as the watch knows. */
    private Optional<Guarded> waiter() {
        List<Guarded> sessions = scopes.stream().map(PriorityScope::guarded).toList();
        return Stream.<Predicate<Guarded>>of(Guarded::gaveWay, Guarded::isBlocked, session -> true)
                .flatMap(which -> sessions.stream().filter(which))
                .findFirst();
    }

    /** Waits outside the queue until those who were in the way are gone; whether they are. */
    boolean awaitOutside(Duration delay, boolean patient, Duration atMost) throws InterruptedException {
        Optional<Guarded> waiter = waiter();
        if (waiter.isPresent()) {
            return waiter.get().awaitOutside(delay, patient, atMost);
        }
        TimeUnit.NANOSECONDS.sleep(Durations.shorter(delay, atMost).toNanos());
        return false;
    }

    /** Who held what the latest attempt waited for: {@code blocked by pid 4711 (web, ...) and 2 more}. */
    Optional<String> blockedBy() {
        return seen().flatMap(UnitBlockers::named);
    }

    /** How many {@link #blockedBy} is about. */
    int blockersInTheWay() {
        return seen().map(UnitBlockers::inTheWay).orElse(0);
    }

    /** Whether anybody was in the way of the latest attempt. */
    boolean sawBlockersLately() {
        return scope.filter(seen -> !seen.guarded().latestBlockers().isEmpty()).isPresent();
    }

    List<SeenBlocker> blockers() {
        return scope.map(PriorityScope::blockers).orElse(List.of());
    }

    List<Signalled> actions() {
        return scope.map(PriorityScope::actions).orElse(List.of());
    }

    long signalsSent() {
        return actions().stream()
                .filter(done -> done.outcome() == Signalled.Outcome.SENT)
                .count();
    }

    /** Of the latest attempt. */
    Victims.Summary latestVictims() {
        return waiter().map(Guarded::latestVictims).orElse(new Victims.Summary(0, 0, Duration.ZERO));
    }

    Victims.Summary victims() {
        return scope.map(seen -> seen.guarded().victims()).orElse(new Victims.Summary(0, 0, Duration.ZERO));
    }

    @Override
    public void close() {
        scopes.forEach(PriorityScope::close);
    }
}
