// SPDX-License-Identifier: Apache-2.0
package io.pglock.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class BomTest {

    private static final Path ROOT = PublishedModule.root();

    /** But for the command, which is a program and nobody's dependency. */
    @Test
    void namesEveryLibraryThatIsPublishedAndNothingElse() throws IOException {
        List<String> libraries = new ArrayList<>(Poms.published(ROOT));
        assertThat(libraries).hasSizeGreaterThan(4);
        assertThat(libraries.remove("pglock-cli")).isTrue();
        List<String> named = Poms.texts(Poms.read(ROOT.resolve("pglock-bom/pom.xml")), "artifactId").stream()
                .filter(id -> !List.of("pglock-parent", "pglock-bom").contains(id))
                .toList();

        assertThat(named).containsExactlyInAnyOrderElementsOf(libraries);
    }
}
