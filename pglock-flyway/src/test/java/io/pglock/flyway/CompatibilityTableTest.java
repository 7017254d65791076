// SPDX-License-Identifier: Apache-2.0
package io.pglock.flyway;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.testkit.matrix.CompatibilityPage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
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

    private static CompatibilityPage page() throws IOException {
        return CompatibilityPage.read(ROOT.resolve("docs/flyway-compatibility.md"));
    }

    @Test
    void saysYesOrWhyNotInTheColumnsThatTheTestsProve() throws IOException {
        assertThat(page().mistakesAsMadeBy(CompatibilityTable.MATRIX)).isEmpty();
    }

    @Test
    void hasARowForEveryFlywayOfTheMatrix() throws IOException {
        List<String> versions = Pattern.compile("<version\\.flyway\\.(?:\\d[^>]*|compile|run)>([\\d.]+)<")
                .matcher(Files.readString(ROOT.resolve("pom.xml")))
                .results()
                .map(version -> version.group(1))
                .toList();

        assertThat(page().versions()).hasSizeGreaterThan(7).containsExactlyInAnyOrderElementsOf(versions);
    }
}
