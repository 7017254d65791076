// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.testkit.Call;
import io.pglock.testkit.Database;
import io.pglock.testkit.ForkedJvm;
import io.pglock.testkit.PostgresServer;
import io.pglock.testkit.Running;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.io.IOException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.postgresql.PGConnection;

/** This JVM in its own way: another pool, or the same thread with another connection. */
@Timeout(60)
@EnabledOnOs(OS.LINUX)
class SelfBlockTest extends GuardScene {

    private final Database database;
    private final String before = System.getProperty("pglock.signalOwnJvm", "false");

    SelfBlockTest(Scenario scenario, DataSource side, Database database) {
        super(scenario, side);
        this.database = database;
    }

    @BeforeEach
    void likeAnyApplication() {
        System.clearProperty("pglock.signalOwnJvm");
    }

    @AfterEach
    void likeTheOtherTests() {
        System.setProperty("pglock.signalOwnJvm", before);
    }

    @Test
    void isToldAtOnceWithTheFixAndNobodyIsSignalled() {
        PostgresServer.assumeSeesItsClients();
        Session pool = idleInTransaction("pool");
        LockPolicy policy =
                terminating(patient()).prioritizeAfter(Duration.ofMinutes(10)).lockTimeout(Duration.ofSeconds(9));
        Call<String> unit = altering(policy, ALTER);

        scenario.await("it to be told", () -> !said.isEmpty());
        assertThat(said)
                .singleElement()
                .asString()
                .startsWith("WARNING V7__note.sql: pid " + migration().pid() + " waited ")
                .contains("blocked by pid " + pool.pid() + " (pool, ")
                .contains(
                        "(never signalled: it is a connection of this JVM: commit, roll back or close it first, or run this"
                                + " before it is opened; waiting does not help if the same thread holds it)");
        pool.commit();
        assertThat(unit.await()).isEqualTo("done");
    }

    @Test
    void isNeverSignalled() {
        PostgresServer.assumeSeesItsClients();
        Session pool = idleInTransaction("pool");

        assertThat(altering(terminating(patient()).retryAttempts(1), ALTER).await())
                .startsWith("55P03 ")
                .contains("blocked by pid " + pool.pid())
                .contains(": never signalled, it is a connection of this JVM: commit");

        assertThat(said).hasSize(1);
        pool.commit();
    }

    @Test
    void isNotSignalledByALockQueryEither() throws SQLException {
        PostgresServer.assumeSeesItsClients();
        Session pool = idleInTransaction("pool");
        Session waiter = scenario.session("by-hand");
        Running altering = waiter.start(ALTER);
        scenario.awaitBlockedBy(waiter, pool);

        try (Connection asking = database.connect()) {
            assertThat(PgLock.on(asking).locks().application("by-hand").terminateBlockers())
                    .singleElement()
                    .satisfies(one -> {
                        assertThat(one.outcome()).isEqualTo(Signalled.Outcome.SPARED);
                        assertThat(one.detail()).endsWith("not terminated: it belongs to this JVM's own work.");
                    });
        }

        pool.commit();
        altering.await();
    }

    @Test
    void aSessionOfAnotherProcessIsNotTakenForOurs() {
        try (ForkedJvm other =
                ForkedJvm.running(Reading.class).database(database).start()) {
            String pid = other.awaitLine("reading as pid ").substring("reading as pid ".length());

            assertThat(altering(terminating(patient()).lockTimeout(Duration.ofSeconds(30)), ALTER)
                            .await())
                    .isEqualTo("done");

            assertThat(said)
                    .anySatisfy(line -> assertThat(line).contains("Terminated pid " + pid))
                    .noneMatch(line -> line.contains("of this JVM"));
        }
    }

    /** The other process: reads orders in a transaction that it keeps open until its session is ended. */
    static final class Reading {

        private Reading() {}

        public static void main(String[] arguments) throws SQLException, IOException {
            try (Connection connection = DriverManager.getConnection(arguments[0], arguments[1], arguments[2])) {
                connection.setAutoCommit(false);
                execute(connection, "select * from orders");
                System.out.println("reading as pid "
                        + connection.unwrap(PGConnection.class).getBackendPID());
                System.in.read(); // until it is ended
            }
        }
    }
}
