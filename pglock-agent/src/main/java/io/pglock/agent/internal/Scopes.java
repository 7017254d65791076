// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import io.pglock.agent.bridge.PgLockBridge;
import io.pglock.agent.internal.Counters.Kind;
import java.lang.reflect.Method;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.concurrent.ConcurrentHashMap;
import net.bytebuddy.jar.asm.Type;
import org.jspecify.annotations.Nullable;

/**
 * What woven code calls: the scopes that are open on each thread, from the first to the last thing that happens in them. No
 * exception leaves it but those that are meant for the application. Thread-safe.
 */
final class Scopes implements PgLockBridge.Hooks, Environment {

    /** How the names of core's threads begin. */
    private static final String OWN_THREADS = "pglock-";

    private static final ThreadLocal<@Nullable Scope> INNERMOST = new ThreadLocal<>();
    private static final ThreadLocal<@Nullable Boolean> ASIDE = new ThreadLocal<>();

    private final String firstArguments;
    private final Sites sites;
    private final Realms realms;
    private final Trouble trouble;
    private final AgentLog log;
    private final Status status;
    private final StatusPublication publication;
    private final boolean spring;

    /** Which methods of a class are woven, of those that Spring has begun a transaction for. */
    private final ClassValue<Map<Method, Optional<Site>>> transactional = new ClassValue<>() {
        @Override
        protected Map<Method, Optional<Site>> computeValue(Class<?> type) {
            return new ConcurrentHashMap<>();
        }
    };

    /** @param spring whether Spring's transactions are heeded */
    Scopes(
            String arguments,
            Sites sites,
            Trouble trouble,
            AgentLog log,
            Status status,
            StatusPublication publication,
            boolean spring) {
        this.firstArguments = arguments;
        this.sites = sites;
        this.trouble = trouble;
        this.log = log;
        this.status = status;
        this.publication = publication;
        this.spring = spring;
        this.realms = new Realms(this, trouble, status);
    }

    // ---- methods ----------------------------------------------------------------------------------------------------

    @Override
    public PgLockBridge.@Nullable Call enter(int id) {
        Site site = sites.get(id);
        Scope outer = INNERMOST.get();
        if (site == null) {
            return null;
        }
        if (outer != null && outer.takesBody(site)) {
            return outer.joins() && site.spec().skips() ? new Body(outer) : null;
        }
        return enter(site, outer);
    }

    /**
     * What runs of a method in the caller's transaction, inside what Spring does around it: an exception that Spring sees there makes
     * it give up what the caller has done.
     */
    private static final class Body extends PgLockBridge.Call {
        private final Scope scope;

        Body(Scope scope) {
            this.scope = scope;
        }
    }

    @Override
    public PgLockBridge.@Nullable Call enterTransaction(Object method, @Nullable Object target) {
        try {
            Method called = (Method) method;
            Optional<Site> site = transactional
                    .get(target == null ? called.getDeclaringClass() : (Class<?>) target)
                    .computeIfAbsent(called, one -> transactional(one, (Class<?>) target));
            if (site.isEmpty()) {
                return null;
            }
            Scope scope = enter(site.get(), INNERMOST.get());
            scope.awaitBody();
            return scope;
        } catch (RuntimeException | LinkageError e) {
            trouble.at("a transaction of Spring's", e);
            return null;
        }
    }

    /** Of the method whose body runs, which the target's class declares or inherits. */
    private Optional<Site> transactional(Method called, @Nullable Class<?> target) {
        Method method = target == null ? called : Implementation.of(called, target);
        Class<?> in = method.getDeclaringClass();
        return sites.find(
                in.getClassLoader(), Sites.key(in.getName(), method.getName(), Type.getMethodDescriptor(method)));
    }

    private Scope enter(Site site, @Nullable Scope outer) {
        Scope scope = new Scope(site, outer, callersTransaction(site));
        site.counters().add(Kind.BEGUN);
        try {
            Optional<String> never = site.refusal().or(() -> trouble.broken().map(why -> "pglock: " + why));
            if (never.isPresent()) {
                throw new IllegalStateException(never.get());
            }
            lockBefore(scope);
        } catch (Throwable e) {
            refused(scope, e);
            return scope;
        }
        INNERMOST.set(scope);
        arm(1);
        return scope;
    }

    private @Nullable CallersTransaction callersTransaction(Site site) {
        try {
            return spring ? SpringTransactions.open(site, log) : null;
        } catch (RuntimeException | LinkageError e) {
            trouble.at("Spring's transactions", e);
            return null;
        }
    }

