// SPDX-License-Identifier: Apache-2.0
package io.pglock.flyway;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.xml.parsers.ParserConfigurationException;
import org.xml.sax.SAXException;

/** Makes docs/flyway-compatibility.md of the reports that {@code mvn -Pflyway-matrix} leaves, one folder for each Flyway. */
final class CompatibilityTable {

    private static final String PAGE = """
            # Which Flyway

            <!-- Made by mvn -Pflyway-matrix of the reports of its tests; see CompatibilityTable. Not to be edited. -->

            One `pglock-flyway` for every Flyway from 10.0 on. Its tests, compiled once against 11.20.3, have been run on each of
            these, on a real PostgreSQL. `yes`: every test of that passed; with a number: but for what the note says; a number
            alone: not there, and why. Up to 13.4 Flyway brings the Jackson that it needs; from 13.5 on Jackson is the
            application's choice, so there are two rows.

            %s
            %s
            %s

            %s
            """;

    /** In order of appearance; a note's number is its place. */
    private final Set<String> notes = new LinkedHashSet<>();

    private CompatibilityTable() {}

    /** Writes the page, and fails when a test has failed: {@code <folder of reports> <page>}. */
    public static void main(String[] arguments) throws IOException, ParserConfigurationException, SAXException {
        List<MatrixRun> runs = new ArrayList<>();
        try (DirectoryStream<Path> folders = Files.newDirectoryStream(Path.of(arguments[0]))) {
            for (Path folder : folders) {
                runs.add(MatrixRun.read(folder));
            }
        }
        runs.sort(Comparator.comparing(MatrixRun::flyway).thenComparing(MatrixRun::jackson, Comparator.reverseOrder()));
        String page = new CompatibilityTable().page(runs);
        Files.writeString(Path.of(arguments[1]), page);
        System.out.println(page);
        List<String> failures = runs.stream()
                .flatMap(run -> run.failures().map(test -> "failed on " + run.title() + ": " + test.name()))
                .toList();
        failures.forEach(System.out::println);
        if (!failures.isEmpty()) {
            System.exit(1);
        }
    }

    private String page(List<MatrixRun> runs) {
        List<String> rows = runs.stream().map(this::row).toList();
        List<String> titles = header();
        List<String> numbered = new ArrayList<>();
        for (String note : notes) {
            numbered.add((numbered.size() + 1) + ". " + note);
        }
        return PAGE.formatted(
                line(titles.stream()),
                line(titles.stream().map(title -> "---")),
                String.join("\n", rows),
                String.join("\n", numbered));
    }

    static List<String> header() {
        return Stream.of(
                        Stream.of("Flyway"),
                        Stream.of(Capability.values()).map(capability -> capability.title),
                        Stream.of("tests", "passed", "skipped"))
                .flatMap(titles -> titles)
                .toList();
    }

    private String row(MatrixRun run) {
        List<String> cells = new ArrayList<>(List.of(run.title()));
        for (Capability capability : Capability.values()) {
            cells.add(cell(run.proving(capability)));
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
        if (tests.stream().anyMatch(MatrixRun.Test::failed)) {
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
}
