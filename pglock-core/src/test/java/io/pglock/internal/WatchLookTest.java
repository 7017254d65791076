// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Running;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The one statement that the watch repeats. */
@PostgresTest
class WatchLookTest {

    private static List<String> plan(Connection connection, int guarded) throws SQLException {
        String look = Sql.watchLook(PgSession.of(connection).majorVersion());
        try (var statement = connection.prepareStatement("explain (analyze, costs off) " + look)) {
            statement.setArray(1, connection.createArrayOf("int4", new Integer[] {guarded}));
            List<String> lines = new ArrayList<>();
            try (var rows = statement.executeQuery()) {
                while (rows.next()) {
                    lines.add(rows.getString(1));
                }
            }
            return lines;
        }
    }

    private static List<String> reads(List<String> plan, String function) {
        return plan.stream()
                .filter(line -> line.contains("Function Scan on " + function))
                .toList();
    }

    @Test
    void readsNeitherLocksNorSessionsWhileNobodyIsBlocked(Connection connection, Scenario scenario)
            throws SQLException {
        List<String> plan = plan(connection, scenario.session("migration").pid());
        assertThat(reads(plan, "pg_lock_status")).isNotEmpty().allMatch(line -> line.contains("never executed"));
        assertThat(reads(plan, "pg_stat_get_activity")).allMatch(line -> line.contains("never executed"));
    }

    @Test
    void readsThemWhenSomebodyIs(Connection connection, Scenario scenario) throws SQLException {
        Session holder = scenario.session("holder");
        holder.begin();
        holder.execute("select pg_advisory_xact_lock(1)");
        Session waiter = scenario.session("waiter");
        waiter.begin();
        Running waiting = waiter.start("select pg_advisory_xact_lock(1)");
        scenario.awaitBlockedBy(waiter, holder);
        assertThat(reads(plan(connection, waiter.pid()), "pg_lock_status")).anyMatch(line -> line.contains("actual"));
        holder.commit();
        waiting.await();
        waiter.commit();
    }
}
