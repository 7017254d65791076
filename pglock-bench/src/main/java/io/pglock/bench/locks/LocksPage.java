// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench.locks;

import io.pglock.bench.Budget;
import io.pglock.bench.MarkdownPage;
import io.pglock.bench.Numbers;
import io.pglock.bench.Settings;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** What {@link Locks} has measured, as a page. */
final class LocksPage {

    private final Locks.Results results;
    private final Settings settings;

    private LocksPage(Locks.Results results, Settings settings) {
        this.results = results;
        this.settings = settings;
    }

    static MarkdownPage of(Locks.Results results, List<List<String>> machine, Settings settings) {
        return new LocksPage(results, settings).write(machine);
    }

    private MarkdownPage write(List<List<String>> machine) {
        List<List<String>> where = new ArrayList<>(machine);
        where.add(List.of("Peers", settings.peers()));
        MarkdownPage page = MarkdownPage.ofBenchmark(
                "Locks",
                "Locks against the peers",
                """
                All of it is from one run on one server. To run it again: `mvn -q -Pbench -Dpglock.bench=Locks`, with
                `-Dpglock.bench.seconds` and `-Dpglock.bench.rounds` for another length. In each round all contenders take
                turns, back and forth; a figure is the median of %d rounds of %s s, a ratio the median of the rounds' ratios.
                Every figure of every round is in [locks.csv](locks.csv). "Budget" is what pglock aims at, the figure of this
                run, and whether it is met.
                """.formatted(
                        settings.rounds(), Numbers.plain(settings.duration().toMillis() / 1e3)),
                where);
        page.section("Own keys").paragraph("""
                        Each thread takes and releases a key of its own, as fast as it can. Of ShedLock's providers only that for
                        JdbcTemplate is here: the plain one of the same version could not be had.
                        """).table(PAIRS, pairs(results.near(), true));
        page.section("Own keys, 1 ms away")
                .paragraph("The same through a proxy that adds 0.5 ms each way.")
                .table(PAIRS, pairs(results.far(), false));
        page.section("One key, two JVMs")
                .paragraph("""
                        %d threads in each JVM want the same key all the time, and do nothing while they hold it. The longest wait
                        and the longest time in which one of the JVMs got nothing are the worst of all rounds. "Overlaps" are
                        acquisitions while somebody else held the key. ShedLock does not wait for a lock, so it is not here.
                        """.formatted(Contended.THREADS))
                .table(CONTENDED, contended());
        page.section("Hand-off between JVMs")
                .paragraph("""
                        From the moment in which the holder begins to release until a thread of the other JVM has it. Idle: after at
                        least %d ms of waiting for it. Under load: whenever it changes JVMs in the run above.
                        """.formatted(HandOff.HELD_MILLIS))
                .table(HAND_OFF, handOffs());
        return page.section("%s held locks".formatted(Numbers.text(HeldLocks.COUNT)))
                .paragraph("""
                        Taken one after the other by one thread. Heap is that of the JVM after a garbage collection, with what the
                        caller keeps to release them; memory is the resident set of the backends, shared memory that they have
                        touched included.
                        """)
                .table(HELD, held());
    }

    /** By the number of threads. */
    private static final Map<Integer, Budget> CLIENT_BUDGETS =
            Map.of(16, Budget.atLeast("%s x pgjdbc", 1.3), 64, Budget.atLeast("%s x pgjdbc", 3));

    private static final List<String> PAIRS =
            List.of("threads", "contender", "backends", "pairs/s", "best round", "x pgjdbc", "p50, us", "budget");

    private static List<List<String>> pairs(Map<Uncontended.Case, Uncontended.Figures> all, boolean budgets) {
        List<List<String>> rows = new ArrayList<>();
        all.forEach((one, figures) -> {
            Uncontended.Figures raw = require(all, new Uncontended.Case(Contenders.RAW, one.threads()));
            rows.add(List.of(
                    Integer.toString(one.threads()),
                    one.contender().label(),
                    Numbers.plain(figures.backends().median()),
                    Numbers.text(figures.pairs().median()),
                    Numbers.text(figures.pairs().greatest()),
                    Numbers.text(figures.pairs().per(raw.pairs()).median()),
                    Numbers.text(figures.median().median()),
                    budgets ? budget(all, one, figures) : ""));
        });
        return rows;
    }

