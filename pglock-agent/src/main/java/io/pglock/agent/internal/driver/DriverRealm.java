// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal.driver;

import io.pglock.LockAttempts;
import io.pglock.LockPolicy;
import io.pglock.agent.internal.Counters;
import io.pglock.agent.internal.Environment;
import io.pglock.agent.internal.Place;
import io.pglock.agent.internal.Realm;
import io.pglock.agent.internal.Scope;
import io.pglock.agent.internal.Site;
import io.pglock.internal.Log;
import io.pglock.internal.Monitor;
import io.pglock.internal.UnitSignals;
import java.lang.System.Logger.Level;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Properties;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.postgresql.Driver;
import org.postgresql.core.BaseConnection;
import org.postgresql.core.TransactionState;

/** The realm of one driver: its sessions that scopes have used, its databases, and the locks on them. Thread-safe. */
public final class DriverRealm implements Realm {

    private final Environment environment;
    private final Databases databases;
    private final LockClients clients = new LockClients();
    private final SideLocks locks = new SideLocks(this);
    private final Map<String, Place> monitors = new ConcurrentHashMap<>();

    private final WeakKeys<Site, LockPolicy> policies = new WeakKeys<>();
    private final Sessions sessions;

    /** Called by the agent. */
    public DriverRealm(Environment environment) {
        this.environment = environment;
        this.databases = new Databases(environment);
        this.sessions = new Sessions(environment);
        Log.use(environment.log());
    }

    /** Read once: a method may be called often. */
    LockPolicy policy(Site site) {
        return policies.computeIfAbsent(
                site, one -> policy(one.name(), one.spec().settings()));
    }

    /** What only the driver can say of a monitorUrl it says here, and that is as if nobody answered there. */
    private LockPolicy policy(String method, Map<String, String> settings) {
        try {
            return LockPolicy.parse(settings);
        } catch (IllegalArgumentException e) {
            if ("true".equals(settings.get("monitorRequired"))) {
                throw e;
            }
            if (!"off".equals(settings.get("prioritize"))) {
                environment.warnOnce(
                        "monitorUrl " + method,
                        method + ": goes on, but nobody watches for blockers: "
                                + String.valueOf(e.getMessage()).replaceFirst("^pglock: ", ""));
            }
            Map<String, String> unwatched = new TreeMap<>(settings);
            unwatched.keySet().removeIf(key -> key.startsWith("monitor"));
            unwatched.put("prioritize", "off");
            return LockPolicy.parse(unwatched);
        }
    }

    Environment environment() {
        return environment;
    }

    Databases databases() {
        return databases;
    }

    void say(Level level, String message) {
        environment.log().log(level, message);
    }

    <T> T aside(Environment.Aside<T> work) throws SQLException {
        try {
            return environment.aside(work);
        } catch (SQLException | RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new SQLException(e);
        }
    }

    // ---- statements -------------------------------------------------------------------------------------------------

    @Override
    public @Nullable Object before(Object executor, @Nullable Object what, int flags, @Nullable Scope scope)
            throws Throwable {
        Session session = sessions.of(executor);
        if (session == null) {
            if (scope == null) {
                return null;
            }
            if (isBeingOpened()) {
                return null; // what the driver sets then, it does not wait for
            }
            Optional<BaseConnection> owner = aside(() -> owner(executor));
            if (owner.isEmpty()) {
                environment.warnOnce(
                        "unknown connection",
                        scope + ": a connection is not known, and what it does now is not protected.");
                return null;
            }
            session = sessions.of(executor, owner.get());
        }
        return session.before(what, flags, scope == null ? null : (ScopePart) scope.part(this));
    }

    /** Whether this is a statement of the driver's own, on a connection that nobody has yet. */
    private static boolean isBeingOpened() {
        return StackWalker.getInstance()
                .walk(frames -> frames.anyMatch(frame -> frame.getMethodName().equals("connect")
                        && frame.getClassName().equals("org.postgresql.Driver")));
    }

