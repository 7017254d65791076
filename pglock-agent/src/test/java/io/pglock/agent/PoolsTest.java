// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.testkit.Database;
import io.pglock.testkit.ForkedJvm;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Scenario;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Connections that go from hand to hand through pools while methods run on many threads: each statement has the timeout of the
 * method that it is in. {@code -Dpglock.soak=30m} runs that for as long.
 */
@PostgresTest
class PoolsTest {

    private static final Duration TO_END = Duration.ofSeconds(60);

    private final Database database;

    PoolsTest(Database database) {
        this.database = database;
    }

    static Stream<Path> jvms() {
        return AgentJvm.jvms();
    }

    @ParameterizedTest
    @MethodSource("jvms")
    void aConnectionHasTheTimeoutOfWhoeverUsesIt(Path jvm) {
        try (ForkedJvm application =
                AgentJvm.with("", Pools.class).java(jvm).database(database).start()) {
            application.awaitLine("armed:", TO_END);

            assertThat(application.exitCode()).isZero();
            assertThat(application.output())
                    .containsExactly(
                            "returned inside: 1111ms 5s 1111ms",
                            "returned inside, after: 5s",
                            "set inside: 4444ms 4444ms 1111ms 4444ms",
                            "a pool without autocommit: 0 0 0 5s",
                            "several connections: 1111ms 1111ms 1111ms 5s 5s 5s",
                            "the pool's own: 1111ms 4444ms 5s 1111ms 4444ms 4444ms",
                            "a name of a pool's: 4444ms",
                            "another thread at work: true 5s",
                            "armed: 0");
        }
    }

    static Stream<Arguments> driversAndJvms() {
        return AgentJvm.driversAndJvms();
    }

    /** The drivers hold locks of their own while a statement runs, each line of them others. */
    @ParameterizedTest
    @MethodSource("driversAndJvms")
    void theEndOfAMethodAndTheNextStatementOnAnotherThreadDoNotWaitForEachOther(String driver, Path jvm) {
        try (ForkedJvm application = AgentJvm.with("", HandedOn.class)
                .java(jvm)
                .classPath(AgentJvm.withDriver(driver))
                .database(database)
                .start()) {
            application.awaitLine("handed on: 1000 times", TO_END);

            assertThat(application.awaitLine("armed:")).isEqualTo("armed: 0");
            assertThat(application.exitCode()).isZero();
        }
    }

    @ParameterizedTest
    @MethodSource("jvms")
    void noStatementHasAWrongTimeoutUnderStressAndNothingIsLeft(Path jvm, Scenario scenario) {
        String soak = System.getProperty("pglock.soak", "");
        Duration howLong = soak.isEmpty() ? Duration.ofSeconds(4) : Duration.parse("PT" + soak);
        try (ForkedJvm application = AgentJvm.with("", Stress.class)
                .java(jvm)
                .database(database)
                .arguments(Long.toString(howLong.toMillis()), "with")
                .start()) {
            String errors = application.awaitLine("errors:", howLong.plus(TO_END));

            assertThat(application.exitCode()).isZero();
            List<String> output = application.output();
            assertThat(errors).as(() -> lines(output)).isEqualTo("errors: 0");
            assertThat(output.stream().filter(line -> !isToBeSaid(line)))
                    .contains("wrong: 0", "not alone: 0", "wrong in the pools: 0", "idle in transaction: 0", "armed: 0")
                    .contains("threads left: none", "sessions left: none")
                    .contains("advisory locks left: none", "objects left: none")
                    .noneMatch(line -> line.contains("[pglock]"));
            assertThat(number(output, "checks")).isGreaterThan(200);
            assertThat(number(output, "kills")).isPositive();
            assertThat(number(output, "runs alone")).isPositive();
            if (!soak.isEmpty()) {
                System.out.println("Soak of " + howLong + " on " + jvm + ":\n" + lines(output));
            }
        }
        assertThat(scenario.lockTable()).doesNotContain("advisory");
    }

    /** A call was skipped, or a session was killed: a lock's, which the driver words in two ways, or one that was watched. */
    private static boolean isToBeSaid(String line) {
        return line.contains("Stress.orSkipped: skipped.")
                || line.contains("terminating connection")
                || line.contains("is lost, and with it every lock that it held")
                || line.contains("the DataSource's server has no such session");
    }

    /** What the test can see: without the agent most statements have another timeout than their method says. */
    @Test
    void withoutTheAgentItWouldBeSeen() {
        try (ForkedJvm application = AgentJvm.without(Stress.class)
                .database(database)
                .arguments("1500", "without")
                .start()) {
            application.awaitLine("errors: 0", TO_END);

            assertThat(number(application.output(), "wrong")).isPositive();
        }
    }

    private static String lines(List<String> output) {
        return output.stream().filter(line -> !isToBeSaid(line)).limit(60).collect(Collectors.joining("\n"));
    }

    private static long number(List<String> output, String name) {
        return output.stream()
                .filter(line -> line.startsWith(name + ": "))
                .mapToLong(line -> Long.parseLong(line.substring(name.length() + 2)))
                .sum();
    }
}