    private static String budget(
            Map<Uncontended.Case, Uncontended.Figures> all, Uncontended.Case one, Uncontended.Figures figures) {
        Uncontended.Figures raw = require(all, new Uncontended.Case(Contenders.RAW, one.threads()));
        Budget ofClient = CLIENT_BUDGETS.get(one.threads());
        if (one.contender() == Contenders.LOCK_CLIENT && ofClient != null) {
            return ofClient.verdict(figures.pairs().per(raw.pairs()).median());
        }
        if (one.contender() == Contenders.PG_LOCK && one.threads() == 1) {
            Uncontended.Figures floor = require(all, new Uncontended.Case(Contenders.FLOOR, 1));
            return Budget.atMost("%s x p50 of two select 1", 1.05)
                    .verdict(figures.median().per(floor.median()).median());
        }
        return "";
    }

    private static Uncontended.Figures require(Map<Uncontended.Case, Uncontended.Figures> all, Uncontended.Case one) {
        Uncontended.Figures figures = all.get(one);
        if (figures == null) {
            throw new IllegalStateException(one + " was not measured");
        }
        return figures;
    }

    private static final List<String> CONTENDED = List.of(
            "contender",
            "backends",
            "acquisitions/s",
            "best round",
            "wait p50, ms",
            "p99",
            "longest",
            "share of the JVM that got less",
            "longest that a JVM got nothing, ms",
            "overlaps");

    private List<List<String>> contended() {
        List<List<String>> rows = new ArrayList<>();
        results.contended()
                .forEach((contender, figures) -> rows.add(List.of(
                        contender.label(),
                        Numbers.plain(figures.backends().median()),
                        Numbers.text(figures.acquisitions().median()),
                        Numbers.text(figures.acquisitions().greatest()),
                        Numbers.text(figures.waitMedian().median()),
                        Numbers.text(figures.wait99().median()),
                        Numbers.text(figures.waitLongest().greatest()),
                        Numbers.text(figures.smallerShare().median() * 100) + " %",
                        Numbers.text(figures.longestNothing().greatest()),
                        Numbers.text(figures.overlaps().greatest()))));
        return rows;
    }

    private static final List<String> HAND_OFF =
            List.of("contender", "idle p50, ms", "p99", "hand-offs", "under load p50, ms", "p99", "budget");

    private List<List<String>> handOffs() {
        List<List<String>> rows = new ArrayList<>();
        results.handOffs().forEach((contender, idle) -> {
            Contended.Figures load = results.contended().get(contender);
            if (load == null) {
                throw new IllegalStateException(contender + " was not measured under load");
            }
            rows.add(List.of(
                    contender.label(),
                    Numbers.text(idle.percentile(0.5) / 1e3),
                    Numbers.text(idle.percentile(0.99) / 1e3),
                    Integer.toString(idle.size()),
                    Numbers.text(load.handOffMedian().median()),
                    Numbers.text(load.handOff99().median()),
                    contender == Contenders.LOCK_CLIENT
                            ? Budget.atMost("%s ms p50 idle", 50).verdict(idle.percentile(0.5) / 1e3)
                                    + "; "
                                    + Budget.atMost("%s ms p50 under load", 5)
                                            .verdict(load.handOffMedian().median())
                            : ""));
        });
        return rows;
    }

    private static final List<String> HELD = List.of(
            "contender",
            "held",
            "backends",
            "heap per lock, bytes",
            "memory before, MiB",
            "with the locks, MiB",
            "acquired in, ms",
            "released in, ms",
            "budget");

    private List<List<String>> held() {
        List<List<String>> rows = new ArrayList<>();
        results.held()
                .forEach((contender, figures) -> rows.add(List.of(
                        contender.label(),
                        Numbers.text(figures.held()),
                        Integer.toString(figures.backends()),
                        Numbers.text((double) figures.heapBytes()),
                        figures.rssBefore() == 0 ? "not known" : Numbers.text(figures.rssBefore() / 1024.0),
                        figures.rssAfter() == 0 ? "not known" : Numbers.text(figures.rssAfter() / 1024.0),
                        Numbers.text((double) figures.acquireMillis()),
                        Numbers.text((double) figures.releaseMillis()),
                        contender == Contenders.LOCK_CLIENT
                                ? Budget.atLeast("%s held per backend", HeldLocks.COUNT)
                                        .verdict(figures.held() / (double) figures.backends())
                                : "")));
        return rows;
    }
}
