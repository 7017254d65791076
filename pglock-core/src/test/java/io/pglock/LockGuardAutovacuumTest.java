// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.LockPolicy.Priority;
import io.pglock.testkit.Database;
import io.pglock.testkit.PostgresServer;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Scenario;
import java.lang.System.Logger.Level;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Real autovacuum workers in the way of a unit, on servers of their own where one comes every second. */
@PostgresTest
@Timeout(120)
class LockGuardAutovacuumTest {

    private static final String ALTER = "alter table busy add column note text";

    /** At one page for each pause, the worker is at it for longer than the test. */
    private static final String SLOWLY =
            "autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1, autovacuum_vacuum_threshold = 1,"
                    + " autovacuum_vacuum_scale_factor = 0";

    private static final String WORKER = """
            select a.pid from pg_locks l join pg_stat_activity a on a.pid = l.pid
            where l.relation = 'busy'::regclass and l.mode = 'ShareUpdateExclusiveLock' and l.granted
              and a.backend_type = 'autovacuum worker'""";

    private final Scenario scenario;
    private final List<String> said = new CopyOnWriteArrayList<>();

    LockGuardAutovacuumTest(Scenario scenario) {
        this.scenario = scenario;
    }

    private void say(Level level, String message) {
        said.add(level + " " + message);
    }

    /** One attempt is over before PostgreSQL would send the worker away. */
    private static LockPolicy hasty() {
        return LockPolicy.defaults()
                .lockTimeout(Duration.ofMillis(500))
                .pollInterval(Duration.ofMillis(20))
                .prioritize(Priority.TERMINATE)
                .prioritizeAfter(Duration.ofMillis(50))
                .prioritizeGrace(Duration.ofMillis(50))
                .monitorRequired(true);
    }

    private static PostgresServer server(Map<String, String> settings) {
        return PostgresServer.startEmbedded(settings);
    }

