// SPDX-License-Identifier: Apache-2.0
package io.pglock.testkit.matrix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.reflect.AnnotatedElement;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CompatibilityMatrixTest {

    @Retention(RetentionPolicy.RUNTIME)
    private @interface Says {
        String[] value();
    }

    /** Those that the reports are about. */
    @Says("flying")
    @SuppressWarnings("unused")
    private static final class Bird {
        void flies() {}

        @Says({"walking", "swimming"})
        void walks(int legs) {}
    }

    private static final CompatibilityMatrix MATRIX = new CompatibilityMatrix(
            "Bird",
            "bird-core",
            "All of them.",
            List.of("flying", "walking", "swimming"),
            CompatibilityMatrixTest::says,
            run -> run.host() + (run.classPath().contains("/ring-") ? ", with a ring" : ""));

    private static List<String> says(AnnotatedElement test) {
        return Stream.of(test.getAnnotationsByType(Says.class))
                .flatMap(says -> Stream.of(says.value()))
                .toList();
    }

    private Path reports = Path.of(".");
    private Path page = Path.of(".");

    @BeforeEach
    void begin(@TempDir Path folder) throws IOException {
        reports = Files.createDirectory(folder.resolve("reports"));
        page = folder.resolve("page.md");
    }

    private void run(String name, String jars, String... testcases) throws IOException {
        Path folder = Files.createDirectory(reports.resolve(name));
        Files.writeString(folder.resolve("TEST-" + Bird.class.getName() + ".xml"), """
                <testsuite>
                  <properties><property name="surefire.test.class.path" value="%s"/></properties>
                  %s
                </testsuite>
                """.formatted(
                        jars, String.join("\n", testcases)));
    }

    private static String testcase(String method, String result) {
        return "<testcase name=\"" + method + "\" classname=\"" + Bird.class.getName() + "\">" + result + "</testcase>";
    }

    private static String skipped(String why) {
        return "<skipped><![CDATA[org.opentest4j.TestAbortedException: Assumption failed: " + why
                + "\n\tat somewhere]]></skipped>";
    }

    private List<String> table() throws IOException {
        return Files.readAllLines(page).stream()
                .dropWhile(line -> !line.startsWith("| --- "))
                .skip(1)
                .toList();
    }

    @Test
    void aRowForEachRunInTheOrderOfVersionsAndANoteForEachReason() throws IOException {
        run(
                "a",
                "/m2/bird-core-10.0.1.jar:/m2/ring-1.jar",
                testcase("flies", ""),
                testcase("walks(int)[1]", ""),
                testcase("walks(int)[2]", skipped("no third leg")));
        run(
                "b",
                "/m2/bird-core-9.12.jar:/m2/other-2.jar",
                testcase("flies", skipped("a penguin")),
                testcase("walks(int)[1]", ""),
                testcase("walks(int)[2]", skipped("no third leg")));
        run("c", "/m2/bird-core-10.0.1.jar", testcase("flies", ""), testcase("walks(int)[1]", ""));

        assertThat(MATRIX.write(reports, page)).isEmpty();

        assertThat(Files.readString(page))
                .startsWith("""
                # Which Bird

                <!-- Made by mvn -Pbird-matrix of the reports of its tests; see CompatibilityTable. Not to be edited. -->

                All of them.
                """)
                .contains("| Bird | flying | walking | swimming | tests | passed | skipped |");
        assertThat(table())
                .containsExactly(
                        "| 9.12 | [1] | yes [2] | yes [2] | 3 | 1 | 2 [1, 2] |",
                        "| 10.0.1 | yes | yes | yes | 2 | 2 | 0 |",
                        "| 10.0.1, with a ring | yes | yes [2] | yes [2] | 3 | 2 | 1 [2] |",
                        "",
                        "1. a penguin",
                        "2. no third leg");
        CompatibilityPage committed = CompatibilityPage.read(page);
        assertThat(committed.mistakesAsMadeBy(MATRIX)).isEmpty();
        assertThat(committed.titles()).containsExactly("9.12", "10.0.1", "10.0.1, with a ring");
        assertThat(committed.versions()).containsExactly("9.12", "10.0.1");
    }

    @Test
    void whatFailedAndWhatNobodyTestedIsToldAndNotAYes() throws IOException {
        run(
                "a",
                "/m2/bird-core-1.0.jar",
                testcase("walks(int)[1]", "<error>bang</error>"),
                testcase("walks(int)[2]", ""));

        assertThat(MATRIX.write(reports, page))
                .containsExactly(
                        "no test on Bird 1.0: flying",
                        "failed on Bird 1.0: CompatibilityMatrixTest$Bird.walks(int)[1]");

        assertThat(table()).containsExactly("| 1.0 | **no** | **no** | **no** | 2 | 1 | 0 |");
        assertThat(CompatibilityPage.read(page).mistakesAsMadeBy(MATRIX))
                .containsExactly("does not add up: [1.0, **no**, **no**, **no**, 2, 1, 0]");
    }

    @Test
    void aPageThatWasNotMadeByItIsRecognised() throws IOException {
        run("a", "/m2/bird-core-1.0.jar", testcase("flies", ""), testcase("walks(int)[1]", ""));
        MATRIX.write(reports, page);
        String made = Files.readString(page);

        assertThat(mistakes(made.replace("All of them", "Some of them"))).contains("does not begin with");
        assertThat(mistakes(made.replace("swimming", "diving"))).contains("has not these columns");
        assertThat(mistakes(made.replace("| 2 | 2 | 0 |", "| 2 | 1 | 0 |"))).contains("does not add up");
        assertThat(mistakes(made.replaceAll("(?m)^\\| 1\\.0 .*", ""))).contains("has no rows");
    }

    private String mistakes(String text) throws IOException {
        Files.writeString(page, text);
        return String.join("\n", CompatibilityPage.read(page).mistakesAsMadeBy(MATRIX));
    }

    @Test
    void aRunOnTwoVersionsAtOnceIsRefused() throws IOException {
        run("a", "/m2/bird-core-1.0.jar:/m2/bird-core-1.1.jar", testcase("flies", ""));

        assertThatThrownBy(() -> MATRIX.write(reports, page))
                .hasMessageContaining("not exactly one bird-core on the class path, but [1.0, 1.1]");
    }

    @Test
    void aReportOnATestThatIsGoneIsRefused() throws IOException {
        run("a", "/m2/bird-core-1.0.jar", testcase("flies", "").replace("$Bird", "$Fish"));

        assertThatThrownBy(() -> MATRIX.write(reports, page)).hasMessageContaining("a test that is gone");
    }
}
