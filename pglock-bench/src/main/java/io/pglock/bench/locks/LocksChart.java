// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench.locks;

import io.pglock.bench.BarChart;
import io.pglock.bench.Numbers;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/** What {@link Locks} has measured, as a picture. */
final class LocksChart {

    private LocksChart() {}

    static BarChart of(Locks.Results results) {
        var chart = new BarChart("Locks: acquire and release");
        for (int threads : Uncontended.THREADS) {
            chart.panel(threads(threads) + ", own keys: pairs/s", pairs(results.near(), threads));
        }
        for (int threads : Uncontended.THREADS) {
            chart.panel(threads(threads) + ", own keys, 1 ms away: pairs/s", pairs(results.far(), threads));
        }
        return chart.panel(
                        "2 JVMs with " + Contended.THREADS + " threads, one key: acquisitions/s",
                        bars(
                                results.contended(),
                                figures -> figures.acquisitions().median(),
                                ""))
                .panel(
                        "the same: wait, 99th percentile",
                        bars(results.contended(), figures -> figures.wait99().median(), " ms"))
                .panel(
                        "hand-off to a JVM that has been waiting, median",
                        bars(results.handOffs(), samples -> samples.percentile(0.5) / 1e3, " ms"));
    }

    private static String threads(int count) {
        return count + (count == 1 ? " thread" : " threads");
    }

    private static List<BarChart.Bar> pairs(Map<Uncontended.Case, Uncontended.Figures> figures, int threads) {
        return figures.entrySet().stream()
                .filter(entry -> entry.getKey().threads() == threads)
                .map(entry ->
                        bar(entry.getKey().contender(), entry.getValue().pairs().median(), ""))
                .toList();
    }

    private static <T> List<BarChart.Bar> bars(Map<Contenders, T> figures, ToDoubleFunction<T> figure, String unit) {
        return figures.entrySet().stream()
                .map(entry -> bar(entry.getKey(), figure.applyAsDouble(entry.getValue()), unit))
                .toList();
    }

    private static BarChart.Bar bar(Contenders contender, double value, String unit) {
        return new BarChart.Bar(contender.label(), value, Numbers.text(value) + unit, contender.isOurs());
    }
}
