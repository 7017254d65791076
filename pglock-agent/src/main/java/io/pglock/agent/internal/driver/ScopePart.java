// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal.driver;

import io.pglock.LockAttempts;
import io.pglock.LockKey;
import io.pglock.LockMode;
import io.pglock.LockNotSupportedException;
import io.pglock.LockPolicy;
import io.pglock.LockTimeoutException;
import io.pglock.PgLock;
import io.pglock.TableLock;
import io.pglock.agent.internal.Causes;
import io.pglock.agent.internal.HeldLock;
import io.pglock.agent.internal.Place;
import io.pglock.agent.internal.Realm;
import io.pglock.agent.internal.Scope;
import io.pglock.agent.internal.Spec;
import io.pglock.agent.internal.Timeouts;
import io.pglock.internal.SqlState;
import io.pglock.internal.Statements;
import java.lang.System.Logger.Level;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.postgresql.core.BaseConnection;

/**
 * One call of a method, on the connections of this driver: its locks in each transaction, and core's guard for whoever
 * is in its way. By the scope's thread, but for {@link #gives}.
 */
final class ScopePart implements Realm.Part {

    /** A lock timeout, a deadlock: what would have been tried again, had nothing taken effect. */
    private static final Set<String> ENDS_A_WAIT = Set.of(SqlState.LOCK_NOT_AVAILABLE, SqlState.DEADLOCK_DETECTED);

    private final DriverRealm realm;
    private final Scope scope;
    private final LockPolicy policy;
    private final Set<Session> sessions = new LinkedHashSet<>();
    /** Those on which its last transaction has ended: whatever goes on there since is somebody else's. */
    private final Set<Session> atRest = ConcurrentHashMap.newKeySet();
    /** Those in a transaction that was open when it came: what is lost with that is not all its own to do again. */
    private final Set<Session> joined = new HashSet<>();
    /** For what is watched: another thread may take over one of its connections. */
    private final ReentrantLock watching = new ReentrantLock();

    private volatile @Nullable LockAttempts attempts;
    private boolean watched;
    private boolean cameBack;

    ScopePart(DriverRealm realm, Scope scope) {
        this.realm = realm;
        this.scope = scope;
        this.policy = realm.policy(scope.site());
    }

    Scope scope() {
        return scope;
    }

    /** The same driver's part of another scope. */
    ScopePart of(Scope other) {
        return (ScopePart) other.part(realm);
    }

    // ---- its connections --------------------------------------------------------------------------------------------

    /** The part of the scope around it, if there is one. */
    @Nullable ScopePart outer() {
        Scope around = scope.outer();
        return around == null ? null : of(around);
    }

    /**
     * A statement of its goes out on this one: so the scopes around it have used that, too.
     *
     * @param idle no transaction is open on it yet
     * @param alone nor is one begun with it
     */
    void uses(Session session, int backend, boolean idle, boolean alone) {
        for (ScopePart part = this; part != null; part = part.outer()) {
            boolean isNew = part.sessions.add(session);
            if (!alone && part.scope.isInCallersTransaction()) {
                part.joined.add(session); // open for Spring, though nothing of it may have gone out yet
            } else if (idle) {
                part.joined.remove(session);
            } else if (isNew) {
                part.joined.add(session);
            }
            part.atRest.remove(session);
            part.scope.used(backend);
        }
    }

    /**
     * The connection has gone to another scope or thread, through its pool: what is seen of it there is not this one's.
     *
     * @param idle no transaction is open on it yet
     */
    void gives(Session session, BaseConnection connection, boolean idle) {
        for (Scope each = scope; each != null; each = each.outer()) {
            ScopePart part = of(each);
            if (idle) {
                part.rests(session);
            }
            part.watching.lock();
            try {
                LockAttempts going = part.attempts;
                if (going != null) {
                    going.leave(connection);
                }
            } finally {
                part.watching.unlock();
            }
        }
    }

    /** No transaction is open on it, and it may be somebody else's with the next statement. */
    void rests(Session session) {
        atRest.add(session);
    }

