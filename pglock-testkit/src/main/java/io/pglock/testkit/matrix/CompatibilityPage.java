// SPDX-License-Identifier: Apache-2.0
package io.pglock.testkit.matrix;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;

/**
 * A page as it is committed, for the test that holds it against the code that should have made it. Immutable, so safe for use by
 * many threads.
 */
public final class CompatibilityPage {

    private static final Pattern YES_OR_WHY_NOT = Pattern.compile("yes|(yes )?\\[[\\d, ]+]");

    private final String text;
    private final List<List<String>> table;

    private CompatibilityPage(String text) {
        this.text = text;
        table = text.lines()
                .filter(line -> line.startsWith("| "))
                .map(line -> Arrays.stream(line.split("\\|"))
                        .skip(1)
                        .map(String::strip)
                        .toList())
                .toList();
    }

    /**
     * Reads it.
     *
     * @param page the file
     * @return what it says
     * @throws IOException if it cannot be read
     */
    public static CompatibilityPage read(Path page) throws IOException {
        return new CompatibilityPage(Files.readString(page));
    }

    /**
     * The first cell of each row.
     *
     * @return without that of the header
     */
    public List<String> titles() {
        return rows().stream().map(row -> row.get(0)).toList();
    }

    /**
     * The versions that have a row, in order, each of them once.
     *
     * @return as in {@code 10.0.1}
     */
    public List<String> versions() {
        return titles().stream()
                .map(title -> title.replaceFirst(",.*", ""))
                .distinct()
                .toList();
    }

    private List<List<String>> rows() {
        return table.stream().skip(2).toList();
    }

    /**
     * What is not as it would be if the page had been made of runs in which nothing failed.
     *
     * @param matrix the one that should have made it
     * @return a sentence for each; empty when all is well
     */
    public List<String> mistakesAsMadeBy(CompatibilityMatrix matrix) {
        List<String> mistakes = new ArrayList<>();
        if (!text.startsWith(matrix.head())) {
            mistakes.add("does not begin with\n" + matrix.head());
        }
        if (table.isEmpty() || !table.get(0).equals(matrix.header())) {
            mistakes.add("has not these columns: " + matrix.header());
        }
        if (rows().isEmpty()) {
            mistakes.add("has no rows");
        }
        rows().stream().filter(row -> !says(row, matrix)).forEach(row -> mistakes.add("does not add up: " + row));
        return mistakes;
    }

    private static boolean says(List<String> row, CompatibilityMatrix matrix) {
        int last = matrix.columns().size() + 1;
        return row.size() == matrix.header().size()
                && row.subList(1, last).stream().allMatch(YES_OR_WHY_NOT.asMatchPredicate())
                && number(row.get(last)) == number(row.get(last + 1)) + number(row.get(last + 2));
    }

    private static int number(String cell) {
        return Integer.parseInt(cell.replaceFirst(" .*", ""));
    }
}
