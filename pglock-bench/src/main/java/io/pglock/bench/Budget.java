// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench;

import java.util.Locale;

/**
 * What was aimed at.
 *
 * @param what is measured and in which unit, with {@code %s} for the bound
 */
public record Budget(String what, double bound, boolean atLeast) {

    public static Budget atLeast(String what, double bound) {
        return new Budget(what, bound, true);
    }

    public static Budget atMost(String what, double bound) {
        return new Budget(what, bound, false);
    }

    public boolean isMet(double measured) {
        return atLeast ? measured >= bound : measured <= bound;
    }

    /** For a cell of a table: the budget, the figure that counts, and met or missed. */
    public String verdict(double measured) {
        return (atLeast ? ">= " : "<= ")
                + what.formatted(Numbers.plain(bound))
                + ": "
                + String.format(Locale.ROOT, bound < 10 ? "%.2f" : "%.1f", measured)
                + (isMet(measured) ? ", met" : ", **missed**");
    }
}
