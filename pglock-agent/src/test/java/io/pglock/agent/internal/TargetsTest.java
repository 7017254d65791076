// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.pglock.LockPolicy;
import io.pglock.LockPolicy.Priority;
import io.pglock.agent.internal.AgentLog.Threshold;
import io.pglock.agent.internal.Spec.OnTimeout;
import io.pglock.agent.internal.TargetProgress.Method;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

class TargetsTest {

    private static final String SCHEDULED = "Lorg/springframework/scheduling/annotation/Scheduled;";

    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private final AgentLog log = new AgentLog(Threshold.INFO, new PrintStream(bytes, true, StandardCharsets.UTF_8));

    private static Target target(String pattern, String line) {
        Map<String, String> keys = new LinkedHashMap<>(SpecTest.keys(line));
        keys.put("target", pattern);
        return Target.of(keys, "a test");
    }

    private Targets targets(Target... targets) {
        return new Targets(Arrays.asList(targets), Map.of(), log);
    }

    private String said() {
        return bytes.toString(StandardCharsets.UTF_8);
    }

    private static Method method(String name, String... parameters) {
        return new Method(name, List.of(parameters), false);
    }

    @Test
    void filtersClassesByName() {
        Targets targets = targets(
                target("com.acme.Migrator#run", ""),
                target("com.acme.jobs.**#*", ""),
                target("@org.springframework.scheduling.annotation.Scheduled", ""));

        assertThat(targets.mayMatchClass("com/acme/Migrator")).isTrue();
        assertThat(targets.mayMatchClass("com/acme/Migrators")).isFalse();
        assertThat(targets.mayMatchClass("com/acme/jobs/a/B$C")).isTrue();
        assertThat(targets.mayMatchClass("org/other/Thing")).isFalse();
        assertThat(targets.annotationDescriptors()).containsExactly(SCHEDULED);
        assertThat(targets().mayMatchClass("com/acme/Migrator")).isFalse();
    }

    @Test
    void theMostSpecificTargetCounts() {
        Targets targets = targets(
                target("@org.springframework.scheduling.annotation.Scheduled", "lockTimeout=1s"),
                target("com.acme.*#*", "lockTimeout=2s"),
                target("com.acme.*#run", "lockTimeout=3s"),
                target("com.acme.Migrator#run", "lockTimeout=4s"));

        assertThat(timeout(targets, "com.acme.Migrator", "run")).contains(Duration.ofSeconds(4));
        assertThat(timeout(targets, "com.acme.Other", "run")).contains(Duration.ofSeconds(3));
        assertThat(timeout(targets, "com.acme.Other", "clean")).contains(Duration.ofSeconds(2));
        assertThat(timeout(targets, "org.other.Thing", "clean")).contains(Duration.ofSeconds(1));
        assertThat(targets.targetFor("org.other.Thing", "clean", List.of(), Set.of()))
                .isEmpty();
        assertThat(said()).isEmpty();
    }

    private static Optional<Duration> timeout(Targets targets, String className, String method) {
        Target target = targets.targetFor(className, method, List.of(), Set.of(SCHEDULED))
                .orElseThrow();
        return LockPolicy.parse(target.spec().settings()).lockTimeout();
    }

    @Test
    void tellsOnceOfTwoTargetsOfEqualRank() {
        Targets targets =
                targets(target("com.acme.*#r*n", "lockTimeout=1s"), target("com.acme.*#ru*", "lockTimeout=2s"));

        assertThat(timeout(targets, "com.acme.Job", "run")).contains(Duration.ofSeconds(1));
        assertThat(timeout(targets, "com.acme.Job", "run")).contains(Duration.ofSeconds(1));

        assertThat(said().lines()).hasSize(1);
        assertThat(said())
                .contains("com.acme.Job#run is meant by com.acme.*#r*n (a test) and by com.acme.*#ru* (a test)");
    }

    @Test
    void theConfigurationHasTheLastWordKeyByKey() {
        Targets targets = targets(target("com.acme.Job#run", "lockTimeout=1s advisoryTimeout=5s advisory=mine"));

        Spec spec = targets.specFor(
                        "com.acme.Job",
                        "run",
                        List.of(),
                        Set.of(),
                        Map.of(
                                "WithLockTimeout", Map.of("value", "9s", "statementTimeout", "1m"),
                                "WithAdvisoryLock",
                                        Map.of("value", "its", "shared", true, "timeout", "0s", "onTimeout", "SKIP")))
                .orElseThrow();

        LockPolicy policy = LockPolicy.parse(spec.settings());
        assertThat(policy.lockTimeout()).contains(Duration.ofSeconds(1));
        assertThat(policy.statementTimeout()).contains(Duration.ofMinutes(1));
        assertThat(policy.prioritize()).as("of a target").isEqualTo(Priority.REPORT);
        assertThat(spec.advisory())
                .contains(new Spec.Advisory("mine", false, false, Optional.of(Duration.ofSeconds(5))));
        assertThat(spec.onTimeout()).isEqualTo(OnTimeout.SKIP);
    }

