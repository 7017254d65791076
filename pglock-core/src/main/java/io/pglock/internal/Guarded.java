// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import io.pglock.PgLockException;
import io.pglock.SeenBlocker;
import io.pglock.Signal;
import io.pglock.Signalled;
import io.pglock.Signalled.Outcome;
import java.lang.System.Logger.Level;
import java.lang.ref.WeakReference;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.ReentrantLock;
import org.postgresql.core.BaseConnection;

/**
 * A session for as long as a scope guards it: what was asked for, who has been seen in its way and what was done. The watch's
 * thread acts for it under a lock that {@link #end} takes too, so that nothing is done for it afterwards. It does not keep the
 * connection from being collected. Thread-safe. Not API.
 */
public final class Guarded {

    /** Longer than any statement of the side connection may run. */
    private static final Duration LONGEST_SIGNAL = Duration.ofSeconds(6);

    private static final System.Logger LOG = System.getLogger("io.pglock");

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

    /** The watch's own, down to {@link #waitsSince}. */
    private final Map<Pursuit.Key, Pursuit> pursuits = Findings.remembering();

    private final Set<Pursuit.Key> announced = Collections.newSetFromMap(Findings.remembering());
    private final Set<String> warned = new HashSet<>();
    private final Victims victims = new Victims();
    private String waitsFor = "";
    private long waitsSince;

    /** Of the attempt that is going on, or was the last; under {@link #acting}. */
    private Optional<GiveWay> giveWay = Optional.empty();

    private boolean gaveWay;
    private List<Sighting> inTheWay = List.of();

    /** Since when they are in the way, over all attempts and the pauses between them; under {@link #acting}. */
    private final Map<Pursuit.Key, Long> inTheWaySince = Findings.remembering();

    private final Outside outside = new Outside();
    private final Findings findings = new Findings();

    public Guarded(PgSession session, PriorityPlan plan) throws SQLException {
        this.plan = plan;
        this.facts = session.facts();
        this.connection = new WeakReference<>(session.connection());
        this.physical = new WeakReference<>(session.physical());
        this.registration = OwnSessions.register(facts);
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
    }

    /** The watch cannot serve this session, now; told once for each {@code occasion}. */
    void unavailable(String occasion, String why) {
        acting.lock();
        try {
            if (!ended && warned.add(occasion)) {
                warn("Whoever blocks pid " + pid() + " is not seen: " + why + ". The work itself goes on.");
            }
        } finally {
            acting.unlock();
        }
        checked.complete(Optional.of(why));
    }

