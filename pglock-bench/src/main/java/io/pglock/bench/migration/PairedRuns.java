// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench.migration;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;

/** The same work with pglock and without it, by turns (with, without, without, with ...): what it costs, as a ratio. */
final class PairedRuns {

    private static final int WARM_UP = 6;
    private static final int PAIRS = 7;
    private static final OperatingSystemMXBean JVM = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);

    /** What is run. */
    interface Work {

        /** Does it. */
        void run(boolean guarded);

        /** How many round trips it takes. */
        long roundTrips(boolean guarded);

        /** Makes everything as it was before; not measured. */
        void clean();
    }

    /** @param cpu of this JVM, which other programs on the machine disturb less */
    private record Run(double millis, double cpu) {}

    private PairedRuns() {}

    /**
     * Prints both times, their ratio and the round trips.
     *
     * @param units how many there are in one run, to count the round trips of each
     */
    static void measure(String title, int units, Work work) {
        List<Run> with = new ArrayList<>();
        List<Run> without = new ArrayList<>();
        IntStream.range(0, WARM_UP).forEach(i -> measure(work, i % 2 == 0));
        for (int pair = 0; pair < PAIRS; pair++) {
            if (pair % 2 == 0) {
                with.add(measure(work, true));
                without.add(measure(work, false));
            } else {
                without.add(measure(work, false));
                with.add(measure(work, true));
            }
        }
        System.out.printf(
                Locale.ROOT,
                "%d x %s, min/median/max of %d pairs: with %s ms, without %s ms, ratio %s; CPU of the client: ratio %s; round trips"
                        + " for each: with %.2f, without %.2f%n",
                units,
                title,
                PAIRS,
                text(with.stream().mapToDouble(Run::millis), "%.0f"),
                text(without.stream().mapToDouble(Run::millis), "%.0f"),
                text(ratios(with, without, Run::millis), "%.3f"),
                text(ratios(with, without, Run::cpu), "%.3f"),
                roundTrips(work, true) / units,
                roundTrips(work, false) / units);
    }

    private static DoubleStream ratios(List<Run> with, List<Run> without, ToDoubleFunction<Run> of) {
        return IntStream.range(0, PAIRS)
                .mapToDouble(i -> of.applyAsDouble(with.get(i)) / of.applyAsDouble(without.get(i)));
    }

    private static String text(DoubleStream values, String format) {
        double[] sorted = values.sorted().toArray();
        return (format + "/" + format + "/" + format)
                .formatted(sorted[0], sorted[sorted.length / 2], sorted[sorted.length - 1]);
    }

    private static Run measure(Work work, boolean guarded) {
        long cpu = JVM.getProcessCpuTime();
        long start = System.nanoTime();
        work.run(guarded);
        Run run = new Run((System.nanoTime() - start) / 1e6, (JVM.getProcessCpuTime() - cpu) / 1e6);
        work.clean();
        return run;
    }

    private static double roundTrips(Work work, boolean guarded) {
        long count = work.roundTrips(guarded);
        work.clean();
        return count;
    }
}
