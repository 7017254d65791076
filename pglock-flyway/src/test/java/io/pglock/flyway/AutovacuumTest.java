// SPDX-License-Identifier: Apache-2.0
package io.pglock.flyway;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.testkit.Database;
import io.pglock.testkit.PostgresServer;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Scenario;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A real autovacuum worker in the way of a script, on a server of its own where one comes every second. */
@PostgresTest
@Proves(Capability.REPLAY)
class AutovacuumTest {

    private static final String AT_WORK = "select count(*) from pg_locks l join pg_stat_activity a on a.pid = l.pid"
            + " where l.relation = 'busy'::regclass and l.mode = 'ShareUpdateExclusiveLock' and l.granted"
            + " and a.backend_type = 'autovacuum worker'";

    /** At one page for each pause, it is at it for longer than the test. */
    private static final String BUSY = "create table busy (id int) with (autovacuum_vacuum_cost_delay = 100,"
            + " autovacuum_vacuum_cost_limit = 1, autovacuum_vacuum_threshold = 1, autovacuum_vacuum_scale_factor = 0)";

    @Test
    @Timeout(120)
    void theLongerWaitIsMadeAlsoWhereItIsTheLast(Scenario scenario, @TempDir Path folder) throws SQLException {
        FlywayInUse.assumeStatementEvents();
        Migrations migrations = new Migrations(folder)
                .with("V1__script.sql", "create table before ();\nalter table busy add column note text;");
        try (PostgresServer server = PostgresServer.startEmbedded(Map.of("autovacuum_naptime", "1"));
                Database database = server.createDatabase();
                Connection observer = database.connect("observer")) {
            FlywayScene.execute(observer, BUSY);
            FlywayScene.execute(observer, "insert into busy select generate_series(1, 100000)");
            FlywayScene.execute(observer, "delete from busy");
            scenario.await("an autovacuum worker to be at the table", () -> isAtWork(observer));

            Migrations.configure(
                            migrations
                                    .flyway(database.dataSource())
                                    .baselineOnMigrate(true)
                                    .baselineVersion("0"),
                            Map.of(
                                    "flyway.pglock.lockTimeout", "500ms",
                                    "flyway.pglock.retryAttempts", "2",
                                    "flyway.pglock.pollInterval", "20ms",
                                    "flyway.pglock.monitorRequired", "true"))
                    .load()
                    .migrate();

            assertThat(RecordedLog.ofPglock())
                    .anySatisfy(line -> assertThat(line).contains("The next attempt waits up to 2s: "))
                    .anySatisfy(line -> assertThat(line).contains("through at attempt 2, "));
        }
    }

    private static boolean isAtWork(Connection observer) throws SQLException {
        try (Statement statement = observer.createStatement();
                ResultSet rows = statement.executeQuery(AT_WORK)) {
            return rows.next() && rows.getInt(1) == 1;
        }
    }
}
