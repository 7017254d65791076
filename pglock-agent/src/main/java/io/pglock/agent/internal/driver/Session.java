// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal.driver;

import io.pglock.agent.internal.Environment;
import io.pglock.agent.internal.Scope;
import io.pglock.agent.internal.Timeouts;
import io.pglock.internal.PgSession;
import io.pglock.internal.Statements;
import java.lang.ref.WeakReference;
import java.sql.SQLException;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.postgresql.copy.CopyOperation;
import org.postgresql.core.BaseConnection;
import org.postgresql.core.TransactionState;

/**
 * A physical connection that a scope has used. Before each of its statements what the thread's scopes want is compared with
 * what is in force; so nested scopes, pools and late restores need nothing of their own. Its lock is held while a statement
 * runs: whoever puts things back finds out that another thread is at work, and leaves it to that thread's next statement.
 * Thread-safe.
 */
final class Session {

    /** {@code QueryExecutor.QUERY_SUPPRESS_BEGIN}. */
    private static final int SUPPRESS_BEGIN = 16;

    private final Sessions all;
    private final Environment environment;
    private final WeakReference<Object> executor;
    private final WeakReference<BaseConnection> connection;
    private final ReentrantLock busy = new ReentrantLock();
    private final TimeoutSettings settings = new TimeoutSettings();

    /**
     * The scopes that have taken in this transaction what they take in each, and whether no rollback to a savepoint may have
     * undone that. Read by a scope that uses another one beside it, too.
     */
    private final Map<Scope, Boolean> locked = new ConcurrentHashMap<>();

    private WeakReference<CopyOperation> copy = new WeakReference<>(null);
    private @Nullable ScopePart user;
    private long userThread;
    private boolean unsure;
    /** Whether it leads to PostgreSQL; empty as long as no scope has used it. */
    private Optional<Boolean> postgres = Optional.empty();

    /** A statement of nobody's scope that finds nothing to do. */
    private final Sent quiet = new Sent(this, null, Commands.NONE, true, true, TransactionState.IDLE);

    Session(Sessions all, Object executor, BaseConnection connection) {
        this.all = all;
        this.environment = all.environment();
        this.executor = new WeakReference<>(executor);
        this.connection = new WeakReference<>(connection);
    }

    /** A statement that is under way. */
    record Sent(
            Session session,
            @Nullable ScopePart part,
            Commands commands,
            boolean internal,
            boolean alone,
            TransactionState before) {}

    boolean isGone() {
        BaseConnection open = connection.get();
        try {
            return open == null || open.isClosed();
        } catch (SQLException e) {
            return true;
        }
    }

    // ---- before and after a statement -------------------------------------------------------------------------------

    /**
     * @param what a query, several, or the text of one
     * @param part the innermost scope's; null where there is none
     * @throws Throwable instead of the statement
     */
    @Nullable Sent before(@Nullable Object what, int flags, @Nullable ScopePart part) throws Throwable {
        BaseConnection open = connection.get();
        if (open == null || busy.isHeldByCurrentThread()) {
            return null; // one of ours
        }
        busy.lock();
        boolean sent = false;
        try {
            Sent statement = part == null && isQuiet() ? quiet : prepare(open, Commands.of(what), flags, part);
            sent = true;
            return statement;
        } finally {
            if (!sent) {
                busy.unlock();
            }
        }
    }

    /** Nobody is to be told, and nothing is to be put back: so the statement need not even be read. */
    private boolean isQuiet() {
        return user == null && locked.isEmpty() && settings.areUntouched();
    }

    private Sent prepare(BaseConnection open, Commands commands, int flags, @Nullable ScopePart part) throws Throwable {
        TransactionState state = open.getTransactionState();
        userThread = Thread.currentThread().getId();
        Verb verb = commands.verb();
        boolean idle = state == TransactionState.IDLE;
        boolean mayBegin = (flags & SUPPRESS_BEGIN) == 0;
        boolean internal = idle && !mayBegin && !open.getAutoCommit(); // of the driver, or a commit of nothing
        boolean alone = idle && !mayBegin;
        Sent statement = new Sent(this, part, commands, internal, alone, state);
        if (idle) {
            transactionEnded(false);
        }
        if (user != null && user != part) {
            user.gives(this, open, idle);
            user = null;
        }
        settings.usedIn(part == null ? null : part.scope());
        if (internal || state == TransactionState.FAILED || verb == Verb.ROLLBACK) {
            return statement;
        }
        boolean passes = verb == Verb.NONE || alone && verb == Verb.BEGIN || verb == Verb.CONTROL;
        if (part != null) {
            user = part;
            part.uses(this, open.getBackendPID(), idle, alone);
            if (!isPostgres(open)) {
                if (verb == Verb.WORK) {
                    part.leavesAlone(open);
                }
                return statement; // which is told of as any other: a method is not run again over what it did there
            }
            boolean commits = commands.has(Verb.COMMIT) && !alone;
            if (commits) {
                part.beforeCommit(open);
            }
            if (!passes && verb != Verb.SHOW_TIMEOUT && !(commits && verb == Verb.COMMIT)) {
                part.beforeWork(open, commands, alone); // while no transaction is open yet
            }
        }
        if (part == null || !passes) {
            reconcile(open, alone, wanted(part, commands.sql(), alone));
        }
        if (part != null && verb == Verb.WORK) {
            lockFor(part.scope(), part, open, alone);
        }
        return statement;
    }

