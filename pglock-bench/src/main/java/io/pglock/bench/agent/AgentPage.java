// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench.agent;

import io.pglock.bench.BarChart;
import io.pglock.bench.Budget;
import io.pglock.bench.MarkdownPage;
import io.pglock.bench.Numbers;
import io.pglock.bench.Rounds;
import io.pglock.bench.Settings;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What {@link Agent} has measured, as a page and as a picture. */
final class AgentPage {

    private static final Budget HOOK = Budget.atMost("%s ns more", 3);
    private static final Budget SCOPE = Budget.atMost("%s ns", 1_000);

    private final Agent.Results results;
    private final Settings settings;

    private AgentPage(Agent.Results results, Settings settings) {
        this.results = results;
        this.settings = settings;
    }

    static MarkdownPage of(Agent.Results results, List<List<String>> machine, Settings settings) {
        return new AgentPage(results, settings).write(machine);
    }

    private MarkdownPage write(List<List<String>> machine) {
        List<List<String>> where = new ArrayList<>(machine);
        where.add(List.of("The agent's jar", Numbers.text(results.size() / (double) (1 << 20)) + " MiB"));
        MarkdownPage page = MarkdownPage.ofBenchmark("Agent", "What the agent costs", """
                All of it is from one run with the packaged agent. To run it again: `mvn -q -Pbench -Dpglock.bench=Agent -pl
                pglock-bench -am`, with `-Dpglock.bench.seconds` and `-Dpglock.bench.rounds` for another length. Figures are
                medians, ratios the medians of ratios of what was measured right after each other. Every figure of every round
                is in [agent.csv](agent.csv). "Budget" is what pglock aims at, the figure of this run, and whether it is met.
                """, where);
        page.section("A call")
                .paragraph("""
                        With JMH, %d JVMs for each row; no statement is sent. The driver's `execute` is one of a class that has the
                        driver's name and methods and nothing in them, so that only the hook is left. A guarded method here has
                        `lock_timeout` and no more.
                        """.formatted(settings.rounds()))
                .table(List.of("", "ns", "best", "worst", "more than without, ns", "budget"), calls());
        page.section("A statement")
                .paragraph("""
                        `select 6 * 7`, prepared, and the server on the same machine: the smallest statement there is, so the largest
                        ratios. Three JVMs take turns many times a second, two of them without the agent: how far those two are
                        apart is what cannot be measured here. %d rounds, each with new JVMs; a ratio is to the first JVM, with the
                        lowest and the highest of the rounds. In a guarded transaction one round trip more sets
                        `lock_timeout`: `begin`, `show` and `set local` are sent together, and the transaction's end undoes it. In
                        autocommit it is two: the second puts back what was there.
                        """.formatted(settings.rounds()))
                .table(List.of("JVM", "", "us", "ratio", "rounds", "round trips", "budget"), statements());
        return page.section("The start of a program")
                .paragraph("""
                        CPU time of the process, user and system, until the program says that it is ready, which other work on the
                        machine disturbs less than the clock. All take turns, back and forth. The program is a Spring Boot
                        application in one jar, with JPA, a pool and a scheduled method. Classes are all that are loaded, the JDK's
                        included, in a run that is not timed.
                        """)
                .table(
                        List.of("program", "agent", "CPU ms", "least", "more than without, ms", "ratio", "classes"),
                        starts());
    }

    private List<List<String>> calls() {
        List<List<String>> rows = new ArrayList<>();
        results.calls().forEach((call, nanos) -> {
            Optional<Rounds> floor = floor(call);
            double more = floor.map(rounds -> nanos.median() - rounds.median()).orElse(0.0);
            rows.add(List.of(
                    call.label(),
                    Numbers.text(nanos.median()),
                    Numbers.text(nanos.least()),
                    Numbers.text(nanos.greatest()),
                    floor.isPresent() ? Numbers.text(more) : "",
                    switch (call) {
                        case WOVEN_EXECUTE -> HOOK.verdict(more);
                        case GUARDED_METHOD -> SCOPE.verdict(nanos.median());
                        default -> "";
                    }));
        });
        return rows;
    }

    private Optional<Rounds> floor(AgentCalls.Call call) {
        return switch (call) {
            case PLAIN_EXECUTE, PLAIN_METHOD -> Optional.empty();
            case GUARDED_METHOD -> Optional.ofNullable(results.calls().get(AgentCalls.Call.PLAIN_METHOD));
            default -> Optional.ofNullable(results.calls().get(AgentCalls.Call.PLAIN_EXECUTE));
        };
    }

    private List<List<String>> statements() {
        List<List<String>> rows = new ArrayList<>();
        results.statements()
                .forEach((key, figures) -> rows.add(List.of(
                        key.jvm().label(),
                        key.what().label(),
                        Numbers.text(figures.micros().median()),
                        Numbers.text(figures.ratios().median()),
                        Numbers.text(figures.ratioOfRound().least()) + " to "
                                + Numbers.text(figures.ratioOfRound().greatest()),
                        Numbers.text(figures.roundTrips()),
                        key.jvm() == AgentStatements.Jvm.WITH
                                        && key.what() == key.what().floor()
                                ? measurable(key, figures)
                                : "")));
        return rows;
    }

    /** Whether it is further from the JVM without the agent than another one without it. */
    private String measurable(AgentStatements.Key key, AgentStatements.Figures with) {
        AgentStatements.Figures without = Optional.ofNullable(
                        results.statements().get(new AgentStatements.Key(AgentStatements.Jvm.WITHOUT_TOO, key.what())))
                .orElseThrow();
        double noise = Math.max(
                        without.ratioOfRound().greatest(),
                        1 / without.ratioOfRound().least())
                - 1;
        double least = with.ratioOfRound().least() - 1;
        return "not measurable: "
                + (least <= noise
                        ? "met"
                        : "**missed**, at least " + Numbers.text(least * 100) + " %, where JVMs differ by "
                                + Numbers.text(noise * 100) + " %");
    }

    private List<List<String>> starts() {
        List<List<String>> rows = new ArrayList<>();
        results.starts().forEach((key, figures) -> {
            Rounds floor = Optional.ofNullable(results.starts().get(new StartUp.Key(key.program(), Agent.NONE)))
                    .orElseThrow()
                    .cpu();
            boolean none = key.contender().equals(Agent.NONE);
            rows.add(List.of(
                    key.program().label(),
                    key.contender().label(),
                    Numbers.text(figures.cpu().median()),
                    Numbers.text(figures.cpu().least()),
                    none ? "" : Numbers.text(figures.cpu().minus(floor).median()),
                    Numbers.text(figures.cpu().per(floor).median()),
                    Numbers.text((double) figures.classes())));
        });
        return rows;
    }

    /** The starts. */
    static BarChart chart(Agent.Results results) {
        var chart = new BarChart("The start of a program, with and without an agent");
        results.starts().keySet().stream()
                .map(StartUp.Key::program)
                .distinct()
                .forEach(program -> chart.panel(
                        program.label() + ": CPU time",
                        results.starts().entrySet().stream()
                                .filter(entry -> entry.getKey().program().equals(program))
                                .map(AgentPage::bar)
                                .toList()));
        return chart;
    }

    private static BarChart.Bar bar(Map.Entry<StartUp.Key, StartUp.Figures> start) {
        String label = start.getKey().contender().label().replace("`", "");
        double millis = start.getValue().cpu().median();
        return new BarChart.Bar(label, millis, Numbers.text(millis) + " ms", label.startsWith("pglock"));
    }
}
