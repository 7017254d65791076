// SPDX-License-Identifier: Apache-2.0
package io.pglock.testkit.matrix;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The table of a page, and the notes below it. Not safe for use by many threads. */
final class CompatibilityTable {

    private final CompatibilityMatrix matrix;

    /** In order of appearance; a note's number is its place. */
    private final Set<String> notes = new LinkedHashSet<>();

    private final List<String> lines = new ArrayList<>();

    CompatibilityTable(CompatibilityMatrix matrix, List<MatrixRun> runs) {
        this.matrix = matrix;
        lines.add(line(matrix.header().stream()));
        lines.add(line(matrix.header().stream().map(title -> "---")));
        runs.forEach(run -> lines.add(row(run)));
        int number = 0;
        for (String note : notes) {
            lines.add((number == 0 ? "\n" : "") + ++number + ". " + note);
        }
    }

    private String row(MatrixRun run) {
        List<String> cells = new ArrayList<>(List.of(matrix.title().apply(run)));
        for (String column : matrix.columns()) {
            cells.add(cell(run.proving(column)));
        }
        cells.add(String.valueOf(run.tests().size()));
        cells.add(String.valueOf(
                run.tests().stream().filter(MatrixRun.Test::passed).count()));
        List<MatrixRun.Test> skipped =
                run.tests().stream().filter(test -> test.skipped().isPresent()).toList();
        cells.add((skipped.size() + " " + numbers(skipped)).strip());
        return line(cells.stream());
    }

    private String cell(List<MatrixRun.Test> tests) {
        if (tests.isEmpty() || tests.stream().anyMatch(MatrixRun.Test::failed)) {
            return "**no**";
        }
        return tests.stream().anyMatch(MatrixRun.Test::passed) ? ("yes " + numbers(tests)).strip() : numbers(tests);
    }

    /** The notes on those of the tests that were skipped: {@code [1, 3]}. */
    private String numbers(List<MatrixRun.Test> tests) {
        Set<Integer> numbers = new TreeSet<>();
        tests.forEach(test -> test.skipped().ifPresent(why -> {
            notes.add(why);
            numbers.add(List.copyOf(notes).indexOf(why) + 1);
        }));
        return numbers.isEmpty()
                ? ""
                : numbers.stream().map(String::valueOf).collect(Collectors.joining(", ", "[", "]"));
    }

    private static String line(Stream<String> cells) {
        return cells.collect(Collectors.joining(" | ", "| ", " |"));
    }

    @Override
    public String toString() {
        return String.join("\n", lines) + "\n";
    }
}