    /** The lock that is not bound to a connection, where it is known on which database it is to be taken. */
    private void lockBefore(Scope scope) throws Throwable {
        if (scope.site().spec().locksBefore()) {
            Optional<Realm> realm = realms.whereToLock(scope);
            if (realm.isPresent()) {
                Realm.Part part = scope.part(realm.get());
                aside(() -> {
                    part.lock();
                    return true;
                });
            }
        }
    }

    /** The body does not run. */
    private void refused(Scope scope, Throwable why) {
        scope.skipped = true;
        String outcome = outcome(scope, why);
        close(scope, why);
        over(scope, outcome);
    }

    private void over(Scope scope, String outcome) {
        scope.site().counters().add(Kind.ENDED);
        scope.ended(outcome);
        publication.refresh();
    }

    @Override
    public boolean exit(PgLockBridge.Call call, @Nullable Throwable thrown) {
        if (call instanceof Body body) {
            ended(body, thrown);
            return false;
        }
        Scope scope = (Scope) call;
        if (scope.skipped) {
            return false;
        }
        INNERMOST.set(scope.outer());
        if (scope.outer() == null) {
            INNERMOST.remove();
        }
        boolean again = false;
        try {
            again = ended(scope, thrown);
            return again;
        } finally {
            if (!again) {
                arm(-1);
            }
        }
    }

    private void ended(Body body, @Nullable Throwable thrown) {
        if (thrown != null && isSkipped(body.scope, thrown)) {
            skip(body.scope, body, thrown);
            body.scope.passedOver();
        }
    }

    /** Whether it is run once more. */
    private boolean ended(Scope scope, @Nullable Throwable thrown) {
        String outcome = scope.isPassedOver() ? "skipped" : "returned";
        boolean again = false;
        try {
            scope.parts().forEach(part -> guarded(scope, part::ended));
            if (thrown != null && !isSkipped(scope, thrown) && comesBack(scope, thrown)) {
                scope.site().counters().add(Kind.RETRIED);
                scope.nextAttempt();
                INNERMOST.set(scope);
                again = true;
            } else if (thrown != null) {
                outcome = outcome(scope, thrown);
            }
        } catch (RuntimeException | LinkageError | StackOverflowError e) {
            trouble.at(scope.site().name(), e);
        } finally {
            if (!again) {
                close(scope, thrown); // whatever has happened: nobody else lets go of its lock
            }
        }
        if (!again) {
            if (scope.ranWithoutItsLock()) {
                log.warnOnce(
                        "without its lock " + scope, scope + ": ran without its advisory lock, " + whyNotLocked(scope));
            }
            over(scope, outcome);
        }
        return again;
    }

    private static String whyNotLocked(Scope scope) {
        if (scope.hasFoundItsLockTaken()) {
            return "for somebody else had it when it opened a connection, and it has used none; set monitorUrl, so that it is"
                    + " waited for before the method begins";
        }
        return Realms.hasMonitor(scope)
                ? "for it has opened no connection, and its class loader has no PostgreSQL driver to go to monitorUrl with,"
                        + " nor has the JVM used exactly one; let the application have the driver where the method is"
                : "for it has opened no connection, and its driver had opened none before, or to several databases; set"
                        + " monitorUrl, so that it is known where to take it";
    }

    /** For a lock of its own that was not to be had, whatever it says of retries. */
    private static boolean isSkipped(Scope scope, Throwable thrown) {
        return scope.site().spec().skips() && scope.ends(thrown);
    }

    private boolean comesBack(Scope scope, Throwable thrown) {
        return scope.parts().stream().anyMatch(part -> part.comesBack(thrown));
    }

    /** What the method does in the end, and what is said about it. */
    private String outcome(Scope scope, Throwable thrown) {
        boolean notAcquired = scope.skipped ? Refusal.isNotAcquired(thrown) : scope.ends(thrown);
        if (notAcquired && scope.site().spec().skips()) {
            skip(scope, scope, thrown);
            return "skipped";
        }
        if (notAcquired) {
            scope.site().counters().add(Kind.NOT_ACQUIRED);
        }
        for (Realm.Part part : scope.parts()) {
            String explained = part.explain(thrown);
            if (explained != null) {
                log.warn(explained);
            }
        }
        if (scope.skipped) {
            scope.replaced = true;
            scope.thrown = Refusal.asTheApplicationKnowsIt(thrown, scope.site().loader());
        }
        if (scope.skipped || notAcquired) {
            scope.site().counters().add(Kind.RAISED);
            return "raised";
        }
        return "threw";
    }

    /** For whoever has called it, it returns and has not run. */
    private void skip(Scope scope, PgLockBridge.Call call, Throwable why) {
        scope.site().counters().add(Kind.NOT_ACQUIRED);
        scope.site().counters().add(Kind.SKIPPED);
        call.replaced = true;
        call.value = scope.site().skippedValue();
        log.info(scope + ": skipped. " + why.getMessage());
    }

