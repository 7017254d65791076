// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.LockPolicy.Priority;
import io.pglock.testkit.Call;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What is done for a unit that takes its connections itself, and how often it is tried again. */
@Timeout(60)
class LockAttemptsTest extends AttemptsScene {

    LockAttemptsTest(Scenario scenario, DataSource side) {
        super(scenario, side);
    }

    private static LockPolicy yielding() {
        return patient().lockTimeout(Duration.ofMinutes(5)).maxBlockedTime(Duration.ofMillis(100));
    }

    /** Somebody has to wait behind it and, sooner than another session could be sure to see that, is made way for. */
    private void readBehindTheAttempt() {
        scenario.session("reader").execute("select * from orders");
    }

    // ---- whoever is in the way --------------------------------------------------------------------------------------

    @Test
    void terminatesWhoTrulyBlocksIt() throws SQLException {
        Session web = idleInTransaction("web");

        assertThat(attempting(terminating(patient()).lockTimeout(Duration.ofSeconds(30)), ALTER)
                        .await())
                .isEqualTo("done");

        assertThat(hasColumn("note")).isTrue();
        assertThat(said)
                .anySatisfy(line -> assertThat(line)
                        .startsWith("WARNING Archive.run: Terminated pid " + web.pid() + " (web, idle in transaction"));
        assertThat(pids).hasSize(1);
        web.close();
    }

    @Test
    void sparesAndNamesWhomItMayNotTouch() {
        Session web = idleInTransaction("web");
        LockPolicy policy = terminating(patient()).protect("web").retryAttempts(1);

        assertThat(attempting(policy, ALTER).await())
                .startsWith("55P03 Archive.run: not locked within 1s, blocked by pid " + web.pid() + " (web, ")
                .contains(": never signalled, it is protected");

        assertThat(web.value("select 1")).isEqualTo("1");
        web.commit();
    }

    @Test
    void whoHasBeenInTheWayOfEarlierAttemptsOnOtherConnectionsIsNotNewInTheWay() {
        Session web = idleInTransaction("web");
        LockPolicy policy =
                terminating(brisk()).lockTimeout(Duration.ofMillis(400)).prioritizeAfter(Duration.ofMillis(1200));

        assertThat(attempting(policy, ALTER).await()).isEqualTo("done");

        assertThat(hasSaid("Terminated pid " + web.pid())).isTrue();
        assertThat(pids)
                .as("no attempt lasts as long as it takes to be signalled")
                .hasSizeGreaterThanOrEqualTo(2)
                .doesNotHaveDuplicates();
        web.close();
    }

    @Test
    void watchesEveryConnectionThatAnAttemptUses() {
        Session web = idleInTransaction("web");
        migration().execute("drop table if exists items", "create table items (id int)");
        Session job = inTransaction("job", "lock table items in share mode");
        LockPolicy policy = terminating(patient()).lockTimeout(Duration.ofSeconds(30));

        assertThat(migration()
                        .run(first -> {
                            try (LockAttempts attempts = begin(policy);
                                    var second = side.getConnection()) {
                                attempts.watch(first, side);
                                attempts.watch(second, side);
                                execute(first, ALTER);
                                execute(second, "insert into items values (1)");
                                attempts.endAttempt();
                                return "done";
                            }
                        })
                        .await())
                .isEqualTo("done");

        assertThat(hasSaid("Terminated pid " + web.pid())).isTrue();
        assertThat(hasSaid("Terminated pid " + job.pid())).isTrue();
        web.close();
        job.close();
    }

    // ---- another attempt --------------------------------------------------------------------------------------------

    @Test
    void comesBackOnAnotherConnectionAsSoonAsTheBlockerIsGone() throws SQLException {
        Session web = idleInTransaction("web");
        Call<String> unit = attempting(patient(), "create table half_done ()", ALTER);

        awaitAnnouncement();
        scenario.awaitGone(pids.get(0));
        awaitLooks();
        assertThat(pids).hasSize(1);
        web.commit();

        assertThat(unit.await()).isEqualTo("done");
        assertThat(pids).hasSize(2).doesNotHaveDuplicates();
        assertThat(hasColumn("note")).isTrue();
        assertThat(said.get(0))
                .startsWith("WARNING Archive.run: not locked within 1s, blocked by pid " + web.pid() + " (web, ")
                .contains(". Trying again when it is gone, at the latest in ")
                .endsWith(" left).");
        assertThat(said).last().asString().startsWith("INFO Archive.run: through at attempt 2, after ");
        migration().execute("drop table half_done");
    }