    /** Something that was done cannot be undone any more: nothing of it is given up for others from here on. */
    void takesEffect() {
        scope.tookEffect();
        for (Scope each = scope; each != null; each = each.outer()) {
            ScopePart part = of(each);
            part.watching.lock();
            try {
                LockAttempts going = part.attempts;
                if (going != null) {
                    going.takesEffect();
                }
            } finally {
                part.watching.unlock();
            }
        }
    }

    /** A transaction is about to end: for the report, while it still has its locks. */
    void beforeCommit(BaseConnection connection) {
        for (Scope each = scope; each != null; each = each.outer()) {
            LockAttempts going = of(each).attempts;
            if (going != null) {
                going.noteLocks(connection);
            }
        }
    }

    /** What an attempt waits for a lock, where that is not what the settings say: of the scope whose lock timeout is in force. */
    Optional<Long> lockTimeoutOfAttempt() {
        for (ScopePart part = this; part != null; part = part.outer()) {
            Optional<Long> another = part.ownLockTimeoutOfAttempt();
            if (another.isPresent()
                    || part.scope.site().timeouts().lockTimeout().isPresent()) {
                return another;
            }
        }
        return Optional.empty();
    }

    private Optional<Long> ownLockTimeoutOfAttempt() {
        LockAttempts going = attempts;
        return going == null
                ? Optional.empty()
                : going.lockTimeout()
                        .filter(timeout -> !Optional.of(timeout).equals(policy.lockTimeout()))
                        .map(Duration::toMillis);
    }

    /**
     * Before a statement of the application's on what is no PostgreSQL, where no setting of pglock's is known and its locks may
     * hold nobody back: it goes out as it is, unless it was to be under a lock that nothing has shown where to take.
     */
    void leavesAlone(BaseConnection connection) throws SQLException {
        String where = Means.shown(connection.getMetaData().getURL());
        for (Scope each = scope; each != null; each = each.outer()) {
            if (each.awaitsLock() || locksInTransactions(each.site().spec())) {
                each.asksForLock();
                throw new LockNotSupportedException(each + ": not locked, for " + where
                        + " is not PostgreSQL 10 or newer. Let another method do what is done there"
                        + (each.awaitsLock() ? ", or set monitorUrl: then the lock is taken there." : "."));
            }
        }
        realm.environment()
                .warnOnce(
                        "no PostgreSQL at " + where,
                        scope + ": " + where
                                + " is not PostgreSQL 10 or newer: what guarded methods do there goes out as it is,"
                                + " without timeouts, and nobody watches for blockers.");
    }

    /**
     * Before a statement of the application's: the lock that had to wait for a connection, and the watch.
     *
     * @param alone it is a transaction of its own
     */
    void beforeWork(BaseConnection connection, Commands commands, boolean alone) throws Throwable {
        realm.locks().used(scope, connection);
        ScopePart watcher = innermost(ScopePart::prioritizes)
                .or(() -> innermost(ScopePart::countsAttempts))
                .orElse(null);
        for (ScopePart part = this; part != null; part = part.outer()) {
            if (part == watcher) {
                part.watch(connection, commands, alone); // one is enough, and the innermost knows best
            } else if (part.countsAttempts()) {
                part.attempts();
            }
        }
    }

    private Optional<ScopePart> innermost(Predicate<ScopePart> which) {
        for (ScopePart part = this; part != null; part = part.outer()) {
            if (which.test(part)) {
                return Optional.of(part);
            }
        }
        return Optional.empty();
    }

    // ---- core's guard -----------------------------------------------------------------------------------------------

    private boolean prioritizes() {
        return policy.enabled() && policy.prioritize() != LockPolicy.Priority.OFF;
    }

    /** Whether it matters how each attempt of it ends, whoever watches. */
    private boolean countsAttempts() {
        return policy.enabled() && (scope.site().retries() || policy.report().isPresent());
    }

    private LockAttempts attempts() {
        LockAttempts going = attempts;
        if (going == null) {
            going = LockAttempts.begin(scope.site().name(), policy, realm::say);
            attempts = going;
        }
        return going;
    }

