// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import io.pglock.LockPolicy.Priority;
import io.pglock.testkit.Call;
import io.pglock.testkit.CheckedFunction;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.lang.System.Logger.Level;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import javax.sql.DataSource;
import org.junit.jupiter.api.BeforeEach;

/** A table of orders, a unit that changes it in a session of its own, and others that are in its way. */
@PostgresTest
abstract class GuardScene {

    static final String ALTER = "alter table orders add column note text";

    /** Longer than any test: who comes back sooner does not come back because of the delay (but for one run in hundreds). */
    static final Duration HOUR = Duration.ofHours(1);

    final Scenario scenario;
    final DataSource side;
    final List<String> said = new CopyOnWriteArrayList<>();

    GuardScene(Scenario scenario, DataSource side) {
        this.scenario = scenario;
        this.side = side;
    }

    @BeforeEach
    void createTable() throws SQLException {
        try (Connection connection = side.getConnection()) {
            execute(connection, "drop table if exists orders", "create table orders (id int)");
        }
    }

    /**
     * Waits 1 s for a lock, long enough for the watch to look but never to report a blocker before the wait is over, and
     * for an hour between attempts unless the blockers are gone.
     */
    static LockPolicy patient() {
        return LockPolicy.defaults()
                .lockTimeout(Duration.ofSeconds(1))
                .prioritizeAfter(HOUR)
                .monitorRequired(true)
                .retryDelay(HOUR)
                .retryMaxDelay(HOUR)
                .pollInterval(Duration.ofMillis(20));
    }

    /** Pauses for at most 50 ms. */
    static LockPolicy brisk() {
        return patient().retryDelay(Duration.ofMillis(50)).retryMaxDelay(Duration.ofMillis(50));
    }

    static LockPolicy terminating(LockPolicy policy) {
        return policy.prioritize(Priority.TERMINATE)
                .prioritizeAfter(Duration.ofMillis(100))
                .prioritizeGrace(Duration.ofMillis(200));
    }

    LockGuard open(Connection connection, LockPolicy policy) {
        return LockGuard.open("V7__note.sql", connection, side, policy, this::say);
    }

    void say(Level level, String message) {
        said.add(level + " " + message);
    }

    Session migration() {
        return scenario.session("migration");
    }

    /** Runs a statement in a transaction of the migration that is rolled back before another attempt, and commits. */
    Call<String> altering(LockPolicy policy, String... sql) {
        return guarded(policy, connection -> execute(connection, sql), Connection::rollback);
    }

    /** What is done to a connection. */
    @FunctionalInterface
    interface Doing {
        void on(Connection connection) throws SQLException;
    }

    /** With autocommit off, undone by a rollback to the unit's savepoint. Answers what the guard says of a failure. */
    Call<String> replaying(LockPolicy policy, String... sql) {
        return migration().run(connection -> {
            connection.setAutoCommit(false);
            LockGuard guard = LockGuard.openWithSavepoint("V7__note.sql", connection, side, policy, this::say);
            return ending(connection, guard, () -> execute(connection, sql), guard::rollBackToSavepoint);
        });
    }

    /** The same in a transaction that has done something before. */
    Call<String> replayingAfter(LockPolicy policy, String before, String... sql) {
        return migration().run(connection -> {
            connection.setAutoCommit(false);
            execute(connection, before);
            LockGuard guard = LockGuard.openWithSavepoint("V7__note.sql", connection, side, policy, this::say);
            return ending(connection, guard, () -> execute(connection, sql), guard::rollBackToSavepoint);
        });
    }

    /** With autocommit off. Answers what the guard says of a failure. */
    Call<String> guarded(LockPolicy policy, Doing work, Doing undo) {
        return migration().run(connection -> {
            connection.setAutoCommit(false);
            return ending(connection, open(connection, policy), () -> work.on(connection), () -> undo.on(connection));
        });
    }

    /** In autocommit. Answers what the guard says of a failure. */
    Call<String> alone(LockPolicy policy, String sql) {
        CheckedFunction<Connection, String> unit = connection -> {
            try (LockGuard guard = open(connection, policy)) {
                guard.beforeStatement(sql);
                try {
                    guard.run(
                            () -> {
                                execute(connection, sql);
                                return true;
                            },
                            LockGuard.Undo.NOTHING);
                } catch (SQLException e) {
                    return text(guard, e);
                } finally {
                    guard.afterStatement();
                }
                return "done";
            }
        };
        return migration().run(unit);
    }

    static String ending(Connection connection, LockGuard guard, LockGuard.Undo work, LockGuard.Undo undo)
            throws SQLException {
        try (guard) {
            guard.run(
                    () -> {
                        work.run();
                        return true;
                    },
                    undo);
            guard.close();
            connection.commit();
            return "done";
        } catch (SQLException e) {
            String text = text(guard, e);
            if (connection.isValid(5)) {
                connection.rollback();
            }
            return text;
        } finally {
            if (connection.isValid(5)) {
                connection.setAutoCommit(true);
            }
        }
    }

    private static String text(LockGuard guard, SQLException failure) {
        return failure.getSQLState() + " " + guard.failed(failure).orElse("nothing to say")
                + (failure.getSuppressed().length == 0 ? "" : " SUPPRESSED " + List.of(failure.getSuppressed()));
    }

    /** A session that has read orders in a transaction that it keeps open. */
    Session idleInTransaction(String name) {
        return inTransaction(name, "select * from orders");
    }

    Session inTransaction(String name, String... sql) {
        Session session = scenario.session(name);
        session.begin();
        session.execute(sql);
        return session;
    }

    boolean hasSaid(String part) {
        return said.stream().anyMatch(line -> line.contains(part));
    }

    /** Waits until the migration has begun a pause, and is in no queue. */
    void awaitPause() {
        scenario.await("a pause to be announced", () -> hasSaid("Trying again"));
        scenario.awaitNotBlocked(migration());
    }

    /** Waits until the watch has looked some times more. */
    void awaitLooks() {
        scenario.awaitQueriesOfTheWatch(4);
    }

    /** What the migration holds that a relation has to do with. */
    List<String> relationLocks() throws SQLException {
        return Held.column(
                scenario.observer(),
                "select relation::regclass || ' ' || mode from pg_lock_status() where locktype = 'relation' and pid = "
                        + migration().pid());
    }

    /** A session that has read orders and swallows every cancel. */
    Session stubborn(String name) {
        Session session = idleInTransaction(name);
        session.start(
                "do $$ begin loop begin perform pg_sleep(300); exception when query_canceled then null; end; end loop; end $$");
        scenario.awaitState(session, "active");
        return session;
    }

    boolean hasColumn(String name) throws SQLException {
        return !Held.column(
                        scenario.observer(),
                        "select 1 from pg_attribute where attrelid = 'orders'::regclass and not attisdropped and attname = '"
                                + name + "'")
                .isEmpty();
    }

    static void execute(Connection connection, String... sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            for (String one : sql) {
                statement.execute(one);
            }
        }
    }

    static LockPolicy with(LockPolicy policy, String key, String value) {
        return policy.with(Map.of(key, value));
    }
}