    @Test
    void comesBackOnTheSameConnection() {
        Session web = idleInTransaction("web");
        Call<String> unit = onOne(patient(), ALTER);

        awaitPause();
        web.commit();

        assertThat(unit.await()).isEqualTo("done");
        assertThat(new HashSet<>(pids)).hasSize(1);
        assertThat(migration().value("show lock_timeout")).isEqualTo("0");
    }

    @Test
    void givesWayAndStaysAwayForAsLongAsTheBlockerIsThereThoughItsOwnConnectionIsGone() {
        Session web = idleInTransaction("web");
        LockPolicy policy = yielding().retryDelay(Duration.ofMillis(1)).retryMaxDelay(Duration.ofMillis(1));
        Call<String> unit = attempting(policy, ALTER);
        awaitBlockedAttempt(1);

        readBehindTheAttempt();
        awaitAnnouncement();
        scenario.awaitGone(pids.get(0));
        awaitLooks();
        assertThat(pids).hasSize(1);
        assertThat(said)
                .anySatisfy(line -> assertThat(line)
                        .startsWith("INFO Archive.run: made way for 1 session that had waited behind it for up to ")
                        .contains(", blocked by pid " + web.pid() + " (web, ")
                        .contains(". Trying again when it is gone (attempt 2, "));
        web.commit();

        assertThat(unit.await()).isEqualTo("done");
        assertThat(pids).hasSize(2);
    }

    @Test
    void triesADeadlockAgain() {
        migration().execute("drop table if exists items", "create table items (id int)");
        Session web = inTransaction("web", "set local deadlock_timeout = '60s'", "lock table items in share mode");
        AtomicInteger attempts = new AtomicInteger();
        Call<String> unit = attempting(
                patient()
                        .lockTimeout(Duration.ofSeconds(9))
                        .prioritize(Priority.OFF)
                        .retryDelay(Duration.ofMillis(50)),
                connection -> {
                    execute(connection, "set local deadlock_timeout = '10ms'", "lock table orders in share mode");
                    if (attempts.incrementAndGet() == 1) {
                        web.start("insert into orders values (1)");
                        scenario.awaitBlocked(web);
                    }
                    execute(connection, "insert into items values (1)");
                });

        scenario.await("the deadlock to be told", () -> hasSaid("ended by PostgreSQL to resolve a deadlock"));
        web.commit();

        assertThat(unit.await()).isEqualTo("done");
        assertThat(pids).hasSizeGreaterThanOrEqualTo(2);
    }

    @Test
    void triesNothingElseAgain() {
        assertThat(attempting(brisk(), "select 1/0").await()).startsWith("22012 ");
        assertThat(attempting(brisk(), "set local statement_timeout = '50ms'", "select pg_sleep(60)")
                        .await())
                .startsWith("57014 ");
        assertThat(pids).hasSize(2);
        assertThat(said).isEmpty();
    }

    @Test
    void takesAUsersCancelForWhatItIs() {
        Session web = idleInTransaction("web");
        Call<String> unit = onOne(brisk().lockTimeout(Duration.ofSeconds(9)), ALTER);
        scenario.awaitBlockedBy(migration(), web);

        migration().cancel();

        assertThat(unit.await()).startsWith("57014 ");
        assertThat(said).noneMatch(line -> line.contains("Trying again"));
        web.commit();
    }

    @Test
    void givesUpAfterTheMostAttempts() {
        Session web = idleInTransaction("web");

        assertThat(attempting(brisk().retryAttempts(3), ALTER).await())
                .startsWith("55P03 Archive.run: not locked within 1s, blocked by pid " + web.pid() + " (web, ")
                .contains(" Given up after 3 attempts in ")
                .doesNotContain("SUPPRESSED");

        assertThat(pids).hasSize(3);
        assertThat(said).noneMatch(line -> line.contains("through at attempt"));
        web.commit();
    }

    @Test
    void makesOneLastAttemptWhenTheDeadlineIsOver() {
        Session web = idleInTransaction("web");

        assertThat(attempting(patient().retryDeadline(Duration.ofMillis(100)), ALTER)
                        .await())
                .startsWith("55P03 ")
                .contains(" Given up after 2 attempts in ");

        web.commit();
    }

    @Test
    void whatIsNotEnabledIsInert() {
        Session web = idleInTransaction("web");

        assertThat(attempting(
                                patient().enabled(false),
                                connection -> execute(connection, "set local lock_timeout = '10ms'", ALTER))
                        .await())
                .startsWith("55P03 Archive.run: not locked");

        assertThat(pids).hasSize(1);
        assertThat(said).isEmpty();
        web.commit();
    }

