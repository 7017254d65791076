// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/** One figure, measured once in each round. A machine is never quiet all the time: the median counts. */
public final class Rounds {

    private final List<Double> values = new ArrayList<>();

    public static Rounds of(double... values) {
        var rounds = new Rounds();
        for (double value : values) {
            rounds.add(value);
        }
        return rounds;
    }

    public void add(double value) {
        values.add(value);
    }

    public List<Double> values() {
        return List.copyOf(values);
    }

    /** Of an even number of rounds the lower one of the two in the middle. */
    public double median() {
        return values.stream()
                .sorted()
                .skip((values.size() - 1) / 2)
                .findFirst()
                .orElseThrow();
    }

    public double least() {
        return values.stream().mapToDouble(Double::doubleValue).min().orElseThrow();
    }

    public double greatest() {
        return values.stream().mapToDouble(Double::doubleValue).max().orElseThrow();
    }

    /** How much more this figure is than another one, round by round. */
    public Rounds minus(Rounds other) {
        var differences = new Rounds();
        IntStream.range(0, values.size()).forEach(i -> differences.add(values.get(i) - other.values.get(i)));
        return differences;
    }

    /** This figure in units of another one, round by round: what slows both down in a round does not change it. */
    public Rounds per(Rounds other) {
        var ratios = new Rounds();
        IntStream.range(0, values.size()).forEach(i -> ratios.add(values.get(i) / other.values.get(i)));
        return ratios;
    }
}
