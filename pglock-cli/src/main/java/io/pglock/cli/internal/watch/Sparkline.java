// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.watch;

import java.util.ArrayDeque;
import java.util.Deque;

/** A number as it was, time after time, in a line of bars. For one thread. */
final class Sparkline {

    private static final String BARS = "▁▂▃▄▅▆▇█";
    private static final int MOST = 500;

    private final Deque<Integer> values = new ArrayDeque<>();

    void add(int value) {
        values.addLast(value);
        if (values.size() > MOST) {
            values.removeFirst();
        }
    }

    int greatest() {
        return values.stream().mapToInt(value -> value).max().orElse(0);
    }

    /** The last ones, as high as the greatest of all allows; nothing is the lowest bar. */
    String last(int count) {
        int greatest = greatest();
        StringBuilder line = new StringBuilder();
        values.stream().skip(Math.max(0, values.size() - Math.max(0, count))).forEach(value -> {
            int height = greatest == 0 ? 0 : (value * (BARS.length() - 1) + greatest - 1) / greatest;
            line.append(BARS.charAt(height));
        });
        return line.toString();
    }
}
