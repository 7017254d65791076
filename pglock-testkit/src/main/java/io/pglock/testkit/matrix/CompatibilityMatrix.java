// SPDX-License-Identifier: Apache-2.0
package io.pglock.testkit.matrix;

import java.io.IOException;
import java.lang.reflect.AnnotatedElement;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * One module's tests on many versions of its host: a row for each run of them, and a column for each thing that tests prove.
 * Immutable, so safe for use by many threads.
 *
 * @param host its name, as in {@code Flyway}
 * @param jar the artifact whose version on the class path is that of the host
 * @param introduction what was run on what, one or more paragraphs
 * @param columns their titles, in order
 * @param proves what the annotations of a test, or of its class, say that it proves, as titles of columns; empty where they say
 *     nothing. A test that says something itself does not count for what its class says.
 * @param title the first cell of a row, which begins with the version
 */
public record CompatibilityMatrix(
        String host,
        String jar,
        String introduction,
        List<String> columns,
        Function<AnnotatedElement, List<String>> proves,
        Function<MatrixRun, String> title) {

    private static final String HEAD = """
            # Which %s

            <!-- Made by mvn -P%s-matrix of the reports of its tests; see CompatibilityTable. Not to be edited. -->

            %s

            `yes`: every test of that passed; with a number: but for what the note says; a number alone: not there, and why.

            """;

    /**
     * Writes the page.
     *
     * @param reports has a folder of Surefire's reports for each run
     * @param page is written to, whatever the runs say
     * @return each test that failed, and for which columns no test was run, with the version where that was so; empty when all is
     *     well
     * @throws IOException if there is something that cannot be read or written
     */
    public List<String> write(Path reports, Path page) throws IOException {
        List<MatrixRun> runs = new ArrayList<>();
        try (DirectoryStream<Path> folders = Files.newDirectoryStream(reports)) {
            for (Path folder : folders) {
                runs.add(MatrixRun.read(folder, jar, proves));
            }
        }
        runs.sort(Comparator.comparing(MatrixRun::host).thenComparing(title));
        Files.writeString(page, head() + new CompatibilityTable(this, runs));
        return runs.stream().flatMap(this::complaints).toList();
    }

    /**
     * What a program does that is run as {@code <folder of reports> <page>}: writes the page, shows it and what is wrong, and ends
     * the JVM with 1 if anything is.
     *
     * @param arguments those of the program
     * @throws IOException if there is something that cannot be read or written
     */
    public void run(String... arguments) throws IOException {
        Path page = Path.of(arguments[1]);
        List<String> complaints = write(Path.of(arguments[0]), page);
        System.out.println(Files.readString(page));
        complaints.forEach(System.out::println);
        if (!complaints.isEmpty()) {
            System.exit(1);
        }
    }

    private Stream<String> complaints(MatrixRun run) {
        String where = " on " + host + " " + title.apply(run) + ": ";
        String untested =
                columns.stream().filter(column -> run.proving(column).isEmpty()).collect(Collectors.joining(", "));
        return Stream.concat(
                Stream.of(untested).filter(titles -> !titles.isEmpty()).map(titles -> "no test" + where + titles),
                run.tests().stream().filter(MatrixRun.Test::failed).map(test -> "failed" + where + test.name()));
    }

    /** All of the page that is above the table. */
    String head() {
        return HEAD.formatted(host, host.toLowerCase(Locale.ROOT), introduction.strip());
    }

    /** The first row. */
    List<String> header() {
        return Stream.of(Stream.of(host), columns.stream(), Stream.of("tests", "passed", "skipped"))
                .flatMap(titles -> titles)
                .toList();
    }
}
