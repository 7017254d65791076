// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import io.pglock.LockPolicy.Priority;
import io.pglock.internal.Durations;
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
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.sql.DataSource;

/**
 * Who blocks one unit in any of the sessions that it uses, what is done about it by its policy, and what is said of it. Never
 * fails the unit, unless the side connection is required. Thread-safe.
 */
final class UnitWatch implements AutoCloseable {

    private static final int NAMED = 5;

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
                throw new PgLockException(
                        unit + ": not begun, because monitorRequired=true and nobody can watch: " + e.getMessage());
            }
            if (!warned.getAndSet(true)) {
                told.message(Level.WARNING, "goes on, but nobody watches for blockers: " + e.getMessage());
            }
            return Optional.empty();
        }
    }

    /** Not of this very object: nobody but the unit is to keep that from being collected. */
    private static Prioritize request(
            PgSession session, DataSource side, LockPolicy policy, LockGuard.Messages told) {
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
                    + UnitMessages.within(lockTimeout, failure)
                    + inTheWay().map(who -> ", " + who).orElseGet(this::nobodySeen));
        }
        if (SqlState.is(failure, SqlState.DEADLOCK_DETECTED)) {
            return Optional.of(unit + ": ended by PostgreSQL to resolve a deadlock"
                    + inTheWay().map(who -> ", " + who).orElse(". Run it again."));
        }
        return explain();
    }

    Optional<String> explain() {
        return inTheWay().map(who -> unit + ": was " + who);
    }

    private String nobodySeen() {
        if (policy.prioritize() == Priority.OFF) {
            return "; nobody was watching (prioritize=off), so it is not known who was in the way.";
        }
        return "; it is not known who was in the way"
                + scope.flatMap(seen -> seen.warnings().stream().findFirst())
                        .map(why -> ": " + why)
                        .orElse(": the wait was too short for the watch (pollInterval="
                                + Durations.text(policy.pollInterval()) + ").");
    }

    // ---- attempts ---------------------------------------------------------------------------------------------------

    /** @param lockTimeout of this attempt */
    void attempt(boolean mayGiveWay, Optional<Duration> lockTimeout) {
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

    void attemptEnded() {
        goesOn(false, lockTimeout);
    }

    /** It has ended, and no session is the unit's any more. */
    void apart() {
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
        return scope.map(UnitWatch::latest).filter(seen -> !seen.isEmpty()).map(UnitWatch::named);
    }

    /** How many {@link #blockedBy} is about. */
    int blockersInTheWay() {
        return scope.map(UnitWatch::latest)
                .map(UnitWatch::holdersFirst)
                .map(List::size)
                .orElse(0);
    }

    /** Whether anybody was in the way of the latest attempt. */
    boolean sawBlockersLately() {
        return scope.filter(seen -> !seen.guarded().latestBlockers().isEmpty()).isPresent();
    }

    private static List<SeenBlocker> latest(PriorityScope scope) {
        List<SeenBlocker> latest = scope.guarded().latestBlockers();
        return latest.isEmpty() ? scope.blockers() : latest;
    }

    private static String named(List<SeenBlocker> seen) {
        List<SeenBlocker> named = holdersFirst(seen);
        int others = Math.max(0, named.size() - NAMED);
        return "blocked by "
                + named.stream()
                        .limit(NAMED)
                        .map(blocker -> blocker.backend().describe()
                                + blocker.spared().map(why -> " (" + why + ")").orElse(""))
                        .collect(Collectors.joining("; "))
                + (others == 0 ? "" : " and " + others + " more");
    }

    private static List<SeenBlocker> holdersFirst(List<SeenBlocker> seen) {
        List<SeenBlocker> holders = seen.stream().filter(SeenBlocker::hard).toList();
        return holders.isEmpty() ? seen : holders;
    }

    List<SeenBlocker> blockers() {
        return scope.map(PriorityScope::blockers).orElse(List.of());
    }

    List<Signalled> actions() {
        return scope.map(PriorityScope::actions).orElse(List.of());
    }

    Victims.Summary victims() {
        return scope.map(seen -> seen.guarded().victims()).orElse(new Victims.Summary(0, 0, Duration.ZERO));
    }

    // ---- what is said when it fails ---------------------------------------------------------------------------------

    /** {@code blocked by pid 4711 (web, idle in transaction for 42s: "SELECT ..."): terminated. What to do.} */
    private Optional<String> inTheWay() {
        return scope.filter(seen -> !seen.blockers().isEmpty()).map(seen -> {
            List<SeenBlocker> latest = latest(seen);
            List<SeenBlocker> named = holdersFirst(latest);
            int others = latest.size() - Math.min(named.size(), NAMED);
            return "blocked by "
                    + named.stream()
                            .limit(NAMED)
                            .map(blocker -> blocker.backend().describe() + done(blocker, seen.actions()))
                            .collect(Collectors.joining("; "))
                    + (others == 0 ? "." : "; and " + others + " more.")
                    + remedy(named, seen.actions());
        });
    }

    /** What was done to this one: the last thing. */
    private static String done(SeenBlocker blocker, List<Signalled> actions) {
        return actions.stream()
                .filter(action -> isSame(action.backend(), blocker.backend()))
                .reduce((earlier, latest) -> latest)
                .map(action -> ": " + (action.sent() ? sent(action.signal()) : unsent(action)))
                .or(() -> blocker.spared().map(why -> ": never signalled, " + why))
                .orElse(blocker.hard() ? "" : ": it waits ahead in the queue");
    }

    private static String sent(Signal signal) {
        return signal == Signal.CANCEL ? "its statement was cancelled" : "terminated";
    }

    /** The detail, without the blocker that has just been described, and without the full stop. */
    private static String unsent(Signalled action) {
        String about = action.backend().describe() + " ";
        String detail = action.detail();
        return (detail.startsWith(about) ? detail.substring(about.length()) : detail).replaceFirst("\\.$", "");
    }

    private static boolean isSame(Backend one, Backend other) {
        return one.pid() == other.pid() && one.backendStart().equals(other.backendStart());
    }

    private String remedy(List<SeenBlocker> named, List<Signalled> actions) {
        boolean anyCouldBe = named.stream()
                .anyMatch(seen -> seen.hard()
                        && seen.spared().isEmpty()
                        && !seen.backend().isPreparedTransaction());
        if (!anyCouldBe) {
            return "";
        }
        if (policy.prioritize() == Priority.REPORT) {
            return " Nothing was done to it (prioritize=report): end it, or run with prioritize=cancel or terminate.";
        }
        Optional<Duration> tooShort =
                policy.lockTimeout().filter(timeout -> timeout.compareTo(policy.prioritizeAfter()) <= 0);
        return actions.isEmpty() && tooShort.isPresent()
                ? " Nothing was done to it: lockTimeout=" + Durations.text(tooShort.get())
                        + " is over before prioritizeAfter=" + Durations.text(policy.prioritizeAfter()) + "."
                : "";
    }

    @Override
    public void close() {
        scopes.forEach(PriorityScope::close);
    }
}
