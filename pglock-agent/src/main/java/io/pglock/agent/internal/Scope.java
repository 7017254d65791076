// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import io.pglock.agent.bridge.PgLockBridge;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** One call of a woven method, on its thread. Used by that thread, but for {@link #part}. */
public final class Scope extends PgLockBridge.Call {

    /** Flight Recorder's module may not be in an image that was made for one application. */
    private static final boolean RECORDER =
            ModuleLayer.boot().findModule("jdk.jfr").isPresent();

    private final Site site;
    private final @Nullable Scope outer;
    private final @Nullable CallersTransaction callers;
    /** Another thread may take over one of its connections, and looks for it here. */
    private volatile @Nullable OfRealm parts;

    private final @Nullable ScopeEvent event = RECORDER ? ScopeEvent.beginning() : null;
    private Duration waited = Duration.ZERO;
    private int pid;
    private boolean askedForLock;
    private boolean foundLockTaken;
    /** Its advisory lock: one for all drivers, whichever of them has taken it. */
    private @Nullable HeldLock lock;

    private @Nullable Place place;
    /** Whether a connection may yet show that its lock belongs elsewhere. */
    private boolean presumed;

    private boolean tookEffect;
    private boolean ranStatements;
    private @Nullable Throwable notAcquired;
    private boolean aroundTransaction;
    private boolean awaitsBody;
    /** Whether its body runs in the transaction that was open when it came. */
    private boolean joins;

    private boolean passedOver;

    /** Mostly there is one, or none. */
    private record OfRealm(
            Realm realm, Realm.Part part, @Nullable OfRealm next) {}

    /** @param callers the transaction of Spring's that is open as it begins, if one is */
    Scope(Site site, @Nullable Scope outer, @Nullable CallersTransaction callers) {
        this.site = site;
        this.outer = outer;
        this.callers = callers;
        this.joins = isInCallersTransaction();
    }

    public Site site() {
        return site;
    }

    /** The one that it is inside of, on the same thread. */
    public @Nullable Scope outer() {
        return outer;
    }

    /**
     * Whether what is done now in a transaction of Spring's is done in one that was open when it came: not in one of its own, for
     * which that one is suspended.
     */
    public boolean isInCallersTransaction() {
        return callers != null && callers.isOpen();
    }

    /** All that are open on its thread, up to this one. */
    public Deque<Scope> outermostFirst() {
        Deque<Scope> all = new ArrayDeque<>();
        for (Scope scope = this; scope != null; scope = scope.outer) {
            all.push(scope);
        }
        return all;
    }

    /** What this realm does for it. */
    public Realm.Part part(Realm realm) {
        Realm.Part there = find(realm);
        return there == null ? add(realm) : there;
    }

    private Realm.@Nullable Part find(Realm realm) {
        for (OfRealm each = parts; each != null; each = each.next()) {
            if (each.realm() == realm) {
                return each.part();
            }
        }
        return null;
    }

    private synchronized Realm.Part add(Realm realm) {
        Realm.Part there = find(realm);
        if (there != null) {
            return there;
        }
        Realm.Part made = realm.partOf(this);
        parts = new OfRealm(realm, made, parts);
        return made;
    }

    List<Realm.Part> parts() {
        OfRealm each = parts;
        if (each == null) {
            return List.of();
        }
        List<Realm.Part> all = new ArrayList<>(1);
        for (; each != null; each = each.next()) {
            all.add(each.part());
        }
        return all;
    }

    /** A wait for a lock of its own has ended. */
    public void waited(Duration time) {
        waited = waited.plus(time);
        site.counters().waited(time);
    }

    /** It is about to get the lock that it is to be under, or not. */
    public void asksForLock() {
        askedForLock = true;
    }

    /** It has tried for it, and does not wait yet: as long as it uses nothing it goes on without. */
    public void foundLockTaken() {
        foundLockTaken = true;
    }

    /**
     * It has it.
     *
     * @param uncertain whether the method's connections may yet show that it belongs elsewhere
     */
    public void holdsLock(HeldLock held, Place where, boolean uncertain) {
        lock = held;
        place = where;
        presumed = uncertain;
    }

    /** Where its lock is, if it has it. */
    public Optional<Place> place() {
        return Optional.ofNullable(place);
    }

