// SPDX-License-Identifier: Apache-2.0
package io.pglock.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/**
 * The messages that {@code docs/troubleshooting.md} explains are those that pglock writes: of each line of its text blocks, what
 * stands between {@code ...} is, word for word, in the sources.
 */
class TroubleshootingPageTest {

    private static final Pattern BLOCK = Pattern.compile("(?m)^```text\\n(?s:(.*?))^```$");

    /** Shorter ones, such as a full stop, are everywhere. */
    private static final int TELLING = 12;

    @Test
    void everyMessageIsOneThatPglockWrites() {
        String sources = Docs.sources("src/main").stream()
                .map(Docs::read)
                .map(TroubleshootingPageTest::joined)
                .collect(Collectors.joining("\n"));

        List<String> unknown = new ArrayList<>();
        for (String message : messages()) {
            List<String> parts = constants(message);
            if (parts.stream().noneMatch(part -> part.length() >= TELLING)) {
                unknown.add("too little to be found by: " + message);
            }
            parts.stream()
                    .filter(part -> !sources.contains(part))
                    .forEach(part -> unknown.add("\"" + part + "\" is in no source: " + message));
        }
        assertThat(unknown).isEmpty();
    }

    @Test
    void noMessageIsExplainedTwice() {
        assertThat(messages()).hasSizeGreaterThan(100).doesNotHaveDuplicates();
    }

    private static List<String> messages() {
        return BLOCK.matcher(Docs.read(Docs.page("troubleshooting")))
                .results()
                .map(block -> block.group(1))
                .flatMap(String::lines)
                .toList();
    }

    private static List<String> constants(String message) {
        return Arrays.stream(message.split("\\.\\.\\.", -1))
                .map(String::strip)
                .filter(part -> !part.isEmpty())
                .toList();
    }

    /** Without the seams of strings that are written in several pieces. */
    private static String joined(String source) {
        return Pattern.compile("\"\\s*\\+\\s*\"|\\\\(?=\")").matcher(source).replaceAll("");
    }
}