    @Test
    void anInterruptEndsThePauseAndIsKept() {
        Session web = idleInTransaction("web");
        Call<String> unit = migration().run(unused -> {
            try (LockAttempts attempts = begin(patient())) {
                String outcome = host(attempts, fresh, connection -> execute(connection, ALTER));
                return Thread.interrupted() + " " + outcome;
            }
        });

        awaitAnnouncement();
        migration().interrupt();

        assertThat(unit.await())
                .startsWith("true 55P03 ")
                .endsWith(" SUPPRESSED [java.lang.InterruptedException]")
                .doesNotContain("Given up");
        web.commit();
    }

    private void archive(Connection connection, LockAttempts attempts) throws SQLException {
        connection.setAutoCommit(false);
        try {
            limit(connection, attempts.lockTimeout());
            execute(connection, ALTER);
            connection.commit();
        } catch (SQLException e) {
            connection.rollback();
            throw e;
        }
    }

    private void inTheManual(LockPolicy policy, DataSource dataSource) throws SQLException {
        // docs: attempts
        try (LockAttempts attempts = LockAttempts.begin("Archive.run", policy, this::say)) {
            SQLException failure;
            do {
                try (Connection connection = dataSource.getConnection()) {
                    attempts.watch(connection, dataSource);
                    try {
                        archive(connection, attempts); // in one transaction, rolled back when it fails
                        return;
                    } finally {
                        attempts.endAttempt(); // before anybody else gets the connection
                    }
                } catch (SQLException e) {
                    failure = e;
                }
            } while (attempts.comesBack(failure)); // waits until another attempt makes sense
            attempts.failed(failure).ifPresent(why -> say(Level.WARNING, why));
            throw failure;
        }
        // end
    }

    @Test
    void runsAsTheManualShows() throws SQLException {
        Session web = idleInTransaction("web");
        Call<Boolean> unit = migration().run(unused -> {
            inTheManual(patient(), side);
            return true;
        });
        awaitAnnouncement();
        web.commit();

        assertThat(unit.await()).isTrue();
        assertThat(hasColumn("note")).isTrue();
        assertThat(said).last().asString().startsWith("INFO Archive.run: through at attempt 2, after ");
    }

    // ---- the report -------------------------------------------------------------------------------------------------

    private static JsonNode line(Path file) throws IOException {
        List<String> lines = Files.readAllLines(file);
        assertThat(lines).hasSize(1);
        return JsonMapper.shared().readTree(lines.get(0));
    }

    @Test
    void reportsAttemptsAndBlockersAndLocks(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("report.jsonl");
        Session web = idleInTransaction("web");
        Call<String> unit = attempting(patient().report(file), ALTER);
        awaitAnnouncement();
        web.commit();
        assertThat(unit.await()).isEqualTo("done");

        JsonNode line = line(file);
        assertThat(line.get("unit").asString()).isEqualTo("Archive.run");
        assertThat(line.get("outcome").asString()).isEqualTo("done");
        assertThat(line.get("attempts").asInt()).isEqualTo(2);
        assertThat(line.get("failedAttempts").get(0).get("ended").asString()).isEqualTo("lock timeout");
        assertThat(line.get("failedAttempts").get(0).get("millis").asInt()).isGreaterThanOrEqualTo(1000);
        assertThat(line.get("blockers").get(0).get("pid").asInt()).isEqualTo(web.pid());
        assertThat(line.get("locks").valueStream().map(JsonNode::toString).toList())
                .containsExactly("{\"relation\":\"orders\",\"mode\":\"ACCESS EXCLUSIVE\"}");
    }

    @Test
    void reportsAFailureAndTheVictimsOfAllItsConnections(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("report.jsonl");
        Session web = idleInTransaction("web");
        Call<String> unit = attempting(
                yielding().report(file).retryDeadline(Duration.ofMillis(50)).lockTimeout(Duration.ofSeconds(3)), ALTER);
        awaitBlockedAttempt(1);
        readBehindTheAttempt();
        assertThat(unit.await()).startsWith("55P03 ");
        web.commit();

        JsonNode line = line(file);
        assertThat(line.get("outcome").asString()).isEqualTo("failed");
        assertThat(line.get("failedAttempts").get(0).get("ended").asString()).isEqualTo("gave way");
        assertThat(line.get("victims").get("sessions").asInt()).isEqualTo(1);
        assertThat(line.get("victims").get("longestMillis").asInt()).isLessThan(3000);
        assertThat(line.get("locks").isEmpty()).isTrue();
    }
}