    private void watch(BaseConnection connection, Commands commands, boolean alone) throws SQLException {
        LockAttempts going = attempts();
        watched = true;
        if (!going.knows(connection) && !realm.mayAsk(connection)) {
            realm.environment()
                    .warnOnce(
                            "asked too late " + scope,
                            scope
                                    + ": nobody watches for blockers in this transaction, for its session is not known yet and"
                                    + " a question would fix what the transaction sees. In the next one somebody does.");
            return;
        }
        watching.lock();
        try {
            realm.aside(() -> {
                going.watch(connection, realm.databases().like(connection));
                return true;
            });
            if (alone && Statements.concurrently(commands.sql())) {
                going.standFast(policy.concurrentLockTimeout());
            } else if (alone && commands.mayFailHalfDone()) {
                going.standFast(going.lockTimeout()); // it would not be sent again
            } else if (!alone && scope.isInCallersTransaction()
                    || !joined.stream().allMatch(this::isAtRest)) {
                going.standFast(going.lockTimeout()); // that transaction stays open, and nobody would come back
            } else {
                going.lockTimeout(going.lockTimeout());
            }
        } finally {
            watching.unlock();
        }
    }

    @Override
    public void ended() {
        LockAttempts going = attempts;
        if (going != null) {
            watching.lock();
            try {
                going.endAttempt();
            } finally {
                watching.unlock();
            }
        }
        Timeouts outer = Timeouts.NONE;
        for (Scope each = scope.outer(); each != null; each = each.outer()) {
            outer = outer.or(each.site().timeouts());
        }
        for (Session session : sessions) {
            session.leave(this, outer);
            session.forgetIfGone();
        }
        realm.sweep();
    }

    @Override
    public boolean comesBack(Throwable thrown) {
        LockAttempts going = attempts;
        if (going == null || !scope.site().retries()) {
            return false;
        }
        Optional<SQLException> failure = sql(thrown)
                .filter(one -> going.mayComeBack(one)
                        || scope.hasTakenEffect() && ENDS_A_WAIT.contains(String.valueOf(one.getSQLState())));
        if (failure.isEmpty()) {
            return false;
        }
        Optional<String> never = scope.hasTakenEffect()
                ? Optional.of("something that it did has been committed")
                : sessions.stream().allMatch(this::isAtRest)
                        ? Optional.empty()
                        : Optional.of("a transaction that it used is still open");
        if (never.isPresent()) {
            realm.say(Level.WARNING, scope + ": not tried again: " + never.get() + ".");
            return false;
        }
        sessions.clear();
        joined.clear();
        atRest.clear();
        boolean again = going.comesBack(failure.get());
        cameBack |= again;
        return again;
    }

    private boolean isAtRest(Session session) {
        return atRest.contains(session) || session.isAtRest();
    }

    private static Optional<SQLException> sql(Throwable thrown) {
        return Causes.of(thrown)
                .filter(SQLException.class::isInstance)
                .map(SQLException.class::cast)
                .findFirst();
    }

    @Override
    public @Nullable String explain(Throwable thrown) {
        LockAttempts going = attempts;
        Optional<String> failed = going == null ? Optional.empty() : sql(thrown).flatMap(going::failed);
        return failed.filter(text -> watched || cameBack)
                .orElse(null); // else the one inside that has watched has said it
    }

    // ---- its locks --------------------------------------------------------------------------------------------------

    @Override
    public void lock() {
        realm.locks().begin(scope);
    }

    @Override
    public void lockAt(Place place, boolean presumed) {
        scope.asksForLock();
        long begun = System.nanoTime();
        try {
            lockAt(place, presumed, advisory(scope).timeout());
        } catch (LockTimeoutException e) {
            scope.notAcquired(e);
            throw e;
        } finally {
            scope.waited(Duration.ofNanos(System.nanoTime() - begun));
        }
    }

    @Override
    public boolean tryLockAt(Place place, boolean presumed) {
        boolean free = true;
        try {
            lockAt(place, presumed, Optional.of(Duration.ZERO));
        } catch (LockTimeoutException e) {
            free = false;
            scope.foundLockTaken();
        } finally {
            if (free) {
                scope.asksForLock();
            }
        }
        return free;
    }

    private void lockAt(Place place, boolean presumed, Optional<Duration> timeout) {
        try {
            HeldLock held = realm.clients()
                    .on(place.source())
                    .acquire(key(scope), advisory(scope).shared(), timeout);
            scope.holdsLock(held, place, presumed);
        } catch (LockNotSupportedException e) {
            throw new LockNotSupportedException(scope + ": " + e.getMessage()
                    + " Or set monitorUrl to an address without a pooler in between: then the lock is taken there.");
        }
    }

