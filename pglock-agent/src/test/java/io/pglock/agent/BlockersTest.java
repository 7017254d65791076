// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.testkit.Database;
import io.pglock.testkit.ForkedJvm;
import io.pglock.testkit.PostgresTest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Whoever blocks a method is dealt with as it says, and nobody else; and a method that gives up begins again where it may. */
@PostgresTest
class BlockersTest {

    private final Database database;

    BlockersTest(Database database) {
        this.database = database;
    }

    static Stream<Path> jvms() {
        return AgentJvm.jvms();
    }

    @ParameterizedTest
    @MethodSource("jvms")
    void onlyWhoBlocksIsSignalledAndOnlyWhatTookNoEffectIsDoneAgain(Path jvm) {
        try (ForkedJvm application = AgentJvm.with("", Blockers.class)
                .java(jvm)
                .property("pglock.signalOwnJvm", "true") // or those in the way would have to be in a third one
                .database(database)
                .start()) {
            application.awaitLine("armed:", Duration.ofSeconds(50));

            assertThat(application.exitCode()).isZero();
            List<String> output = application.output();
            assertThat(output.stream().filter(line -> !line.contains("[pglock]")))
                    .as(() -> String.join("\n", output))
                    .containsExactly(
                            "terminate: 57P01 alive no failure alive",
                            "terminate from inside: 57P01",
                            "cancel: 57014 alive",
                            "report: 55P03 alive",
                            "given away: the same 55P03 alive",
                            "given away by an inner method: the same 55P03 alive",
                            "tried again: [as given, as given, as given] 3 connections, 1 row",
                            "not tried again, autocommit: 55P03 1 alive",
                            "not tried again, committed: 55P03 1 alive",
                            "not tried again, committed and chained: 55P03 1 alive",
                            "not tried again, committed in one text: 55P03 1 alive",
                            "not tried again, committed in a procedure: 55P03 1 alive",
                            "not tried again, still open: 55P03 1 alive",
                            "deadlock: 2 attempts",
                            "gives way: no failure true",
                            "signals: [true, true, false] true",
                            "armed: 0");
            assertThat(output)
                    .anyMatch(line -> line.contains("Blockers.reporting") && line.contains("blocker"))
                    .anyMatch(line -> line.contains(
                            "Blockers.patient: not tried again: something that it did has been" + " committed"))
                    .anyMatch(line -> line.contains("Blockers.considerate: made way"));
        }
    }

    @Test
    void theReportSaysWhatAMethodGaveWayWith(@TempDir Path folder) throws IOException {
        Path report = folder.resolve("report.jsonl");
        try (ForkedJvm application = AgentJvm.with("report=" + report, Blockers.class)
                .property("pglock.signalOwnJvm", "true")
                .database(database)
                .arguments("gives way")
                .start()) {
            application.awaitLine("armed:", Duration.ofSeconds(50));

            assertThat(Files.readString(report).lines())
                    .anyMatch(line -> line.contains("Blockers.considerate")
                            && line.contains("gave way")
                            && line.contains("AccessExclusiveLock"));
        }
    }
}
