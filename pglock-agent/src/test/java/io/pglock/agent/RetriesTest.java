// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.testkit.Database;
import io.pglock.testkit.ForkedJvm;
import io.pglock.testkit.PostgresServer;
import io.pglock.testkit.PostgresTest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A method is run again as it says, also where what failed was an inner method's, and whoever has its connection by then. */
@PostgresTest
class RetriesTest {

    private final Database database;

    RetriesTest(Database database) {
        this.database = database;
    }

    static Stream<Path> jvms() {
        return AgentJvm.jvms();
    }

    @ParameterizedTest
    @MethodSource("jvms")
    void aMethodIsRunAgainForWhatAnInnerOneOrTheNextOwnerOfItsConnectionDoes(Path jvm) {
        try (ForkedJvm application =
                AgentJvm.with("", Retries.class).java(jvm).database(database).start()) {
            application.awaitLine("armed:", AgentJvm.LONGEST);

            assertThat(application.exitCode()).isZero();
            List<String> output = application.output();
            assertThat(output.stream().filter(line -> !line.contains("[pglock]")))
                    .as(() -> String.join("\n", output))
                    .containsExactly(
                            "by an inner one: no failure 2",
                            "given up: 55P03 2",
                            "once: 55P03 1",
                            "handed on: no failure 2 1",
                            "inside an outer one's transaction: no failure no failure true",
                            "inside the caller's transaction: 55P03 no failure 1",
                            "beside the caller's transaction: 55P03 no failure 1",
                            "once, a block: 55P03 no failure 1",
                            "once, a batch: 55P03 no failure 1",
                            "armed: 0");
            assertThat(output)
                    .anyMatch(line -> line.contains("Retries.inner: not locked within 200ms"))
                    .anyMatch(line -> line.contains("Retries.patient: not locked")
                            && line.contains(". Trying again in ")
                            && line.contains(" (attempt 2, "))
                    .anyMatch(line -> line.contains("Retries.patient: through at attempt 2, after "))
                    .anyMatch(line -> line.contains("Retries.twice: not locked")
                            && line.contains("; it is not known who was in the way. Given up after 2 attempts in "))
                    .as("said by the inner one")
                    .noneMatch(line -> line.contains("Retries.around: "));
        }
    }

    @Test
    void theReportHasALineOfItself(@TempDir Path folder) throws IOException {
        Path report = folder.resolve("report.jsonl");
        try (ForkedJvm application = AgentJvm.with("report=" + report, Retries.class)
                .database(database)
                .start()) {
            application.awaitLine("armed:", AgentJvm.LONGEST);

            assertThat(Files.readAllLines(report))
                    .anyMatch(line -> line.contains("Retries.patient\"")
                            && line.contains("\"outcome\":\"done\",\"attempts\":2")
                            && line.contains("\"ended\":\"lock timeout\""))
                    .anyMatch(line ->
                            line.contains("Retries.twice\"") && line.contains("\"outcome\":\"failed\",\"attempts\":2"))
                    .anyMatch(line -> line.contains("Retries.around\"")
                            && line.contains("\"outcome\":\"failed\",\"attempts\":1"));
        }
    }

    @Test
    void itsOwnLongerWaitForAnAutovacuumHoldsInAnInnerOneThatSaysNothingOfLocks() {
        try (PostgresServer server = PostgresServer.startEmbedded(Map.of("autovacuum_naptime", "1"));
                Database busy = server.createDatabase();
                ForkedJvm application = AgentJvm.with("", Retries.class)
                        .database(busy)
                        .arguments("autovacuum")
                        .start()) {
            application.awaitLine("armed:", AgentJvm.LONGEST);

            assertThat(application.exitCode()).isZero();
            List<String> output = application.output();
            assertThat(output.stream().filter(line -> !line.contains("[pglock]")))
                    .as(() -> String.join("\n", output))
                    .containsExactly("past an autovacuum: no failure", "armed: 0");
        }
    }
}
