// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.select;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The manual's tables of attributes say what the code's does. */
class CommandPageTest {

    @Test
    void everyAttributeIsInTheManualInItsPlace() throws IOException {
        List<String> rows = Attributes.all(true).stream()
                .filter(attribute -> !attribute.name().startsWith("blocking_activity__"))
                .map(CommandPageTest::row)
                .toList();
        assertThat(Files.readAllLines(Path.of("../docs/command.md")).stream()
                        .filter(line -> line.endsWith("|") && line.matches("\\| `[a-z_]+` \\| [a-z ]+ \\| .*"))
                        .toList())
                .containsExactlyElementsOf(rows);
    }

    static String row(Attribute attribute) {
        return "| `" + attribute.name() + "` | " + attribute.kind() + " | " + attribute.meaning() + " |";
    }
}
