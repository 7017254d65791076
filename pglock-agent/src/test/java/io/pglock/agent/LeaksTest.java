// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.testkit.Database;
import io.pglock.testkit.ForkedJvm;
import io.pglock.testkit.PostgresTest;
import java.time.Duration;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/**
 * Guarded methods on pooled connections while statements are cancelled, threads interrupted, sessions ended and the network cut:
 * no statement has another timeout than its method says, and in the end nothing is left of pglock.
 *
 * <p>A few calls in every build; {@code mvn -q -Pproof -Dpglock.proof=Leaks -pl pglock-agent -am} makes 100,000 of them.
 */
@PostgresTest
class LeaksTest {

    private static final boolean IN_FULL =
            System.getProperty("pglock.proof", "").equals("Leaks");
    private static final int CALLS = Integer.getInteger("pglock.proof.rounds", IN_FULL ? 100_000 : 200);
    private static final Duration TO_END = IN_FULL ? Duration.ofHours(1) : Duration.ofSeconds(60);

    @Test
    void nothingIsLeftWhateverHappensToTheCalls(Database database) {
        try (ForkedJvm application = AgentJvm.with("", Stress.class)
                .options("-Dpglock.proof.seed=" + Long.getLong("pglock.proof.seed", 1))
                .database(database)
                .arguments("0", "with", Integer.toString(CALLS))
                .start()) {
            application.awaitLine("errors:", TO_END);

            assertThat(application.exitCode()).isZero();
            List<String> readings = application.output().stream()
                    .filter(line -> line.matches("[a-z ]+: .*"))
                    .toList();
            System.out.println("Leaks of the agent: " + String.join("; ", readings));
            assertThat(readings)
                    .as(() -> application.output().stream().limit(80).collect(Collectors.joining("\n")))
                    .contains(
                            "wrong: 0", "not alone: 0", "errors: 0", "wrong in the pools: 0", "idle in transaction: 0")
                    .contains("armed: 0", "threads left: none", "sessions left: none")
                    .contains("advisory locks left: none", "objects left: none")
                    .doesNotContain("hit from outside: 0", "cancels from outside: 0", "interrupts from outside: 0");
        }
    }
}