    /** Of an executor that somebody has kept since before there was a scope, to copy for instance. */
    private Optional<BaseConnection> owner(Object executor) {
        return databases.connections().stream()
                .filter(connection -> connection.getQueryExecutor() == executor)
                .findFirst();
    }

    @Override
    public void after(Object statement, @Nullable Object result, @Nullable Throwable thrown) {
        Session.Sent sent = (Session.Sent) statement;
        sent.session().after(sent, result, thrown);
    }

    @Override
    public void owns(Object connection, @Nullable Object executor) {
        if (executor != null) {
            sessions.of(executor, (BaseConnection) connection);
        }
    }

    @Override
    public void connected(
            Object driver,
            @Nullable String url,
            @Nullable Properties properties,
            Object connection,
            @Nullable Scope scope)
            throws Throwable {
        BaseConnection opened = (BaseConnection) connection;
        databases.opened(
                (java.sql.Driver) driver,
                url == null ? "" : url,
                properties == null ? new Properties() : properties,
                opened);
        try {
            if (scope != null && Databases.isPostgres(opened)) {
                locks.opened(scope, opened);
            }
        } catch (Throwable e) {
            opened.close();
            throw e;
        }
    }

    /** Whether a SELECT on it does no harm. */
    boolean mayAsk(BaseConnection connection) throws SQLException {
        if (connection.getTransactionState() == TransactionState.IDLE) {
            return true; // asked before the transaction begins
        }
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(Sql.ISOLATION)) {
            row.next();
            return row.getString(1).startsWith("read");
        }
    }

    /** Forgets the sessions that are gone. */
    void sweep() {
        sessions.sweep();
    }

    /** What was done to those who were in the way of a scope. */
    static void count(Scope scope, LockAttempts attempts) {
        scope.site().counters().add(Counters.Kind.SIGNALLED, UnitSignals.sent(attempts));
    }

    // ---- locks that no connection of the application's holds --------------------------------------------------------

    @Override
    public Part partOf(Scope scope) {
        return new ScopePart(this, scope);
    }

    @Override
    public boolean knowsWhereToLock(Scope scope) {
        return monitor(scope).isPresent() || databases.only().isPresent();
    }

    LockClients clients() {
        return clients;
    }

    SideLocks locks() {
        return locks;
    }

    /** Where to lock when this connection is used. */
    Place whereToLock(Scope scope, BaseConnection connection) throws SQLException {
        Optional<Place> monitor = monitor(scope);
        return monitor.isPresent()
                ? monitor.get()
                : new Place(this, databases.like(connection), databases.nameOf(connection));
    }

    /** Where to lock while nothing but one database is known. */
    Optional<Place> onlyPlace() {
        return databases.only().map(only -> new Place(this, only, only.database()));
    }

    /** Where to lock, whatever the method uses. */
    Optional<Place> monitor(Scope scope) {
        Map<String, String> settings = scope.site().spec().settings();
        String url = settings.get("monitorUrl");
        return url == null
                ? Optional.empty()
                : Optional.of(monitors.computeIfAbsent(
                        url + " " + settings.get("monitorUser"),
                        key -> monitor(
                                scope,
                                url.strip(),
                                Optional.ofNullable(settings.get("monitorUser")),
                                Optional.ofNullable(settings.get("monitorPassword")))));
    }

    private Place monitor(Scope scope, String url, Optional<String> user, Optional<String> password) {
        Properties properties = new Properties();
        user.ifPresent(name -> properties.setProperty("user", name));
        try {
            return new Place(this, new Monitor(url, user, password).dataSource(), Means.database(url, properties));
        } catch (RuntimeException e) {
            // The driver repeats the URL in its message, with its password: neither that nor the exception is passed
            // on.
            throw new IllegalStateException(
                    scope + ": its advisory lock cannot be taken, for the driver does not take its"
                            + " monitorUrl; write jdbc:postgresql://host:port/database");
        }
    }

    @Override
    public String describe() {
        Package driver = Driver.class.getPackage();
        return "PostgreSQL JDBC " + Objects.requireNonNullElse(driver.getImplementationVersion(), "of unknown version");
    }
}
