// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pglock.testkit.Database;
import io.pglock.testkit.PostgresServer;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Scenario;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** A real autovacuum worker in the way, on a server of its own where one comes every second. */
@PostgresTest
class AutovacuumTest {

    /** The worker that vacuums the table, as long as it holds its lock on it. */
    private static final String WORKER = """
            select a.pid from pg_locks l join pg_stat_activity a on a.pid = l.pid
            where l.relation = 'busy'::regclass and l.mode = 'ShareUpdateExclusiveLock' and l.granted
              and a.backend_type = 'autovacuum worker'""";

    @Test
    void isSeenAndNeverSignalled(Scenario scenario) throws Exception {
        try (PostgresServer server = PostgresServer.startEmbedded(Map.of("autovacuum_naptime", "1"));
                Database database = server.createDatabase();
                Connection migration = database.connect("migration");
                Connection observer = database.connect("observer")) {
            // at one page for each pause, the worker is at it for longer than the test
            Held.execute(
                    migration,
                    "create table busy (id int) with (autovacuum_vacuum_threshold = 1, autovacuum_vacuum_scale_factor = 0,"
                            + " autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1)");
            Held.execute(migration, "insert into busy select generate_series(1, 100000)");
            Held.execute(migration, "delete from busy");
            scenario.await("an autovacuum worker is at the table", () -> {
                Held.execute(migration, "select 1"); // a session tells what it has deleted with a later statement
                return !workers(observer).isEmpty();
            });
            List<String> workers = workers(observer);
            Held.execute(
                    migration, "set deadlock_timeout = '60s'"); // when it is over, PostgreSQL sends the worker away
            Held.execute(migration, "set lock_timeout = '2s'");

            try (PriorityScope scope = PgLock.on(migration)
                    .prioritize(database.dataSource())
                    .terminate()
                    .after(Duration.ofMillis(100))
                    .start()) {
                assertThatThrownBy(() -> Held.execute(migration, "alter table busy add column note text"))
                        .isInstanceOfSatisfying(
                                SQLException.class,
                                failure -> assertThat(failure.getSQLState()).isEqualTo("55P03"));

                assertThat(scope.blockers()).singleElement().satisfies(blocker -> {
                    assertThat(blocker.backend().type()).contains("autovacuum worker");
                    assertThat(blocker.hard()).isTrue();
                    assertThat(blocker.spared())
                            .contains("an autovacuum worker: PostgreSQL sends it away once this wait is longer than"
                                    + " deadlock_timeout");
                });
                assertThat(scope.actions()).isEmpty();
            }

            assertThat(workers(observer)).isEqualTo(workers);
        }
    }

    private static List<String> workers(Connection observer) throws SQLException {
        return Held.column(observer, WORKER);
    }
}