    @Test
    void theConfigurationMayTakeALockAway() {
        Targets targets = targets(target("com.acme.Job#run", "advisory=false"));

        Spec spec = targets.specFor(
                        "com.acme.Job",
                        "run",
                        List.of(),
                        Set.of(),
                        Map.of("WithAdvisoryLock", Map.of("timeout", "0s", "onTimeout", "SKIP", "skipValue", "1")))
                .orElseThrow();

        assertThat(spec.advisory()).isEmpty();
        assertThat(spec.onTimeout()).isEqualTo(OnTimeout.RAISE);
    }

    @Test
    void whatDoesNotGoTogetherIsSaidWithBothPlaces() {
        Targets targets = targets(target("com.acme.Job#run", "advisory=x advisoryXact=true"));

        assertThatIllegalArgumentException()
                .isThrownBy(() -> targets.specFor(
                        "com.acme.Job",
                        "run",
                        List.of(),
                        Set.of(),
                        Map.of("WithAdvisoryLock", Map.of("timeout", "0s", "onTimeout", "SKIP"))))
                .withMessageContaining("advisoryXact")
                .withMessageContaining("the annotations of the method, and target com.acme.Job#run in a test");
    }

    @Test
    void defaultsSayHowAnnotatedMethodsAreTreatedButNotWhat() {
        Targets targets = new Targets(
                List.of(),
                Map.of("protect", "backup", "prioritizeAfter", "0s", "lockTimeout", "1s", "prioritize", "terminate"),
                log);

        Spec spec = targets.specFor("a.B", "c", List.of(), Set.of(), Map.of("WithPriority", Map.of("value", "CANCEL")))
                .orElseThrow();

        LockPolicy policy = LockPolicy.parse(spec.settings());
        assertThat(policy.protect()).containsExactly("backup");
        assertThat(policy.prioritizeAfter()).isZero();
        assertThat(policy.prioritize()).isEqualTo(Priority.CANCEL);
        assertThat(policy.lockTimeout()).isEmpty();
        assertThat(targets.specFor("a.B", "c", List.of(), Set.of(), Map.of())).isEmpty();
    }

    @Test
    void saysAtOnceThatAClassHasNoSuchMethod() {
        Targets targets = targets(target("com.acme.Migrator#migrat", ""));

        targets.loaded(
                "com.acme.Migrator", List.of(method("<init>"), method("migrate"), method("run")), Optional.empty());
        targets.loaded("com.acme.Migrator", List.of(method("migrate")), Optional.empty());

        assertThat(said().lines()).hasSize(1);
        assertThat(said())
                .contains("WARN  com.acme.Migrator has no method migrat; did you mean migrate? (target in a test)");
        assertThat(targets.progress().states().get(0).problem())
                .contains("com.acme.Migrator has no method migrat; did you mean migrate?");
    }

    @Test
    void saysWhichOverloadsThereAre() {
        Targets targets = targets(target("com.acme.Migrator#run(int)", ""));

        targets.loaded(
                "com.acme.Migrator",
                List.of(method("run"), method("run", "long", "java.lang.String")),
                Optional.empty());

        assertThat(said()).contains("has no method run(int); it has run(), run(long,java.lang.String)");
    }

    @Test
    void saysWhereAnInheritedMethodMayBe() {
        Targets targets = targets(target("com.acme.Migrator#execute", ""));

        targets.loaded("com.acme.Migrator", List.of(method("x")), Optional.of("com.acme.Base"));

        assertThat(said())
                .contains("has no method execute of its own; if it inherits one from com.acme.Base, name that class");
    }

    @Test
    void saysThatAnAbstractMethodHasNothingToGuard() {
        Targets targets = targets(target("com.acme.Job#run", ""));

        targets.loaded("com.acme.Job", List.of(new Method("run", List.of(), true)), Optional.empty());

        assertThat(said()).contains("com.acme.Job#run is abstract, and has nothing to guard; name the classes that");
    }

    @Test
    void isSilentAboutAClassThatHasTheMethod() {
        Targets targets = targets(target("com.acme.Job#run", ""), target("com.acme.*#walk", ""));

        targets.loaded("com.acme.Job", List.of(method("run", "int")), Optional.of("com.acme.Base"));

        assertThat(said()).isEmpty();
    }

    @Test
    void knowsHowFarEachTargetHasCome() {
        Target exact = target("com.acme.Job#run", "");
        Target glob = target("com.acme.*#walk", "");
        Target annotated = target("@com.acme.Nightly", "");
        Target never = target("com.acme.Never#run", "");
        Targets targets = targets(exact, glob, annotated, never);

        targets.progress().woven(exact, "com.acme.Job#run()");
        targets.progress().woven(exact, "com.acme.Job#run(int)");
        targets.progress().refused(annotated, "com.acme.Job#count()", "returns int, and has no skipValue");

        List<TargetProgress.State> states = targets.progress().states();
        assertThat(states).extracting(TargetProgress.State::target).containsExactly(exact, glob, annotated, never);
        assertThat(states.get(0).woven()).containsExactly("com.acme.Job#run()", "com.acme.Job#run(int)");
        assertThat(states.get(0).problem()).isEmpty();
        assertThat(states.get(1).problem()).contains("no such class or method has been loaded");
        assertThat(states.get(2).problem()).contains("all of its methods are refused");
        assertThat(states.get(2).refused()).containsEntry("com.acme.Job#count()", "returns int, and has no skipValue");
        assertThat(states.get(3).problem()).contains("com.acme.Never has not been loaded");
    }
}
