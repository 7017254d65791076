// SPDX-License-Identifier: Apache-2.0
package io.pglock.testkit.matrix;

import static java.util.stream.Collectors.joining;
import static java.util.stream.Collectors.toCollection;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Stream;

/** The page that is made of all {@link SuiteRun}s. What was not run is said to be so. Not safe for use by many threads. */
final class SuitePage {

    /** Those that have tests which need a PostgreSQL. */
    static final List<String> MODULES = List.of(
            "pglock-core",
            "pglock-flyway",
            "pglock-liquibase",
            "pglock-spring",
            "pglock-agent",
            "pglock-cli",
            "pglock-testkit",
            "pglock-bench",
            "examples",
            "examples/hosts");

    static final List<String> SERVERS = List.of("10", "11", "12", "13", "14", "15", "16", "17", "18");

    static final List<String> JDKS = List.of("17", "25");

    private static final String HEAD = """
            # Which PostgreSQL, which JDK

            <!-- Made by .ci/matrix of docs/compatibility.csv; see SuitePage. Not to be edited. -->

            The whole suite, module by module, on PostgreSQL %s to %s, on JDK %s. Everything is compiled once, by JDK 17; what
            differs from cell to cell is the server, and the JVM that the tests and what they start run on. The command is
            `.ci/matrix`; the same figures, with the time that each module took, are in [compatibility.csv](compatibility.csv).
            On which versions of Flyway and of Liquibase pglock runs is on pages of their own: [Flyway](flyway-compatibility.md),
            [Liquibase](liquibase-compatibility.md).

            """;

    private final List<SuiteRun> runs;

    /** In order of appearance; a note's number is its place. */
    private final Set<String> notes = new LinkedHashSet<>();

    private final StringBuilder text = new StringBuilder();

    SuitePage(List<SuiteRun> runs) {
        this.runs = runs.stream().sorted(SuiteRun.ORDER).toList();
        Set<String> servers = Stream.concat(SERVERS.stream(), this.runs.stream().map(SuiteRun::server))
                .collect(toCollection(LinkedHashSet::new));
        text.append(HEAD.formatted(SERVERS.get(0), SERVERS.get(SERVERS.size() - 1), String.join(" and ", JDKS)));
        summary(servers);
        modules(servers);
        versions();
        failures();
        skipped();
    }

    private void summary(Set<String> servers) {
        table(Stream.concat(Stream.of("PostgreSQL"), JDKS.stream().map(jdk -> "JDK " + jdk)));
        for (String server : servers) {
            line(Stream.concat(Stream.of(named(server)), JDKS.stream().map(jdk -> verdict(of(server, jdk)))));
        }
    }

    private List<SuiteRun> of(String server, String jdk) {
        return runs.stream()
                .filter(run -> run.server().equals(server) && run.jdk().equals(jdk))
                .toList();
    }

    private static String verdict(List<SuiteRun> cell) {
        if (cell.isEmpty()) {
            return "not run";
        }
        List<String> parts = new ArrayList<>();
        int failed = cell.stream().mapToInt(run -> run.failed().size()).sum();
        long broken = cell.stream().filter(run -> !run.broken().isEmpty()).count();
        if (failed > 0) {
            parts.add("**" + failed + " failed**");
        }
        if (broken > 0) {
            parts.add("**" + broken + (broken == 1 ? " module" : " modules") + " without a result**");
        }
        parts.add(number(cell.stream().mapToInt(SuiteRun::passed).sum()) + " passed");
        int left = MODULES.size() - cell.size();
        if (left > 0) {
            parts.add(left + " of " + MODULES.size() + " modules not run");
        }
        return String.join(", ", parts);
    }

    private void modules(Set<String> servers) {
        text.append("""

                ## Module by module

                How many tests passed; in brackets the notes on those that were skipped there.

                """);
        table(Stream.concat(
                Stream.of("PostgreSQL, JDK"), MODULES.stream().map(module -> module.replace("pglock-", ""))));
        for (String server : servers) {
            for (String jdk : JDKS) {
                List<SuiteRun> cell = of(server, jdk);
                if (!cell.isEmpty() || SERVERS.contains(server)) {
                    line(Stream.concat(
                            Stream.of(named(server) + ", " + jdk),
                            MODULES.stream().map(module -> result(cell, module))));
                }
            }
        }
    }

