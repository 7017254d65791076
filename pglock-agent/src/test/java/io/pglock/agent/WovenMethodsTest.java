// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent;

import static org.assertj.core.api.Assertions.assertThat;

import com.acme.weaving.Methods;
import io.pglock.testkit.Database;
import io.pglock.testkit.ForkedJvm;
import io.pglock.testkit.PostgresTest;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every kind of method that there is, named in the configuration of an application without any class of pglock. */
@PostgresTest
class WovenMethodsTest {

    private static final String NAMED = "prioritize=off;target=com.acme.weaving.*#in*;lockTimeout=1111ms"
            + ";target=com.acme.weaving.Methods$Overloads#choose(int);lockTimeout=1112ms"
            + ";target=com.acme.weaving.Methods$Overloads#choose(String,int[]);lockTimeout=1113ms"
            + ";target=@com.acme.weaving.Marker;lockTimeout=1114ms"
            + ";target=com.acme.weaving.Again#*s;lockTimeout=100ms;retryAttempts=3;retryDelay=1ms"
            + ";target=com.acme.weaving.Again#twice;lockTimeout=100ms;retryAttempts=3;retryDelay=1ms";

    private static final String SKIPPED = ";target=com.acme.weaving.Skips#skip*" + lock("")
            + declared("Int", "42")
            + declared("Long", "4294967296")
            + declared("Double", "1.5")
            + declared("Float", "2.5")
            + declared("Boolean", "true")
            + declared("Char", "x")
            + declared("Byte", "-8")
            + declared("Short", "-16")
            + declared("Boxed", "7")
            + declared("Text", "somebody else does")
            + ";target=com.acme.weaving.Skips#raise;advisory=7;advisoryTimeout=0s";

    private static String lock(String more) {
        return ";advisory=7;advisoryTimeout=0s;onTimeout=skip" + more;
    }

    private static String declared(String type, String value) {
        return ";target=com.acme.weaving.Skips#declared" + type + lock(";skipValue=" + value);
    }

    @ParameterizedTest
    @MethodSource("io.pglock.agent.AgentJvm#jvms")
    void methodsOfEveryKindAreInForceWhereNothingOfPglocksIsOnTheClassPath(Path java, Database database) {
        try (ForkedJvm jvm = AgentJvm.with(NAMED + SKIPPED, Methods.class)
                .java(java)
                .classPath(AgentJvm.withoutPglock())
                .database(database)
                .start()) {
            Map<String, String> said = AgentJvm.said(jvm);
            assertThat(jvm.exitCode()).isZero();

            assertThat(said)
                    .containsEntry("private", "1111ms")
                    .containsEntry("static", "1111ms")
                    .containsEntry("final", "1111ms")
                    .containsEntry("synchronized", "1111ms")
                    .containsEntry("self-invoked", "0 1111ms 0")
                    .containsEntry("recursion", "1111ms 1111ms 1111ms 1111ms")
                    .containsEntry("varargs", "1111ms [a, b]")
                    .containsEntry("afterwards in between", "0")
                    .containsEntry("checked exception", "1111ms")
                    .containsEntry("after the exception", "0")
                    .containsEntry("error", "1111ms")
                    .containsEntry("after the error", "0")
                    .containsEntry("local class", "1111ms")
                    .containsEntry("record", "1111ms Point[x=1, y=2]")
                    .containsEntry("enum constant with a body", "1111ms red")
                    .containsEntry("enum constant without a body", "1111ms")
                    .containsEntry("default", "1111ms")
                    .containsEntry("interface's static", "1111ms")
                    .containsEntry("interface's private", "1111ms")
                    .containsEntry("inner", "1111ms")
                    .containsEntry("anonymous", "1111ms of true")
                    .containsEntry("generic", "1111ms 1x")
                    .containsEntry("overload by int", "1112ms 1")
                    .containsEntry("overload by text and array", "1113ms a1")
                    .containsEntry("overload not named", "0 a")
                    .containsEntry("marked", "1114ms")
                    .containsEntry("marked twice", "1114ms")
                    .containsEntry("not marked", "0")
                    .containsEntry("not named", "0")
                    .containsEntry("afterwards", "0");

            String arguments = "1 2 3.5 four 5 6.5 true 8 n 10 11 12.5 null [x]";
            assertThat(said)
                    .containsEntry("arguments", "[" + arguments + ", " + arguments + "]")
                    .containsEntry("returned", "2 4 1.75 null 0 0.0 false 9 o 11 0 0.0 m []")
                    .containsEntry("its arguments", "[1 2.5, 1 2.5]")
                    .containsEntry("static with two words", "17");

            assertThat(said)
                    .containsEntry("skipped reference", "null")
                    .containsEntry("skipped boxed", "null")
                    .containsEntry("skipped text", "null")
                    .containsEntry("skipped Optional", "Optional.empty")
                    .containsEntry("skipped OptionalInt", "OptionalInt.empty")
                    .containsEntry("skipped OptionalLong", "OptionalLong.empty")
                    .containsEntry("skipped OptionalDouble", "OptionalDouble.empty")
                    .containsEntry("skipped array", "null")
                    .containsEntry("declared int", "42")
                    .containsEntry("declared long", "4294967296")
                    .containsEntry("declared double", "1.5")
                    .containsEntry("declared float", "2.5")
                    .containsEntry("declared boolean", "true")
                    .containsEntry("declared char", "x")
                    .containsEntry("declared byte", "-8")
                    .containsEntry("declared short", "-16")
                    .containsEntry("declared boxed", "7")
                    .containsEntry("declared text", "somebody else does")
                    .containsEntry("bodies while it is held", "0")
                    .containsEntry("nested", "1111ms null 1111ms")
                    .containsEntry("raised", "io.pglock.LockTimeoutException of pglock")
                    .containsEntry("not skipped", "ran 1")
                    .containsEntry("bodies when it is free", "2")
                    .containsEntry("at the end", "0");
            assertThat(said.get("its message")).contains("7");
        }
    }
}
