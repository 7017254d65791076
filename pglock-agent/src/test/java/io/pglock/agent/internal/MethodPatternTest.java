// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.Comparator;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MethodPatternTest {

    private static final String SCHEDULED = "Lorg/springframework/scheduling/annotation/Scheduled;";

    private static boolean matches(String pattern, String className, String method, String... parameters) {
        return MethodPattern.parse(pattern).matches(className, method, List.of(parameters), Set.of());
    }

    @ParameterizedTest
    @CsvSource({
        "com.acme.Migrator#run,     com.acme.Migrator,       run,     true",
        "com.acme.Migrator#run,     com.acme.Migrator,       rerun,   false",
        "com.acme.Migrator#run,     com.acme.MigratorX,      run,     false",
        "com.acme.Migrator#run,     com.acme.Migrator$Inner, run,     false",
        "com.acme.Outer$Inner#run,  com.acme.Outer$Inner,    run,     true",
        "com.acme.*#run,            com.acme.Migrator,       run,     true",
        "com.acme.*#run,            com.acme.Outer$Inner,    run,     true",
        "com.acme.*#run,            com.acme.db.Migrator,    run,     false",
        "com.acme.*#run,            com.acmeX.Migrator,      run,     false",
        "com.acme.**#run,           com.acme.db.v2.Migrator, run,     true",
        "com.acme.**#run,           com.acme.Migrator,       run,     true",
        "com.acme.**.*Job#run,      com.acme.db.NightlyJob,  run,     true",
        "com.*.Migrator#run,        com.acme.Migrator,       run,     true",
        "com.*.Migrator#run,        com.acme.db.Migrator,    run,     false",
        "com.acme.Migrator#migr*,   com.acme.Migrator,       migrate, true",
        "com.acme.Migrator#*,       com.acme.Migrator,       clean,   true",
        "com.acme.Migrator#*ate,    com.acme.Migrator,       migrate, true",
        "com.acme.Migrator#m*t*e,   com.acme.Migrator,       migrate, true",
        "com.acme.Migrator#m*x*e,   com.acme.Migrator,       migrate, false",
        "' com.acme.Migrator#run ', com.acme.Migrator,       run,     true",
        "com.acme.Kotlin#run-impl,  com.acme.Kotlin,         run-impl, true",
        "com.acme.*#run,            com.acme.Jobs$$SpringCGLIB$$0, run, false",
        "com.acme.Job*#run,         com.acme.Jobs$Inner$$SpringCGLIB$$0, run, false",
        "com.acme.*$$Spring*#run,   com.acme.Jobs$$SpringCGLIB$$0, run, true",
        "com.acme.Jobs$$SpringCGLIB$$0#run, com.acme.Jobs$$SpringCGLIB$$0, run, true",
        "com.ac$$me.*#run,          com.ac$$me.Jobs,         run,     true"
    })
    void matchesNames(String pattern, String className, String method, boolean matches) {
        assertThat(matches(pattern, className, method, "int")).isEqualTo(matches);
    }

    @Test
    void matchesParameterTypesWhereTheyAreWritten() {
        assertThat(matches("a.B#run(java.lang.String, int)", "a.B", "run", "java.lang.String", "int"))
                .isTrue();
        assertThat(matches("a.B#run(String,int)", "a.B", "run", "java.lang.String", "int"))
                .isTrue();
        assertThat(matches("a.B#run(String)", "a.B", "run", "java.lang.String", "int"))
                .isFalse();
        assertThat(matches("a.B#run()", "a.B", "run")).isTrue();
        assertThat(matches("a.B#run()", "a.B", "run", "int")).isFalse();
        assertThat(matches("a.B#run(byte[],Object...)", "a.B", "run", "byte[]", "java.lang.Object[]"))
                .isTrue();
    }

    @Test
    void matchesWhatCarriesTheAnnotation() {
        MethodPattern pattern = MethodPattern.parse("@org.springframework.scheduling.annotation.Scheduled");

        assertThat(pattern.annotationDescriptor()).contains(SCHEDULED);
        assertThat(pattern.matches("any.Thing", "run", List.of(), Set.of(SCHEDULED)))
                .isTrue();
        assertThat(pattern.matches("any.Thing", "run", List.of(), Set.of("Lother/Scheduled;")))
                .isFalse();
        assertThat(pattern.matchesClass("any.Thing")).isFalse();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "com.acme.Migrator.run | write com.acme.Migrator#run",
                "com.acme.Migrator     | name a method too: com.acme.Migrator#run, or com.acme.Migrator#*",
                "com.acme.Migrator::run | write com.acme.Migrator#run",
                "com/acme/Migrator#run | write com.acme.Migrator#run",
                "com.acme.Migrator#    | write com.acme.Migrator#run, com.acme.*#migrate*",
                "#run                  | write com.acme.Migrator#run",
                "com.acme.Migrator#<init> | a constructor or initializer cannot be guarded; name a method",
                "com.acme.Migrator#new | a constructor or initializer cannot be guarded",
                "com.acme.Migrator#run(int | write com.acme.Migrator#run",
                "com.acme.Migrator#run(int,) | \"\" is not a type; write java.lang.String",
                "com..Migrator#run     | is not the name of a class",
                "com.acme Migrator#run | is not the name of a class",
                "com.acme.Migrator#r un | is not the name of a method",
                "*#run                 | every class of the process could be meant; begin with a package",
                "**.Job#run            | every class of the process could be meant",
                "java.util.List#size   | classes of java.* are never changed",
                "@                     | write com.acme.Migrator#run",
                "''                    | write com.acme.Migrator#run",
            })
    void refusesABadPatternWithTheRightForm(String pattern, String remedy) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> MethodPattern.parse(pattern))
                .withMessageStartingWith("target=" + pattern.strip() + ": is not a target; ")
                .withMessageContaining(remedy);
    }

    @Test
    void theMoreSpecificPatternComesFirst() {
        List<String> ordered = List.of(
                "com.acme.Migrator#run(int)",
                "com.acme.Migrator#run",
                "com.acme.Migrator#run*",
                "com.acme.Migrator#*",
                "com.acme.Migr*#run",
                "com.acme.*#run",
                "com.acme.db.*#*",
                "com.acme.*#*",
                "@com.acme.Nightly");

        assertThat(ordered.stream()
                        .map(MethodPattern::parse)
                        .sorted(Comparator.reverseOrder())
                        .sorted())
                .extracting(MethodPattern::toString)
                .isEqualTo(ordered);
        assertThat(MethodPattern.parse("com.acme.*#r*n")).isEqualByComparingTo(MethodPattern.parse("com.acme.*#ru*"));
    }
}
