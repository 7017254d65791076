// SPDX-License-Identifier: Apache-2.0
package io.pglock.flyway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.pglock.testkit.Database;
import io.pglock.testkit.LiveThreads;
import io.pglock.testkit.PostgresServer;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.TcpProxy;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.assertj.core.api.Condition;
import org.flywaydb.core.api.FlywayException;
import org.flywaydb.core.api.configuration.FluentConfiguration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Whatever a migration is doing when its sessions are lost: what is seen is that they are, and nothing is left behind. */
class LostServerTest extends FlywayScene {

    /** What was committed is to be there after a crash. */
    private static final PostgresServer SERVER = PostgresServer.startEmbedded(Map.of("synchronous_commit", "on"));

    private static final Database DATABASE = SERVER.createDatabase();
    private static final TcpProxy NETWORK = TcpProxy.to(SERVER.host(), SERVER.port());

    private static final String WAITERS = "from pg_locks where not granted and relation = 'orders'::regclass";

    /** How sessions are lost. */
    private enum Loss {
        THE_SERVER_CRASHES {
            @Override
            void happen(LostServerTest here) {
                SERVER.crash();
            }
        },
        /** But for the blocker: its end would let the migration in for a moment. */
        ALL_ARE_TERMINATED {
            @Override
            void happen(LostServerTest here) {
                here.value("select count(pg_terminate_backend(pid)) " + OTHERS + " and application_name <> 'report'");
            }
        },
        /** Of which the server hears only when it has something to say. */
        THE_NETWORK_IS_CUT {
            @Override
            void happen(LostServerTest here) {
                NETWORK.reset();
            }
        };

        abstract void happen(LostServerTest here);
    }

    private static final String OTHERS =
            "from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
                    + " and backend_type = 'client backend'";

    /** What the migration is doing. */
    private enum Doing {
        RUNNING("select pg_sleep(case when exists (select from gate) then 60 else 0 end);", "1h") {
            @Override
            boolean hasBegun(LostServerTest here) {
                return !here.value("select count(*) " + OTHERS + " and wait_event = 'PgSleep'")
                        .equals("0");
            }
        },
        WAITING("", "1h") {
            @Override
            boolean hasBegun(LostServerTest here) {
                return !here.value("select count(*) " + WAITERS).equals("0");
            }
        },
        PAUSING("", "1s") {
            @Override
            boolean hasBegun(LostServerTest here) {
                return said().stream().anyMatch(line -> line.contains("Trying again when it is gone"));
            }
        };

        private final String first;
        private final String lockTimeout;

        Doing(String first, String lockTimeout) {
            this.first = first;
            this.lockTimeout = lockTimeout;
        }

        abstract boolean hasBegun(LostServerTest here);
    }

    LostServerTest(Scenario scenario) {
        super(NETWORK.dataSource(DATABASE), scenario);
    }

    @AfterAll
    static void stop() {
        NETWORK.close();
        SERVER.close();
    }

    @BeforeEach
    void closeTheGate() throws SQLException {
        FlywayInUse.assumeStatementEvents();
        try (Connection connection = dataSource.getConnection()) {
            execute(connection, "drop table if exists gate");
            execute(connection, "create table gate as select 1");
        }
    }

    static Stream<Arguments> losses() {
        return Stream.of(true, false)
                .flatMap(transactional -> Stream.of(Doing.values())
                        .flatMap(doing ->
                                Stream.of(Loss.values()).map(loss -> Arguments.of(transactional, doing, loss))));
    }

    @ParameterizedTest(name = "transactional={0}, {1} when {2}")
    @MethodSource("losses")
    void isSeenAndLeavesNothingBehind(boolean transactional, Doing doing, Loss loss) throws Exception {
        String change = "alter table orders add column note text;";
        if (transactional) {
            migrations.with("V1__script.sql", "insert into items values (1);\n" + doing.first + "\n" + change);
        } else {
            migrations.withNonTransactional("V1__script.sql", doing.first + "\n" + change);
        }
        FluentConfiguration flyway = flyway("pglock.lockTimeout", doing.lockTimeout);
        try (Connection report = DATABASE.connect("report")) {
            report.setAutoCommit(false);
            execute(report, "select * from orders");
            FutureTask<Integer> migrating = inBackground(flyway);
            scenario.await("the migration to be " + doing, () -> doing.hasBegun(this) || migrating.isDone());

            loss.happen(this);

            assertThat(failureOf(migrating)).is(lostConnection());
            if (loss == Loss.THE_NETWORK_IS_CUT) { // the server has not noticed, with pglock as without
                value("select count(pg_cancel_backend(pid)) " + OTHERS + " and state = 'active'");
            }
        }
        assertThat(RecordedLog.all()).noneMatch(line -> line.matches("ERROR .*not locked.*"));
        assertThat(Guards.open()).isZero();
        scenario.await(
                "the watch to be gone", () -> LiveThreads.named("pglock-watch").isEmpty());
        scenario.await(
                "the sessions to be gone",
                () -> value("select count(*) " + OTHERS).equals("0"));

        value("with opened as (delete from gate returning 1) select count(*) from opened");
        assertThat(flyway.load().migrate().migrationsExecuted).isEqualTo(1);
        assertThat(history()).isEqualTo("1 true");
        assertThat(value("select count(*) from items")).isEqualTo(transactional ? "1" : "0");
    }

    private static Throwable failureOf(FutureTask<Integer> migrating) {
        Throwable failure = catchThrowable(() -> migrating.get(30, TimeUnit.SECONDS));
        return failure instanceof ExecutionException ? failure.getCause() : failure;
    }

    private static Condition<Throwable> lostConnection() {
        return new Condition<>(
                failure -> failure instanceof FlywayException
                        && !String.valueOf(failure.getMessage()).contains("pglock")
                        && sqlState(failure).matches("08006|57P0[12]"),
                "a FlywayException about a lost connection");
    }

    /** Of the deepest cause that has one. */
    private static String sqlState(Throwable failure) {
        String state = "";
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof SQLException sql && sql.getSQLState() != null) {
                state = sql.getSQLState();
            }
        }
        return state;
    }

    /** Of that server, and past the network. */
    @Override
    String value(String sql) {
        try (Connection connection = DATABASE.connect();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            row.next();
            return row.getString(1);
        } catch (SQLException e) {
            throw new AssertionError(sql, e);
        }
    }
}
