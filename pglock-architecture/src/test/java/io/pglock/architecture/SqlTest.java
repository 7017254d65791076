// SPDX-License-Identifier: Apache-2.0
package io.pglock.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.source.tree.AnnotationTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.LiteralTree;
import com.sun.source.util.JavacTask;
import com.sun.source.util.TreeScanner;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * All SQL of a module is in one class, {@code Sql}. Read from the sources: in class files the constants of {@code Sql} are in every
 * class that uses them. A literal is SQL if it is a command with something after it, or names what only the catalogue has; the name
 * of a command alone is not, those are what SQL of others is told by.
 */
class SqlTest {

    private static final Pattern SQL = Pattern.compile(
            "\\s*(select|insert into|update \\S+ set|delete from|lock table|reset|show|discard|alter|create|drop|truncate|savepoint"
                    + "|release savepoint|rollback (to|prepared)|prepare transaction|explain|copy|vacuum|with \\w+ as"
                    + "|set (local |session |transaction |constraints )?\\w+ (=|to)) .*"
                    + "|.*(\\bpg_catalog\\.|\\bfrom pg_|\\bpg_\\w+\\(|\\b(current_setting|set_config)\\().*",
            Pattern.CASE_INSENSITIVE | Pattern.DOTALL);

    private static final String OTHERS = "tells SQL of others apart";
    private static final String ADVICE = "tells people what to run";

    /** Where such literals are beside {@code Sql}, and why. */
    private static final Map<PublishedModule, Map<String, String>> ELSEWHERE = Map.of(
            PublishedModule.CORE, Map.of("SqlCommand", OTHERS, "Blockers", ADVICE),
            PublishedModule.LIQUIBASE, Map.of("StatementText", OTHERS, "Changelog", ADVICE),
            PublishedModule.AGENT, Map.of("TimeoutSettings", OTHERS, "Verb", OTHERS),
            PublishedModule.CLI,
                    Map.of(
                            "Examination", ADVICE,
                            "SqlText", OTHERS,
                            "TracedLock", "names commands that are kept waiting",
                            "Transactions", ADVICE));

    private static Set<String> classesWithSql(Path sources) throws IOException {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        List<Path> files;
        try (Stream<Path> found = Files.walk(sources)) {
            files = found.filter(file -> file.toString().endsWith(".java")).toList();
        }
        assertThat(files).isNotEmpty();
        Map<String, List<String>> found = new TreeMap<>();
        try (StandardJavaFileManager manager = compiler.getStandardFileManager(null, null, null)) {
            JavacTask task = (JavacTask) compiler.getTask(
                    null,
                    manager,
                    error -> {},
                    List.of("-proc:none"),
                    null,
                    manager.getJavaFileObjectsFromPaths(files));
            for (CompilationUnitTree unit : task.parse()) {
                String name =
                        Path.of(unit.getSourceFile().toUri()).getFileName().toString();
                List<String> sql = sql(unit);
                if (!sql.isEmpty()) {
                    found.put(name.replace(".java", ""), sql);
                }
            }
        }
        return new TreeSet<>(found.keySet());
    }

    private static List<String> sql(CompilationUnitTree unit) {
        List<String> found = new ArrayList<>();
        new TreeScanner<Void, Void>() {
            /** A description of an option, or a name. */
            @Override
            public Void visitAnnotation(AnnotationTree annotation, Void nothing) {
                return null;
            }

            @Override
            public Void visitLiteral(LiteralTree literal, Void nothing) {
                if (literal.getValue() instanceof String text
                        && SQL.matcher(text).matches()) {
                    found.add(text);
                }
                return null;
            }
        }.scan(unit, null);
        return found;
    }

    @ParameterizedTest
    @EnumSource
    void isInOneClassOfAModule(PublishedModule module) throws IOException {
        Set<String> known =
                new TreeSet<>(ELSEWHERE.getOrDefault(module, Map.of()).keySet());
        if (module != PublishedModule.SPRING) {
            known.add("Sql");
        }

        assertThat(classesWithSql(module.folder().resolve("src/main/java"))).isEqualTo(known);
    }

    @Test
    void isSeenWhereverItStands(@TempDir Path sources) throws IOException {
        Files.writeString(sources.resolve("Bird.java"), "class Bird { String a = \"update bird set name = ?\"; }");
        Files.writeString(
                sources.resolve("Nest.java"), "class Nest { void a() { run(\"\"\"\n  select 1\n  \"\"\"); } }");
        Files.writeString(
                sources.resolve("Egg.java"), "/* select 1 */ @A(\"select 1\") class Egg { String a = \"select\"; }");

        assertThat(classesWithSql(sources)).containsExactly("Bird", "Nest");
    }
}
