// SPDX-License-Identifier: Apache-2.0
package io.pglock.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The tests that {@code docs/guarantees.md} names are there. */
class GuaranteesPageTest {

    private static final Pattern NAMED = Pattern.compile("`([A-Z]\\w*Test)(?:\\.(\\w+))?`");

    private final String page = Docs.read(Docs.page("guarantees"));

    @Test
    void everyTestThatItNamesIsThere() {
        Map<String, String> tests = Docs.sources("src/test").stream()
                .collect(Collectors.toMap(GuaranteesPageTest::className, Docs::read, String::concat));

        assertThat(NAMED.matcher(page).results().map(MatchResult::group))
                .hasSizeGreaterThan(30)
                .filteredOn(named -> !isThere(named, tests))
                .isEmpty();
    }

    @Test
    void eachOfItsTwelvePointsIsHeldByTests() {
        List<String> points = Pattern.compile("(?m)^## (\\d+)\\. (?s:.*?)(?=^## )")
                .matcher(page)
                .results()
                .map(MatchResult::group)
                .toList();

        assertThat(points).hasSize(12).allSatisfy(point -> assertThat(point).containsPattern("Held by `\\w+Test"));
    }

    private static boolean isThere(String named, Map<String, String> tests) {
        String[] parts = named.replace("`", "").split("\\.", -1);
        String source = tests.get(parts[0]);
        return source != null && (parts.length == 1 || source.contains("void " + parts[1] + "("));
    }

    private static String className(Path file) {
        return file.getFileName().toString().replace(".java", "");
    }
}