    /** Whether it is to have a lock that it does not have yet, or not for certain where it belongs. */
    public boolean awaitsLock() {
        return site.spec().locksBefore() && (lock == null || presumed);
    }

    /** Its lock is where it belongs. */
    public void settlesLock() {
        presumed = false;
    }

    /** Lets go of its lock, if it has it; it throws when that was lost meanwhile. */
    public void unlock() {
        HeldLock held;
        synchronized (this) { // the transaction that has kept it may end on another thread
            held = lock;
            lock = null;
            place = null;
        }
        if (held != null) {
            held.release();
        }
    }

    /** The same when it has ended: in the caller's transaction when that has, too, for nobody sees before what it has done. */
    void endLock() {
        if (!(holdsLock() && joins && callers != null && callers.keep(this))) {
            unlock();
        }
    }

    /** Whether it has its lock, and it is not known to be lost. */
    boolean holdsLock() {
        return lock != null && lock.isHeld();
    }

    /** Whether its thread has got by the other one's call what it has by this one's. */
    boolean hasTheSameLockAs(Scope other) {
        return site == other.site && Objects.equals(place, other.place);
    }

    /** Those before it whose locks the transaction has kept that was open when it came. */
    public List<Scope> keptByCallers() {
        return callers == null ? List.of() : callers.kept();
    }

    /** Whether it has run, and has never asked for the lock that it was to be under: nothing has shown where to take that. */
    boolean ranWithoutItsLock() {
        return site.spec().locksBefore() && !askedForLock;
    }

    /** Whether one thing has shown where to take it, and somebody else had it then. */
    boolean hasFoundItsLockTaken() {
        return foundLockTaken;
    }

    /** It has used this session. */
    public void used(int backend) {
        pid = pid == 0 ? backend : pid;
    }

    void ended(String outcome) {
        if (event != null) {
            event.ended(site.name(), site.spec(), pid, outcome, waited);
        }
    }

    void nextAttempt() {
        tookEffect = false;
        ranStatements = false;
        notAcquired = null;
        passedOver = false;
        awaitsBody = aroundTransaction;
        joins &= !aroundTransaction;
    }

    /** Something that was done in it can no longer be undone. */
    public void tookEffect() {
        for (Scope scope = this; scope != null; scope = scope.outer) {
            scope.tookEffect = true;
        }
    }

    /** Whether something that was done in it can no longer be undone. */
    public boolean hasTakenEffect() {
        return tookEffect;
    }

    /** A statement of the application's has gone out. */
    public void ranStatement() {
        for (Scope scope = this; scope != null; scope = scope.outer) {
            scope.ranStatements = true;
        }
    }

    /** Its lock was not to be had, and this is on its way through the body. */
    public void notAcquired(Throwable thrown) {
        notAcquired = thrown;
    }

    /** It goes on its way as another exception, the application's own. */
    void renamed(Throwable thrown, Throwable other) {
        for (Scope scope = this; scope != null; scope = scope.outer) {
            if (scope.notAcquired == thrown) {
                scope.notAcquired = other;
            }
        }
    }

    /** Whether what comes out of the body is that its lock was not to be had, and nothing was done before. */
    boolean ends(Throwable thrown) {
        Throwable awaited = notAcquired;
        return awaited != null && !ranStatements && Causes.of(thrown).anyMatch(cause -> cause == awaited);
    }

    /** Entered around the transaction; the method's own body is yet to come. */
    void awaitBody() {
        aroundTransaction = true;
        awaitsBody = true;
        joins = false; // as long as nothing is done, nothing is kept
    }

    /** Whether the body that begins is the one that this was entered for. */
    boolean takesBody(Site other) {
        boolean takes = awaitsBody && other == site;
        awaitsBody &= !takes;
        joins = takes ? isInCallersTransaction() : joins;
        return takes;
    }

    /** Whether that is in the transaction that was open when it came. */
    boolean joins() {
        return joins;
    }

    /** Its body has returned as if it had not run. */
    void passedOver() {
        passedOver = true;
    }

    boolean isPassedOver() {
        return passedOver;
    }

    @Override
    public String toString() {
        return site.name();
    }
}
