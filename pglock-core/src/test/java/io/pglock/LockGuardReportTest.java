// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.testkit.Call;
import io.pglock.testkit.Database;
import io.pglock.testkit.Role;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The line of JSON for each unit. */
@Timeout(60)
class LockGuardReportTest extends GuardScene {

    private final Database database;

    @TempDir
    private Path folder;

    LockGuardReportTest(Scenario scenario, DataSource side, Database database) {
        super(scenario, side);
        this.database = database;
    }

    private Path file() {
        return folder.resolve("report.jsonl");
    }

    private List<JsonNode> lines() throws IOException {
        return Files.readAllLines(file()).stream()
                .map(line -> JsonMapper.shared().readTree(line))
                .toList();
    }

    private JsonNode line() throws IOException {
        assertThat(lines()).hasSize(1);
        return lines().get(0);
    }

    @Test
    void tellsAttemptsAndBlockersAndLocks() throws IOException, SQLException {
        Session web = idleInTransaction("odd \"name\"\\");
        Call<String> unit = replaying(patient().report(file()), ALTER, "insert into orders values (1)");
        awaitPause();
        web.commit();
        assertThat(unit.await()).isEqualTo("done");

        JsonNode line = line();
        assertThat(line.get("unit").asString()).isEqualTo("V7__note.sql");
        assertThat(line.get("outcome").asString()).isEqualTo("done");
        assertThat(line.get("attempts").asInt()).isEqualTo(2);
        JsonNode attempt = line.get("failedAttempts").get(0);
        assertThat(attempt.get("ended").asString()).isEqualTo("lock timeout");
        assertThat(attempt.get("millis").asInt()).isGreaterThanOrEqualTo(1000);
        assertThat(attempt.get("pausedMillis").asInt()).isNotNegative();
        assertThat(line.get("millis").asInt())
                .isGreaterThanOrEqualTo(attempt.get("millis").asInt());
        JsonNode wait = line.get("waits").get(0);
        assertThat(wait.get("for").asString()).isEqualTo("AccessExclusiveLock on orders");
        assertThat(wait.get("millis").asInt()).isPositive();
        JsonNode blocker = line.get("blockers").get(0);
        assertThat(blocker.get("pid").asInt()).isEqualTo(web.pid());
        assertThat(blocker.get("application").asString()).isEqualTo("odd \"name\"\\");
        assertThat(blocker.get("holds").asBoolean()).isTrue();
        assertThat(blocker.get("waitsFor").asString()).isEqualTo("AccessExclusiveLock on orders");
        assertThat(blocker.get("spared").isNull()).isTrue();
        assertThat(line.get("actions").isEmpty()).isTrue();
        assertThat(line.get("victims").get("sessions").asInt()).isZero();
        assertThat(line.get("locks").valueStream().map(JsonNode::toString).toList())
                .containsExactly(
                        "{\"relation\":\"orders\",\"mode\":\"ACCESS EXCLUSIVE\"}",
                        "{\"relation\":\"orders\",\"mode\":\"ROW EXCLUSIVE\"}");
    }

    @Test
    void tellsActionsAndVictims() throws IOException {
        Session web = idleInTransaction("web");
        LockPolicy policy = terminating(patient())
                .report(file())
                .lockTimeout(Duration.ofMinutes(1))
                .prioritizeAfter(Duration.ofSeconds(1))
                .maxBlockedTime(Duration.ofMillis(100));
        Call<String> unit = altering(policy, ALTER);
        scenario.awaitBlockedBy(migration(), web);
        Session reader = scenario.session("reader");
        reader.execute("select * from orders");
        assertThat(unit.await()).isEqualTo("done");

        JsonNode line = line();
        assertThat(line.get("failedAttempts").get(0).get("ended").asString()).isEqualTo("gave way");
        assertThat(line.get("victims").get("sessions").asInt()).isEqualTo(1);
        assertThat(line.get("victims").get("atOnce").asInt()).isEqualTo(1);
        assertThat(line.get("victims").get("longestMillis").asInt()).isLessThan(60_000);
        JsonNode action = line.get("actions").get(0);
        assertThat(action.get("pid").asInt()).isEqualTo(web.pid());
        assertThat(action.get("signal").asString()).isEqualTo("TERMINATE");
        assertThat(action.get("outcome").asString()).isEqualTo("SENT");
    }

