// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Running;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The one statement that the watch repeats. */
@PostgresTest
class WatchLookTest {

    private static List<String> plan(Connection connection, Session guarded) throws SQLException {
        String look = Sql.watchLook(PgSession.of(connection).majorVersion());
        try (var statement = connection.prepareStatement("explain (analyze, costs off) " + look)) {
            bind(connection, statement, guarded.pid(), start(guarded));
            List<String> lines = new ArrayList<>();
            try (var rows = statement.executeQuery()) {
                while (rows.next()) {
                    lines.add(rows.getString(1));
                }
            }
            return lines;
        }
    }

    private static void bind(Connection connection, PreparedStatement statement, int pid, long start)
            throws SQLException {
        statement.setArray(1, connection.createArrayOf("int4", new Integer[] {pid}));
        statement.setArray(2, connection.createArrayOf("int8", new Long[] {start}));
    }

    private static long start(Session session) throws SQLException {
        return PgSession.of(session.connection()).facts().start();
    }

    private static List<String> reads(List<String> plan, String function) {
        return plan.stream()
                .filter(line -> line.contains("Function Scan on " + function))
                .toList();
    }

    @Test
    void readsNeitherLocksNorSessionsWhileNobodyIsBlocked(Connection connection, Scenario scenario)
            throws SQLException {
        List<String> plan = plan(connection, scenario.session("migration"));
        assertThat(reads(plan, "pg_lock_status")).isNotEmpty().allMatch(line -> line.contains("never executed"));
        assertThat(reads(plan, "pg_stat_get_activity")).allMatch(line -> line.contains("never executed"));
    }

    @Test
    void readsThemWhenSomebodyIs(Connection connection, Scenario scenario) throws SQLException {
        Session waiter = scenario.session("waiter");
        start(waiter); // while it can be asked
        whileBlocked(
                scenario,
                waiter,
                () -> assertThat(reads(plan(connection, waiter), "pg_lock_status"))
                        .anyMatch(line -> line.contains("actual")));
    }

    /** When a session has ended, the server gives its pid to a stranger some day. */
    @Test
    void doesNothingForAStrangerWhoHasGotTheSamePid(Connection connection, Scenario scenario) throws SQLException {
        Session waiter = scenario.session("waiter");
        long started = start(waiter);
        whileBlocked(scenario, waiter, () -> {
            assertThat(waitersSeen(connection, waiter, started - 1)).isEmpty();
            assertThat(waitersSeen(connection, waiter, started)).containsExactly(waiter.pid());
            assertThat(givesWay(connection, waiter, started - 1)).isFalse();
            assertThat(isMarked(connection, waiter, started - 1)).isFalse();
            assertThat(isMarked(connection, waiter, started)).isTrue();
            try (var statement = connection.createStatement()) {
                statement.execute("select pg_advisory_unlock_all()");
            }
        });
    }

    @Test
    void givesWayWithTheSessionThatWasMeant(Connection connection, Scenario scenario) throws SQLException {
        Session holder = scenario.session("holder");
        holder.begin();
        holder.execute("select pg_advisory_xact_lock(1)");
        Session waiter = scenario.session("waiter");
        long started = start(waiter);
        Running waiting = waiter.start("select pg_advisory_xact_lock(1)");
        scenario.awaitBlockedBy(waiter, holder);
        assertThat(givesWay(connection, waiter, started)).isTrue();
        assertThat(waiting.awaitFailure().getSQLState()).isEqualTo("57014");
        holder.commit();
    }

    private interface Looking {
        void look() throws SQLException;
    }

    private static void whileBlocked(Scenario scenario, Session waiter, Looking looking) throws SQLException {
        Session holder = scenario.session("holder");
        holder.begin();
        holder.execute("select pg_advisory_xact_lock(1)");
        Running waiting = waiter.start("select pg_advisory_xact_lock(1)");
        scenario.awaitBlockedBy(waiter, holder);
        looking.look();
        holder.commit();
        waiting.await();
    }

    private static List<Integer> waitersSeen(Connection connection, Session waiter, long start) throws SQLException {
        String look = Sql.watchLook(PgSession.of(connection).majorVersion());
        try (var statement = connection.prepareStatement(look)) {
            bind(connection, statement, waiter.pid(), start);
            List<Integer> waiters = new ArrayList<>();
            try (var rows = statement.executeQuery()) {
                while (rows.next()) {
                    waiters.add(rows.getInt("waiter"));
                }
            }
            return waiters;
        }
    }

    private static boolean givesWay(Connection connection, Session waiter, long start) throws SQLException {
        try (var statement = connection.prepareStatement(Sql.GIVE_WAY)) {
            statement.setInt(1, waiter.pid());
            statement.setLong(2, start);
            try (var row = statement.executeQuery()) {
                row.next();
                return row.getBoolean(1);
            }
        }
    }

    private static boolean isMarked(Connection connection, Session waiter, long start) throws SQLException {
        try (var statement = connection.prepareStatement(Sql.WATCH_MARK)) {
            bind(connection, statement, waiter.pid(), start);
            try (var row = statement.executeQuery()) {
                row.next();
                return row.getBoolean(2);
            }
        }
    }
}
