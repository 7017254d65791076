// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class KeysTest {

    @Test
    void everyKeyOfTheAgentsOwnStandsInTheManual() throws Exception {
        Path manual = Path.of(System.getProperty("basedir", ".")).resolve("../docs/agent.md");
        List<String> documented = Pattern.compile("(?m)^\\| `(\\w+)` \\|")
                .matcher(Files.readString(manual))
                .results()
                .map(row -> row.group(1))
                .filter(key -> !key.equals(Keys.TARGET))
                .toList();

        assertThat(documented)
                .as("the tables of docs/agent.md")
                .containsExactlyElementsOf(Stream.of(Keys.OF_A_METHOD, Keys.OF_THE_AGENT)
                        .flatMap(List::stream)
                        .toList());
    }

    @Test
    void areSpeltInTwoWays() {
        assertThat(Keys.spelt("lockTimeout")).contains("lockTimeout");
        assertThat(Keys.spelt("on-error")).contains("onError");
        assertThat(Keys.spelt("locktimeout")).isEmpty();
        assertThat(Keys.snake("prioritizeMinAge")).isEqualTo("PRIORITIZE_MIN_AGE");
    }
}