    /** A lock that was lost meanwhile is what the method ends with, unless it ends with an exception of its own. */
    private void close(Scope scope, @Nullable Throwable thrown) {
        try {
            for (Realm.Part part : scope.parts()) {
                close(scope, thrown, part::close);
            }
        } finally {
            close(scope, thrown, scope::endLock);
        }
    }

    private void close(Scope scope, @Nullable Throwable thrown, Runnable what) {
        try {
            what.run();
        } catch (Throwable e) {
            log.warn(scope + ": " + e.getMessage());
            Throwable lost = Refusal.asTheApplicationKnowsIt(e, scope.site().loader());
            if (thrown != null) {
                thrown.addSuppressed(lost);
            } else if (!scope.replaced) {
                scope.replaced = true;
                scope.thrown = lost;
            }
        }
    }

    private void guarded(Scope scope, Runnable work) {
        try {
            work.run();
        } catch (Throwable e) {
            trouble.at(scope.site().name(), e);
        }
    }

    // ---- the driver -------------------------------------------------------------------------------------------------

    @Override
    public @Nullable Object before(Object executor, @Nullable Object what, int flags) throws Throwable {
        Scope scope = INNERMOST.get();
        try {
            Realm realm = realms.of(executor.getClass());
            Object statement = realm.before(executor, what, flags, scope);
            return statement == null ? null : new Statement(realm, statement);
        } catch (RuntimeException | LinkageError e) {
            if (scope == null) {
                trouble.at("a statement", e);
                return null;
            }
            throw asTheApplicationKnowsIt(scope, e);
        } catch (Throwable e) {
            throw scope == null ? e : asTheApplicationKnowsIt(scope, e);
        }
    }

    /** On its way through the application. */
    private static Throwable asTheApplicationKnowsIt(Scope scope, Throwable thrown) {
        Throwable known = Refusal.asTheApplicationKnowsIt(thrown, scope.site().loader());
        scope.renamed(thrown, known);
        return known;
    }

    private record Statement(Realm realm, Object inside) {}

    @Override
    public void after(Object statement, @Nullable Object result, @Nullable Throwable thrown) {
        Statement sent = (Statement) statement;
        try {
            sent.realm().after(sent.inside(), result, thrown);
        } catch (RuntimeException | LinkageError e) {
            trouble.at("a statement", e);
        }
    }

    @Override
    public void owns(Object connection, @Nullable Object executor) {
        if (INNERMOST.get() != null && executor != null) {
            try {
                realms.of(executor.getClass()).owns(connection, executor);
            } catch (RuntimeException | LinkageError e) {
                trouble.at("a connection", e);
            }
        }
    }

    @Override
    public void connected(Object driver, @Nullable String url, @Nullable Properties properties, Object connection)
            throws Throwable {
        if (ASIDE.get() != null || Thread.currentThread().getName().startsWith(OWN_THREADS)) {
            return; // a side connection, and no sign of what the application uses
        }
        Scope scope = INNERMOST.get();
        try {
            realms.of(driver.getClass()).connected(driver, url, properties, connection, scope);
        } catch (Throwable e) {
            if (scope != null) {
                throw asTheApplicationKnowsIt(scope, e);
            }
            trouble.at("a connection", e); // in no method, whose it is: the application has it all the same
        }
    }

    // ---- what realms need -------------------------------------------------------------------------------------------

    @Override
    public void arm(int more) {
        PgLockBridge.arm(more);
    }

    @Override
    public <T> T aside(Aside<T> work) throws Throwable {
        Scope scope = INNERMOST.get();
        Boolean before = ASIDE.get();
        INNERMOST.remove();
        ASIDE.set(true);
        try {
            return work.run();
        } finally {
            if (scope != null) {
                INNERMOST.set(scope);
            }
            if (before == null) {
                ASIDE.remove();
            }
        }
    }

    @Override
    public System.Logger log() {
        return log;
    }

    @Override
    public void warnOnce(String occasion, String message) {
        log.warnOnce(occasion, message);
    }

    @Override
    public void pooler(String database, String consequence) {
        status.pooler(database, consequence);
    }

    @Override
    public String again(@Nullable String arguments) {
        if ("status".equals(arguments)) {
            return publication.asked();
        }
        String stays = "pglock: the agent is there already, and stays as it is";
        if (arguments != null && !arguments.isBlank() && !arguments.equals(firstArguments)) {
            throw new IllegalStateException(
                    stays
                            + ": it does nothing of what it is told now and was not when it came. Start this JVM anew, with all of it");
        }
        return stays + System.lineSeparator();
    }
}
