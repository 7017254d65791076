// SPDX-License-Identifier: Apache-2.0
package io.pglock.architecture;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.lang.SimpleConditionEvent.violated;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.AccessTarget;
import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.library.GeneralCodingRules;
import com.tngtech.archunit.library.dependencies.SliceAssignment;
import com.tngtech.archunit.library.dependencies.SliceIdentifier;
import java.util.Set;

/** What DESIGN says of the modules, as rules that classes keep or break. */
final class Rules {

    private Rules() {}

    static ArchRule usesOnlyWhatItMay(PublishedModule module) {
        return classes()
                .should(new ArchCondition<JavaClass>("use only what " + module.artifactId() + " may") {
                    @Override
                    public void check(JavaClass type, ConditionEvents events) {
                        for (Dependency dependency : type.getDirectDependenciesFromSelf()) {
                            if (!module.mayUse(dependency.getTargetClass())) {
                                events.add(violated(type, dependency.getDescription()));
                            }
                        }
                    }
                })
                .because("faces depend on core, never on each other, and core on the driver alone");
    }

    /** Everything is public, below {@code internal}, or among the packages named. */
    static ArchRule isPublicOrInternal(PublishedModule module, String... others) {
        return classes()
                .that()
                .resideOutsideOfPackages(others)
                .should()
                .resideInAnyPackage(
                        module.rootPackage, module.rootPackage + ".annotation", module.rootPackage + ".internal..")
                .because("a module has one public package, and internal beside it");
    }

    /** No signature that others can call or extend has a type of an {@code internal} package. */
    static ArchRule showsNothingInternal() {
        return classes()
                .that(DescribedPredicate.describe("are API", PublicApi::isPublic))
                .should(new ArchCondition<JavaClass>("show nothing internal") {
                    @Override
                    public void check(JavaClass type, ConditionEvents events) {
                        PublicApi.of(type).stream()
                                .filter(line -> line.contains(".internal."))
                                .forEach(line -> events.add(violated(type, line)));
                    }
                });
    }

    /** Packages that need each other cannot be read one at a time; the back edges named are those that there are. */
    static ArchRule hasNoCyclesOfPackages() {
        return slices().assignedFrom(new SliceAssignment() {
                    @Override
                    public SliceIdentifier getIdentifierOf(JavaClass type) {
                        return SliceIdentifier.of(type.getPackageName());
                    }

                    @Override
                    public String getDescription() {
                        return "packages";
                    }
                })
                .should()
                .beFreeOfCycles()
                // what core is made of, moved out of sight: it takes and gives the public types
                .ignoreDependency(resideInAPackage("io.pglock.internal"), resideInAPackage("io.pglock"))
                // the driver's side of the agent speaks of the agent's settings and log
                .ignoreDependency(
                        resideInAPackage("io.pglock.agent.internal.driver"),
                        resideInAPackage("io.pglock.agent.internal"))
                // the commands are beside the words that all of them use
                .ignoreDependency(
                        resideInAPackage("io.pglock.cli.internal.*"), resideInAPackage("io.pglock.cli.internal"));
    }

    static ArchRule writesToNoStandardStream() {
        return noClasses().should(GeneralCodingRules.ACCESS_STANDARD_STREAMS);
    }

    /** To synchronise by sleeping is to be slow and wrong. */
    static ArchRule doesNotSleep(Set<String> butFor) {
        return noClasses()
                .that(DescribedPredicate.describe(
                        "have no reason to",
                        type -> !butFor.contains(outermost(type).getSimpleName())))
                .should()
                .callMethodWhere(DescribedPredicate.describe("it sleeps", call -> isSleep(call.getTarget())));
    }

    private static boolean isSleep(AccessTarget target) {
        return target.getName().equals("sleep")
                && Set.of("java.lang.Thread", "java.util.concurrent.TimeUnit")
                        .contains(target.getOwner().getName());
    }

    private static JavaClass outermost(JavaClass type) {
        return type.getEnclosingClass().map(Rules::outermost).orElse(type);
    }
}
