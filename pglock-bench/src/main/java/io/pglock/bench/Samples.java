// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench;

import java.util.Arrays;
import java.util.Collection;

/** Numbers that were measured, in whatever unit. Not thread-safe: each worker has its own, which are put together afterwards. */
public final class Samples {

    private long[] values = new long[1_024];
    private int size;
    private boolean sorted = true;

    public static Samples of(long... values) {
        var samples = new Samples();
        for (long value : values) {
            samples.add(value);
        }
        return samples;
    }

    public static Samples of(Collection<Samples> parts) {
        var all = new Samples();
        for (Samples part : parts) {
            for (int i = 0; i < part.size; i++) {
                all.add(part.values[i]);
            }
        }
        return all;
    }

    public void add(long value) {
        if (size == values.length) {
            values = Arrays.copyOf(values, size * 2);
        }
        values[size++] = value;
        sorted = false;
    }

    public int size() {
        return size;
    }

    /**
     * The smallest value that this share of all values does not exceed: 0.5 for the median, 1 for the greatest.
     *
     * @throws IllegalStateException if there are no values
     */
    public long percentile(double share) {
        if (size == 0) {
            throw new IllegalStateException("nothing was measured");
        }
        if (!sorted) {
            Arrays.sort(values, 0, size);
            sorted = true;
        }
        int rank = (int) Math.ceil(share * size);
        return values[Math.min(Math.max(rank, 1), size) - 1];
    }
}