    /** Found out once, and only for a scope. */
    private boolean isPostgres(BaseConnection open) throws SQLException {
        if (postgres.isEmpty()) {
            postgres = Optional.of(Databases.isPostgres(open));
        }
        return postgres.get();
    }

    private static Timeouts wanted(@Nullable ScopePart part, String sql, boolean alone) {
        Timeouts timeouts = Timeouts.NONE;
        for (Scope scope = part == null ? null : part.scope(); scope != null; scope = scope.outer()) {
            timeouts = timeouts.or(scope.site().timeouts());
        }
        Optional<Long> lockTimeout = part == null ? Optional.empty() : part.lockTimeoutOfAttempt();
        if (alone && timeouts.concurrentLockTimeout().isPresent() && Statements.concurrently(sql)) {
            lockTimeout = timeouts.concurrentLockTimeout();
        }
        return lockTimeout.isEmpty()
                ? timeouts
                : new Timeouts(lockTimeout, timeouts.statementTimeout(), timeouts.concurrentLockTimeout());
    }

    /** What each scope takes in each transaction, the outermost first. */
    private void lockFor(Scope innermost, ScopePart part, BaseConnection open, boolean alone) throws Throwable {
        for (Scope scope : innermost.outermostFirst()) {
            if (!locked.getOrDefault(scope, false) && part.of(scope).lockIn(this, open, alone) && !alone) {
                locked.put(scope, true);
            }
        }
    }

    /** Whether its transaction has what this scope takes in each, as far as is known: the driver, which may be at work, is not asked. */
    boolean isLockedFor(Scope scope) {
        return locked.containsKey(scope) && !isGone();
    }

    /** Whether it leads to the database of this name; not to be asked of one that is gone. */
    boolean isOn(String database, Databases databases) throws SQLException {
        BaseConnection open = connection.get();
        return open != null && databases.nameOf(open).equals(database);
    }

    @SuppressWarnings("ReferenceEquality") // the quiet one is this one
    void after(Sent statement, @Nullable Object result, @Nullable Throwable thrown) {
        try {
            if (result instanceof CopyOperation begun) {
                copy = new WeakReference<>(begun);
            }
            BaseConnection open = connection.get();
            if (open == null || statement == quiet) {
                return;
            }
            TransactionState state = open.getTransactionState();
            Commands commands = statement.commands();
            boolean wasFailed = statement.before() == TransactionState.FAILED;
            if (state == TransactionState.OPEN && (wasFailed || commands.has(Verb.ROLLBACK))) {
                goneBack();
            }
            ScopePart part = statement.part();
            if (thrown == null && !isOfThePool(commands)) {
                settings.note(commands, part == null ? null : part.scope());
            }
            if (part != null && !statement.internal()) {
                Effect.note(part, statement, state, thrown);
            }
            boolean ended = thrown == null && commands.has(Verb.COMMIT); // AND CHAIN, too
            if (ended || state == TransactionState.IDLE) {
                transactionEnded(thrown == null && !wasFailed && !commands.has(Verb.ROLLBACK));
                armOrDisarm();
            }
        } finally {
            busy.unlock();
        }
    }

    /** What it sets before anybody has the connection: what the method puts back, and none of what that sets itself. */
    private boolean isOfThePool(Commands commands) {
        return settings.areUntouched() && settings.areSetBy(commands) && Lending.isGoingOn();
    }

    /** To a savepoint, or to the beginning of a transaction: whatever was set or locked behind that is undone. */
    private void goneBack() {
        unsure = true;
        locked.replaceAll((scope, certain) -> false);
    }

