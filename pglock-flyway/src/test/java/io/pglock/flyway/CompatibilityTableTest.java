// SPDX-License-Identifier: Apache-2.0
package io.pglock.flyway;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The committed table is one that {@code mvn -Pflyway-matrix} made of all its versions, with nothing that failed. */
class CompatibilityTableTest {

    private static final Path ROOT = root();

    private static Path root() {
        Path folder = Path.of("").toAbsolutePath();
        return Files.exists(folder.resolve("docs")) ? folder : folder.getParent();
    }

    private static List<List<String>> table() throws IOException {
        return Files.readAllLines(ROOT.resolve("docs/flyway-compatibility.md")).stream()
                .filter(line -> line.startsWith("| "))
                .map(line -> Arrays.stream(line.split("\\|"))
                        .skip(1)
                        .map(String::strip)
                        .toList())
                .toList();
    }

    @Test
    void hasTheColumnsThatTheTestsProve() throws IOException {
        assertThat(table().get(0)).isEqualTo(CompatibilityTable.header());
    }

    @Test
    void hasARowForEveryFlywayOfTheMatrix() throws IOException {
        List<String> versions = Pattern.compile("<version\\.flyway\\.(?:\\d[^>]*|compile|run)>([\\d.]+)<")
                .matcher(Files.readString(ROOT.resolve("pom.xml")))
                .results()
                .map(version -> version.group(1))
                .toList();

        assertThat(table().stream()
                        .skip(2)
                        .map(row -> row.get(0).replaceFirst(",.*", ""))
                        .distinct())
                .hasSizeGreaterThan(7)
                .containsExactlyInAnyOrderElementsOf(versions);
    }

    @Test
    void saysYesOrWhyNot() throws IOException {
        int last = CompatibilityTable.header().size() - 3;

        assertThat(table().stream().skip(2)).isNotEmpty().allSatisfy(row -> {
            assertThat(row).hasSameSizeAs(CompatibilityTable.header());
            assertThat(row.subList(1, last)).allMatch(cell -> cell.matches("yes|(yes )?\\[[\\d, ]+]"));
            int skipped = Integer.parseInt(row.get(last + 2).replaceFirst(" .*", ""));
            assertThat(Integer.parseInt(row.get(last + 1)) + skipped).isEqualTo(Integer.parseInt(row.get(last)));
        });
    }
}
