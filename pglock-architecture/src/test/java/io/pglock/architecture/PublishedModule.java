// SPDX-License-Identifier: Apache-2.0
package io.pglock.architecture;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

/** Those that go to a repository, and what each of them may use. The picture of DESIGN, as a table. Safe for use by many threads. */
enum PublishedModule {
    CORE("io.pglock", Set.of(), List.of("org.postgresql"), Set.of()),
    FLYWAY(
            "io.pglock.flyway",
            Set.of("io.pglock"),
            List.of("com.fasterxml.jackson.annotation", "org.flywaydb"),
            Set.of()),
    LIQUIBASE(
            "io.pglock.liquibase",
            Set.of("io.pglock"),
            List.of("liquibase", "org.postgresql"),
            // a side connection that is opened as the host's own was, and how many statements a piece of SQL has
            Set.of("SideDataSource", "Statements")),
    SPRING(
            "io.pglock.spring",
            Set.of("io.pglock", "io.pglock.flyway", "io.pglock.liquibase"),
            List.of("org.springframework", "org.flywaydb", "liquibase"),
            // what is much like a setting
            Set.of("Setting")),
    // the next two contain core: they are one jar with it, of one version
    AGENT(
            "io.pglock.agent",
            Set.of("io.pglock"),
            List.of("javax.management", "net.bytebuddy", "org.postgresql", "org.tomlj"),
            Set.of(
                    "Daemon",
                    "Durations",
                    "Log",
                    "Monitor",
                    "PgSession",
                    "Setting",
                    "SideDataSource",
                    "SqlState",
                    "Statements",
                    "UnitSignals")),
    CLI(
            "io.pglock.cli",
            Set.of("io.pglock"),
            List.of(
                    "io.zonky.test.db.postgres",
                    "javax.net",
                    "org.apache.commons.csv",
                    "org.jline",
                    "org.postgresql",
                    "org.tomlj",
                    "picocli",
                    "tools.jackson.core"),
            // and whom a signal spares whom nobody has named: a LockQuery takes those who were seen before for named
            Set.of(
                    "Durations",
                    "Json",
                    "LockSignals",
                    "Log",
                    "PgSession",
                    "Setting",
                    "SqlState",
                    "Text",
                    "TreeText",
                    "TreeText$Line"));

    private static final List<String> JDK_AND_JSPECIFY = List.of("java", "javax.sql", "jdk.jfr", "org.jspecify");
    private static final Path ROOT = root();
    private static final Map<List<Path>, JavaClasses> READ = new ConcurrentHashMap<>();

    /** The public one; {@code internal} is below it. */
    final String rootPackage;

    /** The public packages of the modules that it may use. */
    final Set<String> uses;

    /** What it may use beside the JDK and JSpecify. */
    final List<String> libraries;

    /** Those classes of core's {@code internal} that it uses. A new one is a decision: is it not core's own part? */
    final Set<String> internalsOfCore;

    PublishedModule(String rootPackage, Set<String> uses, List<String> libraries, Set<String> internalsOfCore) {
        this.rootPackage = rootPackage;
        this.uses = uses;
        this.libraries = libraries;
        this.internalsOfCore = internalsOfCore;
    }

    static Path root() {
        Path folder = Path.of("").toAbsolutePath();
        return Files.exists(folder.resolve("docs")) ? folder : folder.getParent();
    }

    String artifactId() {
        return "pglock-" + name().toLowerCase(Locale.ROOT);
    }

    Path folder() {
        return ROOT.resolve(artifactId());
    }

    JavaClasses classes() {
        return all().that(DescribedPredicate.describe(artifactId(), type -> owns(type.getPackageName())));
    }

    /** The whole of it: all that is published. */
    static JavaClasses all() {
        return read(Stream.of(values())
                .map(module -> module.folder().resolve("target/classes"))
                .toList());
    }

    /** Each of them once: it takes seconds. */
    static JavaClasses read(List<Path> folders) {
        return READ.computeIfAbsent(folders, there -> new ClassFileImporter().importPaths(there));
    }

    /** Its own packages: that of core is the beginning of all others' names. */
    boolean owns(String packageName) {
        return this == CORE
                ? packageName.matches("io\\.pglock(\\.annotation|\\.internal)?")
                : isIn(packageName, rootPackage);
    }

    /** Whether it may use that: its own, the JDK's, JSpecify's, its libraries', and the public packages of what it builds on. */
    boolean mayUse(JavaClass other) {
        String name = other.getBaseComponentType().getPackageName();
        return other.getBaseComponentType().isPrimitive()
                || owns(name)
                || uses.contains(name)
                || name.equals("io.pglock.annotation") && uses.contains("io.pglock")
                || name.equals("io.pglock.internal") && !internalsOfCore.isEmpty()
                || JDK_AND_JSPECIFY.stream().anyMatch(library -> isIn(name, library))
                || libraries.stream().anyMatch(library -> isIn(name, library));
    }

    private static boolean isIn(String name, String packageName) {
        return name.equals(packageName) || name.startsWith(packageName + ".");
    }
}
