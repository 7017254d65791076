// SPDX-License-Identifier: Apache-2.0
package io.pglock.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The tests that {@code docs/guarantees.md} and {@code docs/proof.md} name are there. */
class GuaranteesPageTest {

    private static final Pattern NAMED = Pattern.compile("`([A-Z]\\w*Test)(?:\\.(\\w+))?`");

    /** Of a command. */
    private static final Pattern RUN = Pattern.compile("-Dtest=([\\w,]+)");

    private final String page = Docs.read(Docs.page("guarantees"));
    private final Map<String, String> tests = Docs.sources("src/test").stream()
            .collect(Collectors.toMap(GuaranteesPageTest::className, Docs::read, String::concat));

    @Test
    void everyTestThatItNamesIsThere() {
        assertThat(named(page))
                .hasSizeGreaterThan(30)
                .filteredOn(named -> !isThere(named))
                .isEmpty();
    }

    @Test
    void everyTestThatTheProofsNameOrRunIsThere() {
        String proofs = Docs.read(Docs.page("proof"));
        List<String> run = RUN.matcher(proofs)
                .results()
                .flatMap(command -> Stream.of(command.group(1).split(",", -1)))
                .toList();

        assertThat(run).isNotEmpty().filteredOn(name -> !isThere(name)).isEmpty();
        assertThat(named(proofs))
                .hasSizeGreaterThan(5)
                .filteredOn(named -> !isThere(named))
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

    private static List<String> named(String page) {
        return NAMED.matcher(page).results().map(MatchResult::group).toList();
    }

    private boolean isThere(String named) {
        String[] parts = named.replace("`", "").split("\\.", -1);
        String source = tests.get(parts[0]);
        return source != null && (parts.length == 1 || source.contains("void " + parts[1] + "("));
    }

    private static String className(Path file) {
        return file.getFileName().toString().replace(".java", "");
    }
}
