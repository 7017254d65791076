// SPDX-License-Identifier: Apache-2.0
package io.pglock.examples.hosts;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.testkit.Database;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The JVM of a Flyway is killed, with {@code SIGKILL}, while its migration cannot get in: nothing of it stays, and the next run gets in. */
class KilledHostTest extends ShopScene {

    private static final Map<String, String> SETTINGS = Map.of(
            "lockTimeout",
            "1s",
            "retryDelay",
            "1h",
            "retryMaxDelay",
            "1h",
            "retryDeadline",
            "2h",
            "report",
            "report.jsonl");

    @ParameterizedTest(name = "{0}, while it pauses: {1}")
    @CsvSource({"command line, false", "command line, true", "Spring Boot 4.1, true"})
    void leavesNothingBehind(String name, boolean pauses, Database database, Scenario scenario) throws Exception {
        Host host = name.equals("command line")
                ? new FlywayCommandLineTest().channels().get("flyway.toml")
                : SpringBootJar.withFlyway("4.1").channels().get("application.yaml");
        Session web = readerOfOrders(scenario);

        try (HostProcess killed = start(host, database, SETTINGS)) {
            int migration = awaitWaiterForOrders(scenario, killed);
            if (pauses) {
                awaitPauseWithoutLocks(scenario, killed, migration);
            }
            killed.kill();
            // PostgreSQL notices when the wait is over: after lockTimeout
            scenario.awaitGone(migration);
        }

        assertThatNothingIsLeftOfV2(scenario, web);
        assertThat(reported())
                .satisfiesExactly(
                        line -> assertThat(line).contains("V1__begin.sql").endsWith("}"));
        web.commit();
        try (HostProcess next = start(host, database, SETTINGS)) {
            assertThat(next.exitCode()).as(next.output()).isZero();
        }
        assertThatV2IsThereOnce(scenario);
        assertThat(reported()).hasSize(2).last().asString().contains("V2__extend_the_shop.sql", "\"outcome\":\"done\"");
    }

    private List<String> reported() throws Exception {
        Path report = folder.resolve("report.jsonl");
        return Files.readAllLines(report);
    }
}
