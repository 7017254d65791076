// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.testkit.Database;
import io.pglock.testkit.ForkedJvm;
import io.pglock.testkit.PostgresTest;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What a guarded method does in a transaction that its caller has begun with Spring ends with that, and not before. */
@PostgresTest
class InSpringTest {

    private final Database database;

    InSpringTest(Database database) {
        this.database = database;
    }

    static Stream<Path> jvms() {
        return AgentJvm.jvms();
    }

    @ParameterizedTest
    @MethodSource("jvms")
    void aTransactionOfTheCallersIsLeftToTheCaller(Path jvm) {
        sees(AgentJvm.with(settings(), InSpring.class).java(jvm));
    }

    @Test
    void withSpring6Too() {
        sees(AgentJvm.with(settings(), InSpring.class).classPath(AgentJvm.withSpring6()));
    }

    private String settings() {
        return String.join(
                ";",
                "target=io.pglock.agent.InSpring$Guarded#reserveByAnotherUrl",
                "advisory=stock",
                "advisoryTimeout=5s",
                "lockTimeout=none",
                "prioritize=off",
                "monitorUrl=" + database.url(),
                "monitorUser=" + database.user(),
                "monitorPassword=" + database.password());
    }

    private void sees(ForkedJvm.Launch launch) {
        try (ForkedJvm application = launch.database(database).start()) {
            application.awaitLine("armed:", AgentJvm.LONGEST);

            assertThat(application.exitCode()).isZero();
            List<String> output = application.output();
            assertThat(output.stream().filter(line -> !line.contains("[pglock]")))
                    .as(() -> String.join("\n", output))
                    .containsExactly(
                            "the caller's has sent nothing: 55P03 no failure 1",
                            "the caller's has sent nothing, a method of nobody's: 55P03 no failure 1",
                            "one of its own: no failure no failure several",
                            "until the commit: [1, taken, 1, 1] 0 free",
                            "until the rollback: [1] 0 the caller's",
                            "until the commit, a method of nobody's: [1, 1] 0",
                            "until the commit, by another URL: 1",
                            "until the commit of its own: 0",
                            "until an end on another thread: 0",
                            "after that: 0",
                            "skipped: [skipped, skipped] 2 skipped",
                            "not skipped: ran, 0",
                            "armed: 0");
            assertThat(output)
                    .filteredOn(line -> line.contains("InSpring$Guarded.refresh: skipped. "))
                    .hasSize(2);
        }
    }
}
