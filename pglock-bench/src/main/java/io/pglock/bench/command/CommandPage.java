// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench.command;

import io.pglock.bench.BarChart;
import io.pglock.bench.Budget;
import io.pglock.bench.MarkdownPage;
import io.pglock.bench.Numbers;
import io.pglock.bench.Rounds;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What {@link Command} has measured, as a page and as a picture. */
final class CommandPage {

    private static final Budget LS = Budget.atMost("%s x", 1.5);

    private CommandPage() {}

    /** @param django which versions of it and of Python */
    static MarkdownPage of(Map<Command.Contender, Rounds> millis, List<List<String>> machine, String django) {
        List<List<String>> where = new ArrayList<>(machine);
        where.add(List.of("Peer", django));
        MarkdownPage page = MarkdownPage.ofBenchmark("Command", "How long the command takes to start", """
                From the call to the end of the process, by the clock, with a server on the same machine on which one table is
                locked. The Django project has no other application than django-pglock and what that needs. All take turns, back
                and forth; the first turn is not counted. Figures are medians, ratios the medians of ratios of calls that were
                made right after each other. Every figure is in [command.csv](command.csv). To run it again: `mvn -q -Pbench
                -Dpglock.bench=Command -pl pglock-bench -am -Dpglock.bench.django=FOLDER`, with a folder that has the Python
                packages pglock and pgactivity.
                """, where);
        Rounds peer = floor(millis);
        List<List<String>> rows = new ArrayList<>();
        millis.forEach((contender, rounds) -> rows.add(List.of(
                contender.label(),
                Numbers.text(rounds.median()),
                Numbers.text(rounds.least()),
                Numbers.text(rounds.greatest()),
                Numbers.text(rounds.per(peer).median()),
                contender == Command.Contender.LS ? LS.verdict(rounds.per(peer).median()) : "")));
        return page.table(List.of("", "ms", "best", "worst", "ratio", "budget"), rows);
    }

    private static Rounds floor(Map<Command.Contender, Rounds> millis) {
        return Optional.ofNullable(millis.get(Command.Contender.DJANGO)).orElseThrow();
    }

    static BarChart chart(Map<Command.Contender, Rounds> millis) {
        return new BarChart("From the call to the end")
                .panel(
                        "Milliseconds, median",
                        millis.entrySet().stream()
                                .map(entry -> new BarChart.Bar(
                                        entry.getKey().label().replace("`", ""),
                                        entry.getValue().median(),
                                        Numbers.text(entry.getValue().median()) + " ms",
                                        entry.getKey() != Command.Contender.DJANGO))
                                .toList());
    }
}
