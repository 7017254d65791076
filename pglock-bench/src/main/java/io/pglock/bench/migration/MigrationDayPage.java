// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench.migration;

import io.pglock.bench.BarChart;
import io.pglock.bench.Budget;
import io.pglock.bench.MarkdownPage;
import io.pglock.bench.Numbers;
import io.pglock.bench.RawResults;
import io.pglock.bench.Rounds;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;

/** What {@link MigrationDay} has measured, as a page, as a picture and as it is. */
final class MigrationDayPage {

    private static final Budget STALL = Budget.atMost("%s ms", 250);
    private static final Budget AFTER = Budget.atMost("%s ms", 200);

    private final Map<Way, List<Figures>> figures;

    MigrationDayPage(Map<Way, List<Figures>> figures) {
        this.figures = figures;
    }

    /** @param machine where it was measured */
    MarkdownPage of(List<List<String>> machine) {
        MarkdownPage page = MarkdownPage.ofBenchmark("MigrationDay", "Migration day", """
                16 readers and 8 writers use a table, each with a statement on one row every 20 ms. A report reads it and keeps
                its transaction open for 12 s; a session sits idle in a transaction that has read it, for 300 to 700 ms every two
                to four seconds. 1.5 s after the report's beginning somebody wants to `ALTER TABLE orders ADD COLUMN note text`.
                What does that cost the others, and how long does it take? All ways in turn, each on a table of its own, with the
                same disturbances; the table has the median of all rounds, and the worst of them where it says so. Every figure is
                in [migration-day.csv](migration-day.csv). To run it again: `mvn -q -Pbench -Dpglock.bench=MigrationDay
                -pl pglock-bench -am`, and with `-Dpglock.bench.django=FOLDER`, a folder that has the Python packages pglock and
                pgactivity, django-pglock is among them.
                """, machine);
        page.section("What it costs the others");
        page.paragraph("""
                Milliseconds. A statement stalls when it takes 50 ms or longer; the first line says what that is without any
                migration. `longest stall` is that of one statement, `one session` what the one that lost most has lost to
                stalls, `all` what all 24 lost, the first two in the worst round. Percentiles are of all statements that fell due
                within 15 s; one that fell due while its client still waited for the one before has waited since then.
                """);
        page.table(
                List.of(
                        "",
                        "who does it so",
                        "longest stall",
                        "one session",
                        "all",
                        "readers p50",
                        "p99",
                        "max",
                        "writers p50",
                        "p99",
                        "max"),
                rows(way -> List.of(
                        way.label(),
                        way.who(),
                        Numbers.text(rounds(way, Figures::longestStall).greatest()),
                        Numbers.text(rounds(way, Figures::longestInAll).greatest()),
                        Numbers.text(rounds(way, Figures::blocked).median()),
                        Numbers.text(
                                rounds(way, each -> each.readers().median()).median()),
                        Numbers.text(rounds(way, each -> each.readers().p99()).median()),
                        Numbers.text(
                                rounds(way, each -> each.readers().longest()).median()),
                        Numbers.text(
                                rounds(way, each -> each.writers().median()).median()),
                        Numbers.text(rounds(way, each -> each.writers().p99()).median()),
                        Numbers.text(
                                rounds(way, each -> each.writers().longest()).median()))));
        page.section("How it goes");
        page.paragraph("""
                `through` is the time until the table was migrated; `after the last blocker` how much of that was after the last
                transaction in its way had ended by itself, in the worst round. `ended` counts sessions whose statement or whose
                connection was ended, in all rounds together, and `innocents` those of them that were in nobody's way.
                """);
        page.table(
                List.of("", "through, s", "after the last blocker, ms", "ended", "innocents"),
                rows(way -> List.of(
                        way.label(),
                        through(way),
                        afterBlockers(way),
                        sum(way, Figures::signalled),
                        sum(way, Figures::innocents))));
        page.section("What was aimed at");
        page.table(
                List.of("", "longest stall", "one session in all", "after its blocker's end", "ended unasked"),
                rows(way -> way.ours() && !way.label().contains("not giving way")
                        ? List.of(
                                way.label(),
                                STALL.verdict(rounds(way, Figures::longestStall).greatest()),
                                STALL.verdict(rounds(way, Figures::longestInAll).greatest()),
                                way.ends() ? "" : AFTER.verdict(after(way).greatest()),
                                way.ends() ? sum(way, Figures::innocents) : sum(way, Figures::signalled))
                        : List.of()));
        return page;
    }

    BarChart chart() {
        return new BarChart("A migration behind a report of 12 s, and everybody else")
                .panel(
                        "Longest stall of one statement of others, milliseconds, median",
                        bars(Figures::longestStall, " ms"))
                .panel("What all 24 sessions lost, seconds, median", bars(each -> each.blocked() / 1e3, " s"));
    }

    RawResults raw() {
        Map<String, ToDoubleFunction<Figures>> names = new LinkedHashMap<>();
        names.put("longest stall, ms", Figures::longestStall);
        names.put("one session in all, ms", Figures::longestInAll);
        names.put("all sessions, ms", Figures::blocked);
        names.put("readers p50, ms", each -> each.readers().median());
        names.put("readers p99, ms", each -> each.readers().p99());
        names.put("readers max, ms", each -> each.readers().longest());
        names.put("writers p50, ms", each -> each.writers().median());
        names.put("writers p99, ms", each -> each.writers().p99());
        names.put("writers max, ms", each -> each.writers().longest());
        names.put("through, ms", each -> each.through().orElse(Double.NaN));
        names.put("after the last blocker, ms", each -> each.afterBlockers().orElse(Double.NaN));
        names.put("ended", Figures::signalled);
        names.put("innocents", Figures::innocents);
        var raw = new RawResults();
        figures.forEach((way, rounds) -> names.forEach((name, figure) -> {
            for (int round = 1; round <= rounds.size(); round++) {
                raw.add("migration day", way.label(), 24, round, name, figure.applyAsDouble(rounds.get(round - 1)));
            }
        }));
        return raw;
    }

    private List<BarChart.Bar> bars(ToDoubleFunction<Figures> figure, String unit) {
        return figures.keySet().stream()
                .map(way -> {
                    double value = rounds(way, figure).median();
                    return new BarChart.Bar(
                            way.label().replace("`", ""), value, Numbers.text(value) + unit, way.ours());
                })
                .toList();
    }

    private List<List<String>> rows(Function<Way, List<String>> row) {
        return figures.keySet().stream()
                .map(row)
                .filter(cells -> !cells.isEmpty())
                .toList();
    }

    private Rounds rounds(Way way, ToDoubleFunction<Figures> figure) {
        var rounds = new Rounds();
        of(way).forEach(each -> rounds.add(figure.applyAsDouble(each)));
        return rounds;
    }

    private List<Figures> of(Way way) {
        return figures.getOrDefault(way, new ArrayList<>());
    }

    private String through(Way way) {
        if (of(way).stream().noneMatch(each -> each.through().isPresent())) {
            return "never";
        }
        return Numbers.text(rounds(way, each -> each.through().orElse(Double.NaN))
                        .median()
                / 1e3);
    }

    private Rounds after(Way way) {
        return rounds(way, each -> each.afterBlockers().orElse(Double.NaN));
    }

    private String afterBlockers(Way way) {
        return way.ends()
                        || of(way).stream()
                                .anyMatch(each -> each.afterBlockers().isEmpty())
                ? ""
                : Numbers.text(after(way).greatest());
    }

    private String sum(Way way, ToDoubleFunction<Figures> figure) {
        return Numbers.plain(of(way).stream().mapToDouble(figure).sum());
    }
}
