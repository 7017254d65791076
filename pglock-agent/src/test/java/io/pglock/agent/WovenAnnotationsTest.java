// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent;

import static org.assertj.core.api.Assertions.assertThat;

import com.acme.weaving.Annotated;
import com.acme.weaving.Concurrently;
import io.pglock.testkit.Database;
import io.pglock.testkit.ForkedJvm;
import io.pglock.testkit.PostgresTest;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@PostgresTest
class WovenAnnotationsTest {

    private static final String CONFIGURED =
            "prioritize=off;target=com.acme.weaving.Annotated#configured;lockTimeout=1500ms";

    @ParameterizedTest
    @MethodSource("io.pglock.agent.AgentJvm#jvms")
    void annotationsAreInForceAndConfigurationHasTheLastWord(Path java, Database database) {
        try (ForkedJvm jvm = AgentJvm.with(CONFIGURED, Annotated.class)
                .java(java)
                .database(database)
                .start()) {
            Map<String, String> said = AgentJvm.said(jvm);
            assertThat(jvm.exitCode()).isZero();

            assertThat(said)
                    .containsEntry("lock timeout", "1s")
                    .containsEntry("statement timeout", "77s")
                    .containsEntry("advisory", "0 1")
                    .containsEntry("advisory afterwards", "0")
                    .containsEntry("table", "55P03")
                    .containsEntry("priority", "0")
                    .containsEntry("several", "2s 1")
                    .containsEntry("nested", "4s 4s 5s 4s")
                    .containsEntry("configured differently", "1500ms")
                    .containsEntry("generic", "1x")
                    .containsEntry("default", "6s")
                    .containsEntry("afterwards", "0")
                    .containsEntry("skipped int", "42")
                    .containsEntry("skipped Optional", "Optional.empty")
                    .containsEntry("skipped future", "null")
                    .containsEntry("raised", "the application's own")
                    .doesNotContainKey("raises")
                    .containsEntry("at the end", "0");
            assertThat(jvm.output()).noneMatch(line -> line.contains("[pglock] WARN"));
        }
    }

    /** As {@code settings.md} says it of every host. */
    @ParameterizedTest
    @MethodSource("io.pglock.agent.AgentJvm#jvms")
    void concurrentlyWaitsByARuleOfItsOwnWhateverOthersWait(Path java, Database database) {
        String settings = "prioritize=off;target=com.acme.weaving.Concurrently#bounded;lockTimeout=none"
                + ";concurrentLockTimeout=6666ms;target=com.acme.weaving.Concurrently#endless;lockTimeout=none";
        try (ForkedJvm jvm = AgentJvm.with(settings, Concurrently.class)
                .java(java)
                .database(database)
                .start()) {
            assertThat(AgentJvm.said(jvm))
                    .containsEntry("bounded", "6666ms 5s")
                    .containsEntry("endless", "0 5s")
                    .containsEntry("said by an annotation", "7777ms 5s")
                    .containsEntry("said by nobody", "5s 5s")
                    .containsEntry("in between", "7777ms 5s")
                    .containsEntry("outside", "5s 5s");
        }
    }

    /** Nothing else gives those numbers. */
    @Test
    void withoutTheAgentTheyDoNothing(Database database) {
        try (ForkedJvm jvm =
                AgentJvm.without(Annotated.class).database(database).start()) {
            assertThat(AgentJvm.said(jvm))
                    .containsEntry("lock timeout", "0")
                    .containsEntry("advisory", "0 0")
                    .containsEntry("table", "free")
                    .containsEntry("skipped int", "1");
        }
    }

    /** Annotations may be there when the application is compiled, and not when it runs. */
    @Test
    void annotationsCountAlsoWhereTheirClassesAreNotThere(Database database) {
        try (ForkedJvm jvm = AgentJvm.with("", com.acme.weaving.Compiled.class)
                .classPath(AgentJvm.withoutPglock())
                .database(database)
                .start()) {
            assertThat(AgentJvm.said(jvm))
                    .as(() -> List.copyOf(jvm.output()).toString())
                    .containsEntry("lock timeout", "1s");
        }
    }
}
