// SPDX-License-Identifier: Apache-2.0
package io.pglock.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.lang.ArchRule;
import io.pglock.architecture.internal.Hidden;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;
import org.junit.jupiter.params.provider.ValueSource;

/** The picture of DESIGN, held against what the compiler made. Each rule is shown to fail on a class that breaks it. */
class ArchitectureTest {

    private static void fails(ArchRule rule, Class<?>... planted) {
        assertThat(rule.evaluate(new ClassFileImporter().importClasses(planted)).hasViolation())
                .as(rule.getDescription())
                .isTrue();
    }

    /** Breaks most of them. */
    static final class Planted {
        static void breaksMostRules() throws InterruptedException {
            Thread.sleep(1);
            System.out.println(List.of(assertThat(1)));
        }
    }

    @ParameterizedTest
    @EnumSource
    void aModuleUsesWhatItMayAndNothingElse(PublishedModule module) {
        Rules.usesOnlyWhatItMay(module).check(module.classes());
        fails(Rules.usesOnlyWhatItMay(module), Planted.class);
    }

    @ParameterizedTest
    @EnumSource
    void noFaceMayUseAnother(PublishedModule module) {
        Set<String> faces = new TreeSet<>(module.uses);
        faces.remove(PublishedModule.CORE.rootPackage);

        assertThat(faces)
                .isEqualTo(
                        module == PublishedModule.SPRING
                                ? Set.of("io.pglock.flyway", "io.pglock.liquibase")
                                : Set.of());
    }

    @ParameterizedTest
    @EnumSource(mode = Mode.EXCLUDE, names = "CORE")
    void ofCoresInternalsThoseAreUsedThatAreNamed(PublishedModule module) {
        assertThat(usedInternals(module)).isEqualTo(new TreeSet<>(module.internalsOfCore));
    }

    private static Set<String> usedInternals(PublishedModule module) {
        String internal = "io.pglock.internal";
        return module.classes().stream()
                .flatMap(type -> type.getDirectDependenciesFromSelf().stream())
                .map(dependency -> dependency.getTargetClass().getBaseComponentType())
                .filter(type -> type.getPackageName().equals(internal))
                .map(type -> type.getName().substring(internal.length() + 1))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    @ParameterizedTest
    @EnumSource
    void aClassIsInThePublicPackageOrBelowInternal(PublishedModule module) {
        // becomes java.lang when it is packaged
        ArchRule rule = Rules.isPublicOrInternal(module, "io.pglock.agent.bridge");

        rule.check(module.classes());
        fails(rule, Planted.class);
    }

    @ParameterizedTest
    @EnumSource
    void theApiShowsNothingInternal(PublishedModule module) {
        Rules.showsNothingInternal().check(module.classes());
        fails(Rules.showsNothingInternal(), Shown.class);
    }

    @Test
    void packagesDoNotNeedEachOther() {
        JavaClasses all = PublishedModule.all();

        assertThat(all).hasSizeGreaterThan(500);
        Rules.hasNoCyclesOfPackages().check(all);
        fails(Rules.hasNoCyclesOfPackages(), Shown.class, Hidden.class);
    }

    @ParameterizedTest
    @EnumSource(names = {"CORE", "FLYWAY", "LIQUIBASE", "SPRING"})
    void aLibraryWritesToNoStandardStream(PublishedModule module) {
        Rules.writesToNoStandardStream().check(module.classes());
        fails(Rules.writesToNoStandardStream(), Planted.class);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "pglock-agent",
                "pglock-bench",
                "pglock-cli",
                "pglock-core",
                "pglock-flyway",
                "pglock-liquibase",
                "pglock-spring",
                "pglock-testkit"
            })
    void testsDoNotSleep(String module) {
        // Leftovers polls for threads and sockets that only the operating system knows of, with a bound
        ArchRule rule = Rules.doesNotSleep(Set.of("Leftovers"));

        rule.check(PublishedModule.read(
                List.of(PublishedModule.root().resolve(module).resolve("target/test-classes"))));
        fails(rule, Planted.class);
    }

    @Test
    void onlyWhoseBusinessItIsToPauseSleeps() {
        // between two attempts, or between two looks: at the changelog lock, at what "watch" and "trace" show
        ArchRule rule = Rules.doesNotSleep(Set.of("ChangelogWait", "Refresh", "UnitAttempts", "UnitWatch", "Watch"));

        rule.check(PublishedModule.all());
        fails(rule, Planted.class);
    }

    @Test
    void everyModuleThatIsPublishedIsHere() throws IOException {
        Path root = PublishedModule.root();

        assertThat(List.of(PublishedModule.values()))
                .map(PublishedModule::artifactId)
                .containsExactlyInAnyOrderElementsOf(Poms.published(root));
    }
}