    private static Spec.Advisory advisory(Scope scope) {
        return scope.site().spec().advisory().orElseThrow();
    }

    /** Of the advisory lock that a scope asks for. */
    static LockKey key(Scope scope) {
        String key = advisory(scope).key();
        return AdvisoryKeys.read(key.isEmpty() ? scope.site().name() : key);
    }

    /**
     * What is taken in each transaction, before its first statement.
     *
     * @return whether that is done; not where another transaction has it, which may end before this one
     */
    boolean lockIn(Session session, BaseConnection connection, boolean alone) throws SQLException {
        Spec spec = scope.site().spec();
        if (!locksInTransactions(spec)) {
            return true;
        }
        if (!alone && isLockedBeside(session, connection)) {
            return false;
        }
        boolean xact = isXact(spec);
        long begun = System.nanoTime();
        try {
            if (alone) {
                throw new LockNotSupportedException(scope + ": " + (xact ? "its advisory lock" : "its table lock")
                        + " lasts as long as a transaction, and it has none: its connection is in autocommit."
                        + " Call setAutoCommit(false), or make the method @Transactional.");
            }
            spec.table().ifPresent(wanted -> table(connection, wanted).acquire());
            spec.advisory().filter(Spec.Advisory::xact).ifPresent(wanted -> xact(connection, wanted));
            return true;
        } catch (LockTimeoutException e) {
            scope.notAcquired(e);
            throw e;
        } finally {
            scope.waited(Duration.ofNanos(System.nanoTime() - begun));
        }
    }

    /**
     * Whether this method, or one around it, has these locks in a transaction that is open on another connection to this database:
     * everybody else is kept out by that, and this one, which would be as well, is on the same thread.
     */
    private boolean isLockedBeside(Session session, BaseConnection connection) throws SQLException {
        for (ScopePart part = this; part != null; part = part.outer()) {
            if (part.covers(scope)) {
                for (Session other : part.sessions) {
                    if (other != session
                            && other.isLockedFor(part.scope)
                            && other.isOn(realm.databases().nameOf(connection), realm.databases())) {
                        return true;
                    }
                }
            }
        }
        return false;
    }

    /** Whether what it takes in a transaction keeps out everybody whom that scope is to keep out. */
    private boolean covers(Scope inner) {
        Spec own = scope.site().spec();
        Spec wanted = inner.site().spec();
        return wanted.table().stream()
                        .allMatch(table ->
                                own.table().filter(one -> covers(one, table)).isPresent())
                && (!isXact(wanted)
                        || isXact(own)
                                && key(scope).equals(key(inner))
                                && (!advisory(scope).shared() || advisory(inner).shared()));
    }

    private static boolean covers(Spec.Table own, Spec.Table wanted) {
        return own.tables().containsAll(wanted.tables())
                && mode(own).conflicts().containsAll(mode(wanted).conflicts());
    }

    private static LockMode mode(Spec.Table wanted) {
        return LockMode.valueOf(wanted.mode().toUpperCase(Locale.ROOT).replace(' ', '_'));
    }

    private static boolean locksInTransactions(Spec spec) {
        return spec.table().isPresent() || isXact(spec);
    }

    private static boolean isXact(Spec spec) {
        return spec.advisory().filter(Spec.Advisory::xact).isPresent();
    }

    private static TableLock table(BaseConnection connection, Spec.Table wanted) {
        TableLock request = PgLock.on(connection)
                .table(wanted.tables().toArray(new String[0]))
                .mode(mode(wanted));
        if (wanted.nowait()) {
            return request.noWait();
        }
        return wanted.timeout().map(request::timeout).orElse(request);
    }

    private void xact(BaseConnection connection, Spec.Advisory wanted) {
        var request = PgLock.on(connection).advisory(key(scope));
        if (wanted.shared()) {
            request = request.shared();
        }
        if (wanted.timeout().isPresent()) {
            request = request.timeout(wanted.timeout().get());
        }
        request.acquireXact();
    }

    @Override
    public void close() {
        LockAttempts going = attempts;
        if (going != null) {
            going.close();
            DriverRealm.count(scope, going);
        }
    }
}
