// SPDX-License-Identifier: Apache-2.0
package io.pglock.testkit;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Assumptions;

/**
 * What a test plays out on one database: named sessions that get in each other's way, and waiting until they really do.
 * {@link PostgresTest} injects it, and closes it after the test.
 *
 * {@snippet :
 * Session web = scenario.session("web");
 * Session migration = scenario.session("migration");
 * web.begin();
 * web.execute("select * from orders");
 * Running alter = migration.start("alter table orders add note text");
 * scenario.awaitBlockedBy(migration, web);
 * web.commit();
 * alter.await();
 * }
 *
 * <p>Every wait ends after {@code -Dpglock.test.waitSeconds} (60 if absent) with an {@link AssertionError} that says what it
 * waited for and shows the lock table. This class is thread-safe.
 */
public final class Scenario implements AutoCloseable {
    private static final String INSUFFICIENT_PRIVILEGE = "42501";

    private final Database database;
    private final Observer observer;
    private final Duration longestWait;
    private final Map<String, Session> sessions = new LinkedHashMap<>();
    private final List<Connection> roleConnections = new ArrayList<>();
    private final List<Role> roles = new ArrayList<>();

    Scenario(Database database, Observer observer, Duration longestWait) {
        this.database = database;
        this.observer = observer;
        this.longestWait = longestWait;
    }

    /** The database that it is played in. */
    public Database database() {
        return database;
    }

    /** The session of that name, opened the first time it is asked for, and again after it was closed. */
    public synchronized Session session(String name) {
        return sessions.computeIfAbsent(name, absent -> new Session(this, absent, database.connect(absent)));
    }

    Duration longestWait() {
        return longestWait;
    }

    synchronized void closed(Session session) {
        sessions.remove(session.name(), session);
    }

    /** Waits until every one of these sessions waits for a lock. */
    public void awaitBlocked(Session... waiters) {
        for (Session waiter : waiters) {
            await(waiter + " to wait for a lock", () -> observer.isBlocked(waiter.pid()));
        }
    }

    /** Waits until a backend, or a parallel worker of it (PostgreSQL 13+), waits for a lock. */
    public void awaitBlocked(int pid) {
        await("pid " + pid + " to wait for a lock", () -> observer.isBlocked(pid));
    }

    /** Waits until one session blocks another, by holding the lock or by being ahead in the queue. */
    public void awaitBlockedBy(Session waiter, Session blocker) {
        await(
                waiter + " to wait for " + blocker,
                () -> observer.pidsBlocking(waiter.pid()).contains(blocker.pid()));
    }

    /** Waits until a session waits for no lock. */
    public void awaitNotBlocked(Session session) {
        await(session + " to wait for no lock", () -> !observer.isBlocked(session.pid()));
    }

    /** Waits for a {@code pg_stat_activity.state}: {@code active}, {@code idle}, {@code idle in transaction} ... */
    public void awaitState(Session session, String state) {
        await(session + " to be " + state, () -> state.equals(observer.state(session.pid())));
    }

    /** Waits until no backend has this process id. */
    public void awaitGone(int pid) {
        await("pid " + pid + " to be gone", () -> !observer.isAlive(pid));
    }

    /** Waits until one session waits for this lock on this table. */
    public void awaitWaiting(String table, String mode) {
        await(
                mode + " on " + table + " to be waited for",
                () -> observe(
                                "select count(*) from pg_locks where not granted and relation = ?::regclass and mode = ?",
                                table,
                                mode)
                        .equals(List.of("1")));
    }

    /** Waits until pglock's watch has asked something so many times more. A look is a query or several. */
    public void awaitQueriesOfTheWatch(int times) {
        for (int i = 0; i < times; i++) {
            List<String> before = queriesOfTheWatch();
            await("the watch to look again", () -> !queriesOfTheWatch().equals(before));
        }
    }

    /** What pglock's watch has asked last, with the time. */
    public List<String> queriesOfTheWatch() {
        return observe(
                "select query_start || ' ' || query from pg_stat_activity where application_name = 'pglock' and datname ="
                        + " current_database()");
    }

    private List<String> observe(String sql, Object... parameters) {
        try {
            return Rows.read(observer(), sql, parameters);
        } catch (SQLException e) {
            throw new AssertionError(sql + ": " + e.getMessage(), e);
        }
    }

    /** Waits until something is true. */
    public void await(String whatFor, Callable<Boolean> isTrue) {
        Await.until(longestWait, whatFor, isTrue, this::lockTable);
    }

    /** The process ids that {@code pg_blocking_pids} gives. */
    public List<Integer> pidsBlocking(Session waiter) {
        try {
            return observer.pidsBlocking(waiter.pid());
        } catch (SQLException e) {
            throw new AssertionError("pg_blocking_pids of " + waiter + ": " + e.getMessage(), e);
        }
    }

    /** Who holds and who waits for what in this database, as a readable table. */
    public String lockTable() {
        return LockTable.of(observer.connection());
    }

    /** A connection of the testkit for looking around, in autocommit. Change nothing on it. */
    public Connection observer() {
        return observer.connection();
    }

    /** Skips the test where the server allows no prepared transactions. */
    public void assumePreparedTransactions() {
        Assumptions.assumeTrue(
                !"0".equals(ask("show max_prepared_transactions").get(0)), "needs max_prepared_transactions > 0");
    }

    /**
     * Creates a login role that is no superuser. It is dropped after the test.
     *
     * @param name the beginning of its name, in lower case
     * @param grants each what comes after the word GRANT: {@code pg_signal_backend}, {@code select on orders} ...
     */
    public synchronized Role role(String name, String... grants) {
        String unique = name + "_" + UUID.randomUUID().toString().substring(0, 8);
        var role = new Role(unique, UUID.randomUUID().toString());
        try {
            Rows.execute(observer(), "create role " + unique + " login password '" + role.password() + "'");
            roles.add(role);
            for (String grant : grants) {
                Rows.execute(observer(), "grant " + grant + " to " + unique);
            }
            return role;
        } catch (SQLException e) {
            Assumptions.assumeFalse(
                    INSUFFICIENT_PRIVILEGE.equals(e.getSQLState()),
                    "needs a role that may create roles: " + e.getMessage());
            throw new AssertionError("role " + name + ": " + e.getMessage(), e);
        }
    }

    /** A new connection as that role, closed after the test at the latest. */
    public synchronized Connection connectAs(Role role) {
        Connection connection = database.as(role.name(), role.password()).connect(role.name());
        roleConnections.add(connection);
        return connection;
    }

    void signal(String function, int pid) {
        ask("select " + function + "(" + pid + ")");
    }

    private List<String> ask(String sql) {
        try {
            return Rows.read(observer(), sql);
        } catch (SQLException e) {
            throw new AssertionError(sql + ": " + e.getMessage(), e);
        }
    }

    synchronized void closeSessions() {
        List.copyOf(sessions.values()).forEach(Session::close);
    }

    /** Closes the sessions and the connections of roles, and drops the roles. */
    @Override
    public synchronized void close() {
        closeSessions();
        try {
            for (Connection connection : roleConnections) {
                connection.close();
            }
            for (Role role : roles) {
                Rows.execute(observer(), "drop owned by " + role.name());
                Rows.execute(observer(), "drop role " + role.name());
            }
        } catch (SQLException e) {
            throw new AssertionError("cleaning up: " + e.getMessage(), e);
        } finally {
            roleConnections.clear();
            roles.clear();
        }
    }
}
