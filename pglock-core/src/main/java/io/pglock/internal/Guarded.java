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
import java.util.LinkedHashMap;
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

    /** The oldest blockers are forgotten beyond this: contention on one hot row for hours must not fill the heap. */
    private static final int REMEMBERED = 1_000;

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

    /** The watch's own; the lists below are everybody's, under their own monitor. */
    private final Map<Pursuit.Key, Pursuit> pursuits = remembering();

    private final Set<Pursuit.Key> announced = Collections.newSetFromMap(remembering());
    private final Set<String> warned = new HashSet<>();
    private String waitsFor = "";
    private long waitsSince;

    private final Map<Pursuit.Key, SeenBlocker> blockers = remembering();
    private final Map<Integer, Signalled> actions = remembering();
    private final List<String> warnings = new ArrayList<>();
    private int actionsSoFar;

    public Guarded(PgSession session, PriorityPlan plan) throws SQLException {
        this.plan = plan;
        this.facts = session.facts();
        this.connection = new WeakReference<>(session.connection());
        this.physical = new WeakReference<>(session.physical());
        this.registration = OwnSessions.register(facts);
    }

    private static <K, V> Map<K, V> remembering() {
        return new LinkedHashMap<>() {
            private static final long serialVersionUID = 1L;

            @Override
            protected boolean removeEldestEntry(Map.Entry<K, V> eldest) {
                return size() > REMEMBERED;
            }
        };
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
            for (Sighting sighting : sightings) {
                if (ended) {
                    return;
                }
                pursue(sighting, side, now);
            }
        } finally {
            acting.unlock();
        }
    }

    private void pursue(Sighting sighting, SideConnection side, long now) throws SQLException {
        Duration waited = sighting.waited().orElseGet(() -> Duration.ofNanos(now - waitsSince));
        SeenBlocker plain =
                new SeenBlocker(sighting.backend(), sighting.hard(), sighting.waitsFor(), waited, sighting.spared());
        SeenBlocker seen = plain.spared().isPresent()
                ? plain
                : spared(plain).map(why -> with(plain, why)).orElse(plain);
        Pursuit.Key key = Pursuit.Key.of(seen.backend());
        synchronized (blockers) {
            blockers.merge(key, seen, (before, latest) -> before.hard() && !latest.hard() ? before : latest);
        }
        if (waited.compareTo(plan.timing().after()) >= 0 && announced.add(key)) {
            tell(seen.hard() ? Level.WARNING : Level.INFO, "pid " + pid() + " " + seen.describe() + ".");
        }
        Pursuit.Step step = nextStep(key, seen, now);
        pursuits.put(key, step.pursuit());
        if (step.signal().isPresent()) {
            record(key, signal(side, step.signal().get(), seen), now);
        }
    }

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

    private Signalled signal(SideConnection side, Signal how, SeenBlocker seen) throws SQLException {
        return plan.aim().dryRun()
                ? Signals.unsent(seen.backend(), how, Outcome.DRY_RUN, "a dry run")
                : side.signal(how, seen, pid(), plan.protect());
    }

    private void record(Pursuit.Key key, Signalled result, long now) {
        Pursuit pursuit = pursuits.getOrDefault(key, Pursuit.NEW);
        pursuits.put(key, pursuit.after(result, now));
        if (pursuit.isNews(result)) {
            synchronized (blockers) {
                actions.put(actionsSoFar++, result);
            }
            tell(result.outcome() == Outcome.GONE ? Level.INFO : Level.WARNING, result.detail());
        }
    }

    private void warn(String message) {
        synchronized (blockers) {
            warnings.add(message);
        }
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
        synchronized (blockers) {
            return List.copyOf(blockers.values());
        }
    }

    /** The signal lets the guarded session go on before it is on record here; whoever asks then gets to see it. */
    public List<Signalled> actions() {
        settled();
        synchronized (blockers) {
            return List.copyOf(actions.values());
        }
    }

    public List<String> warnings() {
        synchronized (blockers) {
            return List.copyOf(warnings);
        }
    }
}
