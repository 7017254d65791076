// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench;

import java.util.Locale;

/** Figures for people: three digits that count, thousands apart. */
public final class Numbers {

    private Numbers() {}

    public static String text(double value) {
        double size = Math.abs(value);
        if (size >= 100 || value == 0) {
            return String.format(Locale.ROOT, "%,.0f", value);
        }
        return String.format(Locale.ROOT, size >= 10 ? "%.1f" : size >= 1 ? "%.2f" : "%.3f", value);
    }

    /** Without digits that say nothing. */
    public static String plain(double value) {
        return value == Math.rint(value) ? String.format(Locale.ROOT, "%,.0f", value) : Double.toString(value);
    }
}