    /** The watch can serve this session. */
    void accepted() {
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
            String before = waitsFor;
            waitsFor = sightings.isEmpty() ? "" : sightings.get(0).waitsFor();
            if (!waitsFor.equals(before)) {
                waitsSince = now;
            }
            if (!sightings.isEmpty()) {
                inTheWay = sightings;
            }
            boolean signalled = false;
            for (Sighting sighting : sightings) {
                if (ended) {
                    return;
                }
                signalled |= pursue(sighting, side, now);
            }
            if (!sightings.isEmpty()) {
                makeWay(sightings, side, now, signalled);
            }
        } finally {
            acting.unlock();
        }
    }

    /** By the server's clock or, where it does not tell, since the watch first saw it. */
    private Duration waited(Sighting sighting, long now) {
        return sighting.waited().orElseGet(() -> Duration.ofNanos(now - waitsSince));
    }

    /** Whether a signal was sent. */
    private boolean pursue(Sighting sighting, SideConnection side, long now) throws SQLException {
        Pursuit.Key key = Pursuit.Key.of(sighting.backend());
        Duration waited = waited(sighting, now);
        Duration inTheWayFor = Optional.ofNullable(inTheWaySince.get(key))
                .map(since -> Duration.ofNanos(now - since))
                .filter(longer -> longer.compareTo(waited) > 0)
                .orElse(waited);
        SeenBlocker plain = new SeenBlocker(
                sighting.backend(), sighting.hard(), sighting.waitsFor(), inTheWayFor, sighting.spared());
        SeenBlocker seen = plain.spared().isPresent()
                ? plain
                : spared(plain).map(why -> with(plain, why)).orElse(plain);
        findings.blocker(key, seen);
        boolean worthTelling =
                inTheWayFor.compareTo(plan.timing().after()) >= 0 || sighting.kind() == Sighting.Kind.OWN;
        if (worthTelling && announced.add(key)) {
            tell(seen.hard() ? Level.WARNING : Level.INFO, "pid " + pid() + " " + seen.describe() + ".");
        }
        Pursuit.Step step = nextStep(key, seen, now);
        pursuits.put(key, step.pursuit());
        if (step.signal().isEmpty()) {
            return false;
        }
        Signalled result = signal(step.signal().get(), seen, how -> side.signal(how, seen, pid(), plan.protect()));
        record(key, result, now);
        return result.sent();
    }

    /** Cancels the waiting statement where others wait behind it; not when somebody has just been sent away for it. */
    private void makeWay(List<Sighting> sightings, SideConnection side, long now, boolean signalled)
            throws SQLException {
        Sighting any = sightings.get(0);
        Duration waited = waited(any, now);
        Duration longest = victims.saw(any.victims(), any.victimsWaited(), waited, now);
        if (ended || signalled || gaveWay || giveWay.isEmpty()) {
            return;
        }
        GiveWay rule = giveWay.get();
        boolean onlyAutovacuum = sightings.stream()
                .filter(Sighting::hard)
                .allMatch(sighting -> sighting.kind() == Sighting.Kind.AUTOVACUUM);
        if (!rule.isDue(any.victims().size(), longest)
                || (onlyAutovacuum && rule.outlasts(side.deadlockTimeout(), waited))) {
            return;
        }
        try {
            gaveWay = side.giveWay(pid());
        } catch (SQLException e) {
            if (!SqlState.is(e, SqlState.INSUFFICIENT_PRIVILEGE)) {
                throw e;
            }
            giveWay = Optional.empty();
            if (warned.add("give way")) {
                warn("Others wait behind pid " + pid() + ", and the side connection's role may not cancel that statement to"
                        + " make way for them: GRANT pg_signal_backend TO it, or let it connect as the role that migrates.");
            }
        }
    }

    // ---- attempts: called by the thread of the work -----------------------------------------------------------------

    /** An attempt begins; with a rule for giving way only if it can be undone and made again. */
    public void attempt(Optional<GiveWay> rule) {
        acting.lock();
        try {
            findings.begin();
            inTheWay = List.of();
            gaveWay = false;
            giveWay = rule;
        } finally {
            acting.unlock();
        }
    }

    /** It has ended; when this returns, nothing is on its way any more that would hit what comes next. */
    public void attemptEnded() {
        acting.lock();
        try {
            giveWay = Optional.empty();
        } finally {
            acting.unlock();
        }
    }

    /** Whether the attempt was cancelled from here, to give way. */
    public boolean gaveWay() {
        acting.lock();
        try {
            return gaveWay;
        } finally {
            acting.unlock();
        }
    }

    /** Whether nobody but an autovacuum that PostgreSQL would send away held what the attempt waited for. */
    public boolean onlyAutovacuumInTheWay() {
        acting.lock();
        try {
            List<Sighting> holders = inTheWay.stream().filter(Sighting::hard).toList();
            return !holders.isEmpty()
                    && holders.stream().allMatch(holder -> holder.kind() == Sighting.Kind.AUTOVACUUM);
        } finally {
            acting.unlock();
        }
    }

    /**
     * Waits, holding no lock, until those who held what the last attempt waited for have let go.
     *
     * @param delay the longest wait, unless {@code patient}
     * @param patient to wait for longer while they are seen and nothing could be done about them by waiting in the queue
     * @param atMost the longest wait in any case
     * @return whether they have let go
     */
    public boolean awaitOutside(Duration delay, boolean patient, Duration atMost) throws InterruptedException {
        List<Sighting.Held> awaited = new ArrayList<>();
        Duration untilSignal = atMost;
        acting.lock();
        try {
            long now = System.nanoTime();
            for (Sighting sighting : inTheWay) {
                if (sighting.held().isEmpty()) {
                    continue;
                }
                Pursuit.Key key = Pursuit.Key.of(sighting.backend());
                awaited.add(sighting.held().get());
                long since = inTheWaySince.computeIfAbsent(
                        key, blocker -> now - waited(sighting, now).toNanos());
                if (sighting.spared().isEmpty()
                        && pursuits.getOrDefault(key, Pursuit.NEW).mayBegin(plan)) {
                    Duration until = plan.timing().after().minusNanos(now - since);
                    untilSignal = until.compareTo(untilSignal) < 0 ? until : untilSignal;
                }
            }
        } finally {
            acting.unlock();
        }
        Duration longest = delay;
        if (patient && untilSignal.compareTo(delay) > 0) {
            longest = untilSignal;
        }
        return outside.await(awaited, delay, longest.compareTo(atMost) < 0 ? longest : atMost, every());
    }

    boolean isOutside() {
        return outside.isWaiting();
    }

    /** Looks who of those that were in the way still is, and ends whom a cancel did not move; on the watch's thread. */
    void lookFromOutside(SideConnection side) throws SQLException {
        Set<Sighting.Held> still = side.stillHeld(outside.awaited());
        acting.lock();
        try {
            long now = System.nanoTime();
            for (Sighting sighting : inTheWay) {
                if (!ended && sighting.held().filter(still::contains).isPresent()) {
                    finish(sighting, side, now);
                }
            }
        } finally {
            acting.unlock();
        }
        outside.saw(still);
    }

    /** A blocker that was cancelled and holds on to its lock may be terminated although nobody waits for it in the queue. */
    private void finish(Sighting sighting, SideConnection side, long now) throws SQLException {
        Pursuit.Key key = Pursuit.Key.of(sighting.backend());
        Pursuit pursuit = pursuits.getOrDefault(key, Pursuit.NEW);
        Long since = inTheWaySince.get(key);
        if (since == null || sighting.spared().isPresent() || !pursuit.mayFinish(plan)) {
            return;
        }
        SeenBlocker seen = new SeenBlocker(
                sighting.backend(), true, sighting.waitsFor(), Duration.ofNanos(now - since), Optional.empty());
        Pursuit.Step step = nextStep(key, seen, now);
        if (spared(seen).isEmpty() && step.signal().filter(Signal.TERMINATE::equals).isPresent()) {
            Sighting.Held held = sighting.held().orElseThrow();
            record(key, signal(Signal.TERMINATE, seen, how -> side.signalHolder(how, seen, held, plan.protect())), now);
        }
    }

    // ---- what both have in common -----------------------------------------------------------------------------------

    private static SeenBlocker with(SeenBlocker seen, String spared) {
        return new SeenBlocker(seen.backend(), seen.hard(), seen.waitsFor(), seen.waited(), Optional.of(spared));
    }

    private Optional<String> spared(SeenBlocker seen) {
        if (seen.backend().application().filter(plan.protect()::contains).isPresent()
                || seen.backend().user().filter(plan.protect()::contains).isPresent()) {
            return Optional.of("it is protected");
        }
        try {
            return plan.spare().test(seen) ? Optional.of("a filter spares it") : Optional.empty();
        } catch (RuntimeException e) {
            failed("The filter", e);
            return Optional.of("the filter failed");
        }
    }

    private Pursuit.Step nextStep(Pursuit.Key key, SeenBlocker seen, long now) {
        Pursuit pursuit = pursuits.getOrDefault(key, Pursuit.NEW);
        try {
            return pursuit.next(plan, seen, now);
        } catch (RuntimeException e) {
            failed("The action", e);
            return new Pursuit.Step(Optional.empty(), pursuit);
        }
    }

    private void failed(String what, RuntimeException failure) {
        if (warned.add(what)) {
            warn(what + " given to prioritize() failed, so nobody is signalled on its account: " + failure);
        }
    }

    @FunctionalInterface
    private interface Sending {
        Signalled send(Signal how) throws SQLException;
    }

    private Signalled signal(Signal how, SeenBlocker seen, Sending sending) throws SQLException {
        return plan.aim().dryRun()
                ? Signals.unsent(seen.backend(), how, Outcome.DRY_RUN, "a dry run")
                : sending.send(how);
    }

    private void record(Pursuit.Key key, Signalled result, long now) {
        Pursuit pursuit = pursuits.getOrDefault(key, Pursuit.NEW);
        pursuits.put(key, pursuit.after(result, now));
        if (pursuit.isNews(result)) {
            findings.action(result);
            tell(result.outcome() == Outcome.GONE ? Level.INFO : Level.WARNING, result.detail());
        }
    }

    private void warn(String message) {
        findings.warning(message);
        tell(Level.WARNING, message);
    }

    private void tell(Level level, String message) {
        try {
            plan.listener().ifPresentOrElse(told -> told.accept(level, message), () -> LOG.log(level, message));
        } catch (RuntimeException e) {
            LOG.log(Level.WARNING, "The listener given to prioritize() failed", e);
        }
    }

    /** From here on nothing is signalled for this session; what is on its way is waited for, and cut off if it hangs. */
    void end(Runnable cutOff) {
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

    /** Who waited behind it. */
    public Victims.Summary victims() {
        acting.lock();
        try {
            return victims.summary();
        } finally {
            acting.unlock();
        }
    }
}
