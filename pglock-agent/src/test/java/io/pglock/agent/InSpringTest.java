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
        sees(AgentJvm.with("", InSpring.class).java(jvm));
    }

    @Test
    void withSpring6Too() {
        sees(AgentJvm.with("", InSpring.class).classPath(AgentJvm.withSpring6()));
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
                            "armed: 0");
        }
    }
}