    private String worker(Connection observer, String... wake) {
        scenario.await("an autovacuum worker to be at the table", () -> {
            for (String sql : wake) {
                Held.execute(observer, sql);
            }
            return !Held.column(observer, WORKER).isEmpty();
        });
        try {
            return Held.column(observer, WORKER).get(0);
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }

    private String run(Connection migration, Database database, LockPolicy policy) throws SQLException {
        try (LockGuard guard = LockGuard.open("unit", migration, database.dataSource(), policy, this::say)) {
            guard.run(
                    () -> {
                        Held.execute(migration, ALTER);
                        return true;
                    },
                    LockGuard.Undo.NOTHING);
            return "done";
        } catch (SQLException e) {
            return String.valueOf(e.getSQLState());
        }
    }

    private long saidTimes(String part) {
        return said.stream().filter(line -> line.contains(part)).count();
    }

    @Test
    void oneAttemptIsLongEnoughForPostgresToSendItAway() throws Exception {
        try (PostgresServer server = server(Map.of("autovacuum_naptime", "1"));
                Database database = server.createDatabase();
                Connection migration = database.connect("migration");
                Connection observer = database.connect("observer");
                Connection reader = database.connect("reader")) {
            Held.execute(observer, "create table busy (id int) with (" + SLOWLY + ")");
            Held.execute(observer, "insert into busy select generate_series(1, 100000)");
            Held.execute(observer, "delete from busy");
            String worker = worker(observer, "select 1");

            assertThat(run(migration, database, hasty())).isEqualTo("done");

            assertThat(said)
                    .anySatisfy(line -> assertThat(line)
                            .startsWith("WARNING unit: not locked, blocked by pid " + worker)
                            .contains(
                                    ". The next attempt waits up to 2s: for a wait that is longer than deadlock_timeout"
                                            + " PostgreSQL sends an autovacuum away."))
                    .anySatisfy(line -> assertThat(line).contains("through at attempt 2, "))
                    .noneMatch(line -> line.contains("Terminated") || line.contains("Cancelled"));
            assertThat(Held.setting(migration, "lock_timeout")).isEqualTo("0");

            Held.execute(observer, "alter table busy drop column note");
            worker(observer, "select 1");
            said.clear();
            CompletableFuture<Void> reading = new CompletableFuture<>();
            LockPolicy others = hasty().maxBlockedTime(Duration.ofMillis(100));
            scenario.session("starter").run(unused -> {
                scenario.await(
                        "the migration to wait",
                        () -> !Held.column(observer, WAITING).isEmpty());
                Held.execute(reader, "select * from busy limit 1");
                reading.complete(null);
                return true;
            });
            assertThat(run(migration, database, others))
                    .as("with a reader behind it")
                    .isEqualTo("done");
            scenario.await("the reader to be through", reading::isDone);
            assertThat(saidTimes("The next attempt waits up to 2s")).isEqualTo(1);
            assertThat(said).anySatisfy(line -> assertThat(line).contains("through at attempt 2, "));
        }
    }

    private static final String WAITING =
            "select 1 from pg_locks where not granted and relation = 'busy'::regclass and mode = 'AccessExclusiveLock'";

    @Test
    void soIsOneOfAUnitThatTakesItsConnectionsItself() throws Exception {
        try (PostgresServer server = server(Map.of("autovacuum_naptime", "1"));
                Database database = server.createDatabase();
                Connection observer = database.connect("observer");
                LockAttempts attempts = LockAttempts.begin("unit", hasty(), this::say)) {
            Held.execute(observer, "create table busy (id int) with (" + SLOWLY + ")");
            Held.execute(observer, "insert into busy select generate_series(1, 100000)");
            Held.execute(observer, "delete from busy");
            worker(observer, "select 1");
            assertThat(attempts.lockTimeout()).contains(Duration.ofMillis(500));

            SQLException failure = attempt(attempts, database).orElseThrow();
            assertThat(attempts.comesBack(failure)).isTrue();

            assertThat(attempts.lockTimeout()).contains(Duration.ofSeconds(2));
            assertThat(attempt(attempts, database)).isEmpty();
            assertThat(saidTimes("The next attempt waits up to 2s: ")).isEqualTo(1);
        }
    }

    private static Optional<SQLException> attempt(LockAttempts attempts, Database database) throws SQLException {
        try (Connection connection = database.connect("migration")) {
            attempts.watch(connection, database.dataSource());
            Held.execute(
                    connection,
                    "set lock_timeout = " + attempts.lockTimeout().orElseThrow().toMillis());
            Held.execute(connection, ALTER);
            return Optional.empty();
        } catch (SQLException e) {
            return Optional.of(e);
        } finally {
            attempts.endAttempt();
        }
    }

    @Test
    void oneThatPreventsWraparoundIsNamedAndLeftAlone() throws Exception {
        try (PostgresServer server = server(Map.of("autovacuum_naptime", "1", "autovacuum_freeze_max_age", "100000"));
                Database database = server.createDatabase();
                Connection migration = database.connect("migration");
                Connection observer = database.connect("observer")) {
            Held.execute(observer, "create table busy (id int) with (autovacuum_enabled = false, " + SLOWLY + ")");
            Held.execute(observer, "insert into busy select generate_series(1, 100000)");
            burnTransactionIds(observer);
            String worker = worker(observer, "select 1");

            assertThat(run(
                            migration,
                            database,
                            hasty().retryDelay(Duration.ofMillis(20)).retryAttempts(2)))
                    .isEqualTo("55P03");

            assertThat(said)
                    .anySatisfy(line -> assertThat(line)
                            .contains("blocked by pid " + worker)
                            .contains(
                                    "an autovacuum to prevent wraparound: PostgreSQL does not send it away, and the table has"
                                            + " to be vacuumed; wait until it is done"));
            assertThat(saidTimes("The next attempt waits up to")).isZero();
            assertThat(said).noneMatch(line -> line.contains("Terminated") || line.contains("Cancelled"));
            assertThat(Held.column(observer, WORKER)).containsExactly(worker);
        }
    }

    /** More than autovacuum_freeze_max_age of them: a subtransaction that writes has one of its own. */
    private static void burnTransactionIds(Connection connection) throws SQLException {
        Held.execute(connection, "create table ids (id int)");
        for (int i = 0; i < 11; i++) {
            Held.execute(
                    connection,
                    "do $$ begin for i in 1..10000 loop begin insert into ids values (i); exception when others then null;"
                            + " end; end loop; end $$");
        }
    }
}
