// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent;

import static org.assertj.core.api.Assertions.assertThat;

import com.acme.weaving.Refused;
import io.pglock.testkit.ForkedJvm;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What cannot be protected is told, once, with the method's name and what to do; the application goes on, or the method throws. */
class RefusedMethodsTest {

    private static final String SETTINGS =
            "prioritize=off;target=@com.acme.weaving.Marker;target=com.acme.weaving.Refused$Many*#*";

    @Test
    void theApplicationGoesOnAndIsTold() {
        try (ForkedJvm jvm = AgentJvm.with(SETTINGS, Refused.class).start()) {
            Map<String, String> said = AgentJvm.said(jvm);

            assertThat(said)
                    .containsEntry("primitive", "1")
                    .containsEntry("nothing", "ran")
                    .containsEntry("unreadable", "1")
                    .containsEntry("misspelt", "ran")
                    .containsEntry("future", "CompletableFuture")
                    .containsEntry("stage", "CompletableFuture")
                    .containsEntry("mono", "ran")
                    .containsEntry("mono with a timeout", "ran")
                    .containsEntry("suspend", "ran")
                    .containsEntry("suspend with a timeout", "ran")
                    .containsEntry("synchronized", "ran")
                    .containsEntry("interface", "ran")
                    .containsEntry("abstract", "ran")
                    .containsEntry("constructor", "Constructed")
                    .containsEntry("fine beside them", "ran")
                    .containsEntry("many", "ran");
            tellsOnce(jvm, "Refused#primitive()", "skipValue=0");
            tellsOnce(jvm, "Refused#nothing()", "skipValue has no use");
            tellsOnce(jvm, "Refused#unreadable()", "skipValue=many is not a long");
            tellsOnce(jvm, "Refused#misspelt()", "lockTimeout=soon");
            tellsOnce(jvm, "Refused#future()", "it returns a Future", "name the method that does the work");
            tellsOnce(jvm, "Refused#stage()", "it returns a CompletionStage");
            tellsOnce(jvm, "Refused#mono()", "it returns a Mono");
            tellsOnce(jvm, "Refused#timedMono()", "only what it does before it returns its Mono");
            tellsOnce(jvm, "Refused#suspend(", "suspend function of Kotlin");
            tellsOnce(jvm, "Refused#timedSuspend(", "only what it does before it");
            tellsOnce(jvm, "Refused#guarded()", "it is synchronized");
            tellsOnce(jvm, "Contract#interfaceMethod()", "abstract, in an interface");
            tellsOnce(jvm, "Base#abstractMethod()", "abstract");
            tellsOnce(jvm, "Native#call()", "native");
            tellsOnce(jvm, "$Constructed", "constructor");
            tellsOnce(jvm, "Refused.guarded: ran without its advisory lock", "set monitorUrl");
            assertThat(warnings(jvm)).as("and nothing else").hasSize(16);
        }
    }

    @Test
    void withOnErrorFailTheMethodThrows() {
        try (ForkedJvm jvm =
                AgentJvm.with("onError=fail;" + SETTINGS, Refused.class).start()) {
            Map<String, String> said = AgentJvm.said(jvm);

            assertThat(said.get("primitive")).startsWith("pglock: ").contains("skipValue=0");
            for (String refused : List.of("nothing", "unreadable", "misspelt", "future", "stage", "mono", "suspend")) {
                assertThat(said.get(refused)).as(refused).startsWith("pglock: ").contains("Refused#" + refused);
            }
            assertThat(said)
                    .as("what is only warned of, and what stands beside what cannot be woven at all")
                    .containsEntry("mono with a timeout", "ran")
                    .containsEntry("fine beside them", "ran")
                    .containsEntry("interface", "ran")
                    .containsEntry("many", "ran");
        }
    }

    /** Whoever knows that it is done when it returns may say so. */
    @Test
    void aFutureThatIsDoneWhenItIsReturnedIsLockedWhereTheConfigurationSaysSo() {
        try (ForkedJvm jvm = AgentJvm.with(
                        SETTINGS + ";target=com.acme.weaving.Refused#mono;doneOnReturn=true", Refused.class)
                .start()) {
            assertThat(AgentJvm.said(jvm)).containsEntry("mono", "ran");
            assertThat(warnings(jvm))
                    .noneMatch(line -> line.contains("Refused#mono()"))
                    .anyMatch(line -> line.contains("Refused#future()"));
        }
    }

    private static List<String> warnings(ForkedJvm jvm) {
        return jvm.output().stream()
                .filter(line -> line.contains("[pglock] WARN"))
                .toList();
    }

    private static void tellsOnce(ForkedJvm jvm, String method, String... words) {
        assertThat(warnings(jvm).stream().filter(line -> line.contains(method)))
                .as(method)
                .hasSize(1)
                .allSatisfy(line -> assertThat(line).contains(words));
    }
}