    @Test
    void eachUnitAppendsALineAlsoOneThatFails() throws IOException {
        Session web = idleInTransaction("web");
        LockPolicy policy = brisk().lockTimeout(Duration.ofMillis(300)).report(file());
        altering(policy.retryAttempts(2), ALTER).await();
        web.commit();
        altering(policy, ALTER).await();
        altering(policy, "select 1/0").await();
        alone(policy.enabled(false), "select 1").await();

        assertThat(lines())
                .extracting(line -> line.get("outcome").asString())
                .containsExactly("failed", "done", "failed");
        assertThat(lines()).extracting(line -> line.get("attempts").asInt()).containsExactly(2, 1, 1);
    }

    @Test
    void aFailureThatTheHostDoesNotTellIsOneAllTheSame() throws IOException {
        migration()
                .run(connection -> {
                    try (LockGuard guard = open(connection, patient().report(file()))) {
                        guard.run(
                                () -> {
                                    execute(connection, "select 1/0");
                                    return true;
                                },
                                LockGuard.Undo.NOTHING);
                    } catch (SQLException e) {
                        return "failed";
                    }
                    return "done";
                })
                .await();

        assertThat(line().get("outcome").asString()).isEqualTo("failed");
    }

    @Test
    void aFileThatCannotBeWrittenIsAWarning() throws SQLException {
        Path gone = folder.resolve("gone").resolve("report.jsonl");
        LockPolicy policy = patient();
        try {
            Files.createDirectory(gone.getParent());
            policy = policy.report(gone);
            Files.delete(gone.getParent());
        } catch (IOException e) {
            throw new AssertionError(e);
        }

        assertThat(altering(policy, ALTER).await()).isEqualTo("done");

        assertThat(said)
                .singleElement()
                .asString()
                .startsWith("WARNING V7__note.sql: no line in " + gone + ": java.nio.file.NoSuchFileException");
        assertThat(hasColumn("note")).isTrue();
    }

    @Test
    void locksThatCannotBeReadDoNotHarmTheTransaction() throws SQLException, IOException {
        Session other = scenario.session("other");
        Call<String> unit = guarded(
                patient().lockTimeout(Duration.ofMillis(50)).report(file()),
                connection -> {
                    execute(connection, ALTER);
                    other.execute("begin", "lock table pg_namespace in access exclusive mode");
                },
                Connection::rollback);

        assertThat(unit.await()).isEqualTo("done");
        other.rollback();
        assertThat(hasColumn("note")).isTrue();
        assertThat(line().get("locks").isEmpty()).isTrue();
        assertThat(said).anySatisfy(text -> assertThat(text).contains("its locks are missing in the report: "));
    }

    @Test
    void theMonitorsUserAndPasswordAreNeverInIt() throws IOException {
        Role watcher = scenario.role("watcher", "pg_signal_backend", "pg_read_all_stats");
        Session web = idleInTransaction("web");
        LockPolicy policy = terminating(patient())
                .report(file())
                .with(Map.of(
                        "monitorUrl",
                        database.url(),
                        "monitorUser",
                        watcher.name(),
                        "monitorPassword",
                        watcher.password()));

        altering(policy.retryAttempts(1), ALTER).await();

        assertThat(Files.readString(file()))
                .contains("\"pid\":" + web.pid())
                .doesNotContain(watcher.password())
                .doesNotContain("\"user\":\"" + watcher.name());
        assertThat(said).noneMatch(line -> line.contains(watcher.password()));
        web.close();
    }
}