    private String result(List<SuiteRun> cell, String module) {
        Optional<SuiteRun> found =
                cell.stream().filter(run -> run.module().equals(module)).findAny();
        if (found.isEmpty()) {
            return "not run";
        }
        SuiteRun run = found.get();
        List<String> parts = new ArrayList<>();
        if (!run.broken().isEmpty()) {
            parts.add("**no result**");
        }
        if (!run.failed().isEmpty()) {
            parts.add("**" + run.failed().size() + " failed**");
        }
        if (run.passed() > 0 || parts.isEmpty()) {
            parts.add(number(run.passed()));
        }
        return (String.join(", ", parts) + " " + numbers(run.skipped())).strip();
    }

    private String numbers(List<String> reasons) {
        Set<Integer> numbers = new TreeSet<>();
        for (String reason : reasons) {
            notes.add(reason);
            numbers.add(List.copyOf(notes).indexOf(reason) + 1);
        }
        return numbers.isEmpty() ? "" : numbers.stream().map(String::valueOf).collect(joining(", ", "[", "]"));
    }

    private void versions() {
        if (runs.isEmpty()) {
            return;
        }
        text.append("""

                ## What was run

                """);
        table(Stream.of("cell", "PostgreSQL", "JVM", "commit", "on", "minutes"));
        Map<String, List<SuiteRun>> cells = new LinkedHashMap<>();
        runs.forEach(run ->
                cells.computeIfAbsent(run.cell(), cell -> new ArrayList<>()).add(run));
        cells.forEach((cell, all) -> line(Stream.of(
                cell,
                distinct(all, SuiteRun::serverVersion),
                distinct(all, SuiteRun::jdkVersion),
                distinct(all, run -> run.commit().substring(0, 7)),
                distinct(all, SuiteRun::date),
                String.valueOf((all.stream().mapToLong(SuiteRun::seconds).sum() + 59) / 60))));
    }

    private static String distinct(List<SuiteRun> runs, Function<SuiteRun, String> of) {
        return runs.stream()
                .map(of)
                .filter(value -> !value.isEmpty())
                .distinct()
                .sorted()
                .collect(joining(", "));
    }

    private void failures() {
        List<SuiteRun> bad = runs.stream().filter(run -> !run.isGood()).toList();
        List<SuiteRun> again = runs.stream().filter(run -> run.runs() > 1).toList();
        if (!bad.isEmpty()) {
            text.append("\n## What failed\n\n");
            for (SuiteRun run : bad) {
                String what = Stream.concat(Stream.of(run.broken()), run.failed().stream())
                        .filter(name -> !name.isEmpty())
                        .collect(joining(", "));
                text.append("- " + run.cell() + ", " + run.module() + ": " + what + "\n");
            }
        }
        if (!again.isEmpty()) {
            text.append("\n## What was run more than once\n\nThe figures are those of the last time.\n\n");
            again.forEach(run -> text.append("- " + run.cell() + ", " + run.module() + ": " + run.runs() + " times\n"));
        }
    }

    private void skipped() {
        if (notes.isEmpty()) {
            return;
        }
        text.append("\n## Why tests were skipped\n\n");
        int number = 0;
        for (String note : notes) {
            text.append(++number + ". " + note + "\n");
        }
    }

    private static String named(String server) {
        return SERVERS.contains(server) ? server : "`" + server + "` in a container";
    }

    private static String number(int count) {
        return String.format(Locale.ROOT, "%,d", count);
    }

    private void table(Stream<String> titles) {
        List<String> header = titles.toList();
        line(header.stream());
        line(header.stream().map(title -> "---"));
    }

    private void line(Stream<String> cells) {
        text.append(cells.collect(joining(" | ", "| ", " |\n")));
    }

    @Override
    public String toString() {
        return text.toString();
    }
}
