// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench.locks;

import io.pglock.bench.Samples;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Who of two JVMs held a lock when. */
final class Contest {

    private final List<Turn> turns = new ArrayList<>();
    private final long from;
    private final long to;

    private record Turn(int jvm, Holding holding) {}

    Contest(List<Holding> one, List<Holding> other, long from, long to) {
        one.forEach(holding -> turns.add(new Turn(0, holding)));
        other.forEach(holding -> turns.add(new Turn(1, holding)));
        turns.sort(Comparator.comparingLong(turn -> turn.holding().acquired()));
        this.from = from;
        this.to = to;
    }

    int count() {
        return turns.size();
    }

    /** In nanoseconds. */
    Samples waits() {
        var waits = new Samples();
        turns.forEach(turn -> waits.add(turn.holding().waitedNanos()));
        return waits;
    }

    /** What the one with less got of all. */
    double smallerShare() {
        long one = turns.stream().filter(turn -> turn.jvm() == 0).count();
        return turns.isEmpty() ? 0 : Math.min(one, turns.size() - one) / (double) turns.size();
    }

    /** The longest time in which one of the two acquired nothing, in microseconds. */
    long longestNothing() {
        long longest = 0;
        for (int jvm = 0; jvm < 2; jvm++) {
            long last = from;
            for (Turn turn : turns) {
                if (turn.jvm() == jvm) {
                    longest = Math.max(longest, turn.holding().acquired() - last);
                    last = turn.holding().acquired();
                }
            }
            longest = Math.max(longest, to - last);
        }
        return longest;
    }

    /** From the moment in which one of the two began to release it until the other had it, in microseconds. */
    Samples handOffs() {
        var handOffs = new Samples();
        for (int i = 1; i < turns.size(); i++) {
            if (turns.get(i).jvm() != turns.get(i - 1).jvm()) {
                handOffs.add(turns.get(i).holding().acquired()
                        - turns.get(i - 1).holding().releasing());
            }
        }
        return handOffs;
    }

    /** How often somebody acquired it who was not alone with it. */
    int overlaps() {
        int overlaps = 0;
        long until = Long.MIN_VALUE;
        for (Turn turn : turns) {
            overlaps += turn.holding().acquired() < until ? 1 : 0;
            until = Math.max(until, turn.holding().releasing());
        }
        return overlaps;
    }
}
