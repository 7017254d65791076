// SPDX-License-Identifier: Apache-2.0
package io.pglock.stress;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.LockClient;
import io.pglock.LockHandle;
import io.pglock.testkit.Database;
import io.pglock.testkit.ForkedJvm;
import io.pglock.testkit.PostgresServer;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Scenario;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;

/** JVMs that share locks, and that are killed or stopped, or whose server is. */
@PostgresTest
@DisabledOnOs(OS.WINDOWS)
class CrashTest {

    private static final Duration TO_START = Duration.ofSeconds(30);

    /** {@code pgla}: what a client holds while it waits. */
    private static final String ANNOUNCED = """
            select count(*) from pg_locks l join pg_stat_activity a using (pid)
            where l.locktype = 'advisory' and l.classid = 1885826145 and l.objsubid = 2 and a.application_name like ?""";

    /** Nothing that it has sent before it was stopped is still on its way: it could get the lock, and keep it. */
    private static final String HAS_NOTHING_TO_DO = """
            select count(*) from pg_stat_activity where application_name like ? and state = 'idle'
            and clock_timestamp() - state_change > interval '200 ms'""";

    private static ForkedJvm jvm(Database database, String name) {
        return ForkedJvm.running(LockJvm.class)
                .database(database)
                .arguments(name)
                .options("-Xmx64m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
                .start();
    }

    /** Started at the same time, which takes as long as one. */
    private static void awaitReady(ForkedJvm... jvms) {
        Arrays.stream(jvms).forEach(jvm -> jvm.awaitLine("ready", TO_START));
    }

    private static long time(String acquired) {
        return Long.parseLong(acquired.substring(acquired.lastIndexOf(' ') + 1));
    }

    private static long announced(Connection observer, String name) throws SQLException {
        return count(observer, ANNOUNCED, name);
    }

    private static long count(Connection observer, String sql, String name) throws SQLException {
        try (PreparedStatement statement = observer.prepareStatement(sql)) {
            statement.setString(1, name + "%");
            try (ResultSet row = statement.executeQuery()) {
                row.next();
                return row.getLong(1);
            }
        }
    }

    private static void awaitWaiting(Scenario scenario, String name) {
        scenario.await(name + " to wait", () -> announced(scenario.observer(), name) == 1);
    }

    @Test
    void anotherJvmTakesOverWhenTheHolderIsKilled(Database database, Scenario scenario) {
        try (ForkedJvm holder = jvm(database, "holder");
                ForkedJvm waiter = jvm(database, "waiter")) {
            awaitReady(holder, waiter);
            holder.send("acquire leader");
            holder.awaitLine("acquired leader");
            waiter.send("acquire leader");
            awaitWaiting(scenario, "waiter");

            long killed = System.currentTimeMillis();
            holder.kill();
            long takenOver = time(waiter.awaitLine("acquired leader"));

            System.out.println("CrashTest: taken over " + (takenOver - killed) + " ms after kill -9");
            assertThat(takenOver - killed).as("milliseconds to take over").isLessThan(5_000);
            end(waiter);
        }
    }

    /** As an application ends that is asked to. */
    private static void end(ForkedJvm jvm) {
        jvm.send("end");
        assertThat(jvm.exitCode()).isZero();
    }

    @Test
    void aWaiterThatIsKilledLeavesNothingInTheWay(Database database, Scenario scenario) throws SQLException {
        try (ForkedJvm waiter = jvm(database, "waiter");
                LockClient client = LockClient.create(database.dataSource())) {
            awaitReady(waiter);
            LockHandle lock = client.advisory("leader").acquire();
            waiter.send("acquire leader");
            awaitWaiting(scenario, "waiter");

            waiter.kill();

            scenario.await("the announcement to be gone", () -> announced(scenario.observer(), "") == 0);
            lock.close();
            try (LockHandle next =
                    client.advisory("leader").tryAcquire(Duration.ZERO).orElseThrow()) {
                assertThat(next.isHeld()).isTrue();
            }
            assertThat(announced(scenario.observer(), "")).isZero();
        }
    }

    @Test
    void aHolderThatIsStoppedStillHoldsIt(Database database, Scenario scenario) {
        try (ForkedJvm holder = jvm(database, "holder");
                ForkedJvm waiter = jvm(database, "waiter");
                LockClient client = LockClient.create(database.dataSource())) {
            awaitReady(holder, waiter);
            holder.send("acquire leader");
            holder.awaitLine("acquired leader");

            holder.stop();

            assertThat(client.advisory("leader").tryAcquire(Duration.ZERO)).isEmpty();
            waiter.send("try leader 300");
            assertThat(waiter.awaitLine("not acquired: "))
                    .contains("leader (")
                    .contains("not acquired within 300ms")
                    .contains("holder pglock");
            waiter.send("acquire leader");
            awaitWaiting(scenario, "waiter");

            holder.cont();
            holder.send("held leader");
            holder.awaitLine("held leader true");
            holder.send("release leader");
            holder.awaitLine("released leader");
            waiter.awaitLine("acquired leader");
            end(holder);
            end(waiter);
        }
    }

    @Test
    void aWaiterThatIsStoppedIsInNobodysWay(Database database, Scenario scenario) {
        try (ForkedJvm waiter = jvm(database, "waiter");
                LockClient holder = LockClient.create(database.dataSource());
                LockClient other = LockClient.create(database.dataSource())) {
            awaitReady(waiter);
            LockHandle lock = holder.advisory("leader").acquire();
            waiter.send("acquire leader");
            awaitWaiting(scenario, "waiter");
            waiter.stop();
            scenario.await(
                    "its session to have had nothing to do for longer than it ever pauses",
                    () -> count(scenario.observer(), HAS_NOTHING_TO_DO, "waiter") == 1);

            lock.close();
            for (LockClient client : List.of(other, holder, holder, other)) {
                long start = System.nanoTime();
                client.advisory("leader")
                        .timeout(Duration.ofSeconds(5))
                        .acquire()
                        .close();
                System.out.println("CrashTest: past a stopped waiter in "
                        + Duration.ofNanos(System.nanoTime() - start).toMillis() + " ms");
            }

            waiter.cont();
            waiter.awaitLine("acquired leader");
            end(waiter);
        }
    }

    @Test
    void threeJvmsTakeTurns(Database database) {
        try (ForkedJvm one = jvm(database, "one");
                ForkedJvm two = jvm(database, "two");
                ForkedJvm three = jvm(database, "three")) {
            ForkedJvm[] all = {one, two, three};
            awaitReady(all);
            Stream.of(all).forEach(jvm -> jvm.send("turns leader 10"));
            Stream.of(all).forEach(jvm -> jvm.awaitLine("turns leader"));
            Stream.of(all).forEach(jvm -> jvm.send("enough leader"));
            Stream.of(all).forEach(jvm -> jvm.awaitLine("ended leader"));
            Stream.of(all).forEach(CrashTest::end);
        }
    }

    @Test
    void aRestartOfTheServerIsToldToTheHolderOnceAndTheWaiterGetsTheLock(Scenario scenario) {
        try (PostgresServer server = PostgresServer.startEmbedded(Map.of());
                Database database = server.createDatabase();
                ForkedJvm holder = jvm(database, "holder");
                ForkedJvm waiter = jvm(database, "waiter")) {
            awaitReady(holder, waiter);
            holder.send("acquire leader");
            holder.awaitLine("acquired leader");
            waiter.send("acquire leader");
            scenario.await("the waiter to wait", () -> {
                try (Connection connection = database.connect()) {
                    return announced(connection, "waiter") == 1;
                }
            });

            long restarted = System.currentTimeMillis();
            server.restart();

            holder.awaitLine("lost leader");
            System.out.println("CrashTest: the waiter has it " + (time(waiter.awaitLine("acquired leader")) - restarted)
                    + " ms after the server was stopped");
            holder.send("held leader");
            holder.awaitLine("held leader false");
            holder.send("release leader");
            holder.awaitLine("was lost leader");
            holder.send("try leader 0");
            assertThat(holder.awaitLine("not acquired: ")).contains("waiter pglock");
            end(holder);
            assertThat(holder.output().stream().filter(line -> line.startsWith("lost")))
                    .hasSize(1);
            end(waiter);
        }
    }
}
