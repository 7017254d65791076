// SPDX-License-Identifier: Apache-2.0
package io.pglock.stress;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.testkit.Database;
import io.pglock.testkit.ForkedJvm;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Scenario;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * Everything at once, drawn from random numbers: clients, threads, keys, modes, timeouts, interrupts, sessions that are killed,
 * statements that are cancelled, and others who use the same locks without a client. Whether two were ever inside that should
 * not, the database finds out afterwards.
 *
 * <p>{@code -Dpglock.fuzz=10m} runs it for that long, {@code -Dpglock.fuzz.seed=} makes the same choices as another time, as far
 * as threads allow.
 */
@PostgresTest
class LockFuzzTest {

    private static final Duration TIME = Duration.parse("PT" + System.getProperty("pglock.fuzz", "6s"));
    private static final Duration TO_END = Duration.ofSeconds(60);

    @Test
    void nobodyIsInsideWithSomebodyElseAndWhoeverHasLostItIsTold(Database database, Scenario scenario)
            throws Exception {
        long seed = Long.getLong("pglock.fuzz.seed", System.nanoTime());
        Random seeds = new Random(seed);
        Connection observer = scenario.observer();
        createTables(observer);
        FuzzRun run = new FuzzRun(
                new SectionLog.Access(database.url(), database.user(), database.password()), seeds.nextLong());
        run.addClient("client-a", 4);
        run.addClient("client-b", 4);
        run.addOwnConnection("own-a");
        run.addOwnConnection("own-b");
        SessionTrouble trouble = new SessionTrouble(run, new Random(seeds.nextLong()));
        Thread troubling = new Thread(trouble, "trouble");

        List<String> failures;
        String others;
        try (ForkedJvm other = ForkedJvm.running(FuzzJvm.class)
                .database(database)
                .arguments(Long.toString(seeds.nextLong()), TIME.toString())
                .start()) {
            other.awaitLine("ready");
            other.send("go");
            run.start();
            troubling.start();
            run.interruptFor(TIME);
            failures = new ArrayList<>(run.end());
            troubling.join(TO_END.toMillis());
            others = other.awaitLine("ended", TO_END);
            if (!others.startsWith("ended 0 ")) {
                other.output().stream()
                        .dropWhile(line -> !line.startsWith("failure: "))
                        .forEach(failures::add);
            }
        }

        failures.addAll(SectionCheck.failures(observer));
        failures.addAll(SectionCheck.lines(observer, LOCKS_LEFT));
        System.out.println("LockFuzzTest, seed " + seed + ", " + TIME + ": "
                + SectionCheck.counts(observer) + "; " + trouble.cancels()
                + " statements cancelled; " + run + "; the other JVM " + others);
        assertThat(failures).as("seed " + seed).isEmpty();
    }

    private static final String LOCKS_LEFT = """
            select 'left: ' || to_jsonb(l)::text from pg_locks l join pg_database d on d.oid = l.database
            where l.locktype = 'advisory' and d.datname = current_database()""";

    private static void createTables(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(SectionLog.TABLES);
        }
    }
}