    /** @param committed known to have been */
    private void transactionEnded(boolean committed) {
        settings.transactionEnded(committed && !unsure);
        locked.clear();
        unsure = false;
    }

    // ---- settings ---------------------------------------------------------------------------------------------------

    private void reconcile(BaseConnection open, boolean alone, Timeouts wanted) throws SQLException {
        settle(open);
        if (unsure) {
            settings.lookAgain(open);
            unsure = false;
        }
        if (!alone) {
            if (settings.areChangedForSession()
                    && open.getTransactionState() == TransactionState.IDLE
                    && wanted.isNothing()) {
                putBackForSession(open);
                return;
            }
            settings.forTransaction(open, wanted);
        } else if (wanted.isNothing() || mayBeSetForSession(open)) {
            settings.forSession(open, wanted);
        }
        armOrDisarm();
    }

    /** What the application has set may be what it had been told in the scope, which is over now: then that is still ours. */
    private void settle(BaseConnection open) throws SQLException {
        if (settings.areInDoubt() && open.getTransactionState() == TransactionState.IDLE) {
            settings.settle(PgSession.of(open).isBehindPooler() ? Optional.empty() : Optional.of(open));
        }
    }

    /** Without beginning a transaction, where autocommit is off. */
    private void putBackForSession(BaseConnection open) throws SQLException {
        settings.forSession(open, Timeouts.NONE);
        armOrDisarm();
    }

    /** Not through a pooler: it would be set for whoever gets the server's connection next. */
    private boolean mayBeSetForSession(BaseConnection open) throws SQLException {
        if (!PgSession.of(open).isBehindPooler()) {
            return true;
        }
        environment.pooler(String.valueOf(open.getMetaData().getURL()), "no timeouts in autocommit");
        environment.warnOnce(
                "pooler",
                "statements in autocommit run through a pooler, where a setting of the session would be left to others:"
                        + " they get no timeout. In a transaction they do; or connect directly to the server.");
        return false;
    }

    /**
     * The scope has ended, or its body has: what it wanted is put back to what is wanted around it. Until 42.5 the driver has the
     * executor's monitor while a statement runs, and so before our lock: here, too, or each of two threads would wait for the other.
     */
    void leave(ScopePart part, Timeouts outer) {
        Object monitor = executor.get();
        if (monitor == null || busy.isLocked()) {
            return; // it is gone; or somebody else's statement is running, and the next one puts it right
        }
        synchronized (monitor) {
            if (busy.tryLock()) {
                leaveUnderLock(part, outer);
            }
        }
    }

    private void leaveUnderLock(ScopePart part, Timeouts outer) {
        try {
            if (user == part) {
                user = part.outer(); // which may be watching it, until somebody else gets it
            }
            if (isAtRest()) {
                part.rests(this);
            }
            locked.remove(part.scope());
            BaseConnection open = connection.get();
            if (open == null
                    || open.isClosed()
                    || userThread != Thread.currentThread().getId()) {
                return; // what another thread wants is in force, or will be with its next statement
            }
            settings.usedIn(part.scope().outer());
            putBack(open, outer);
        } catch (SQLException e) {
            if (isGone()) {
                return; // and what was set with it
            }
            environment.warnOnce(
                    "put back " + e.getSQLState(),
                    part.scope() + ": the timeouts are not as they were yet: " + e.getMessage());
        } finally {
            armOrDisarm();
            busy.unlock();
        }
    }

    private void putBack(BaseConnection open, Timeouts outer) throws SQLException {
        CopyOperation copying = copy.get();
        if (copying != null && copying.isActive() || !settings.areChanged()) {
            return;
        }
        switch (open.getTransactionState()) {
            case IDLE -> {
                transactionEnded(false);
                settle(open);
                if (settings.areChangedForSession()) {
                    if (outer.isNothing()) {
                        putBackForSession(open);
                    } else if (open.getAutoCommit()) {
                        reconcile(open, true, outer);
                    }
                }
            }
            case OPEN -> reconcile(open, false, outer);
            case FAILED -> unsure = true;
        }
    }

    /** While there is something to put back, statements are looked at. */
    private void armOrDisarm() {
        all.arm(this, settings.areChanged() && !isGone());
    }

    /** Nobody can use it any more. */
    void forgetIfGone() {
        if (isGone()) {
            all.forget(this, executor.get());
        }
    }

    /** Whether no transaction of it is open: what was done in it is done, or undone. */
    boolean isAtRest() {
        BaseConnection open = connection.get();
        return open == null || isGone() || open.getTransactionState() == TransactionState.IDLE;
    }
}
