// SPDX-License-Identifier: Apache-2.0
package io.pglock.site;

import java.util.Comparator;

/**
 * Something in the documentation that a reader would stumble over.
 *
 * @param file the file, relative to the folder that the documentation is in
 * @param line the line, from 1 on
 * @param says what is wrong
 */
record Problem(String file, int line, String says) implements Comparable<Problem> {

    private static final Comparator<Problem> BY_PLACE =
            Comparator.comparing(Problem::file).thenComparing(Problem::line).thenComparing(Problem::says);

    @Override
    public int compareTo(Problem other) {
        return BY_PLACE.compare(this, other);
    }

    @Override
    public String toString() {
        return file + ":" + line + ": " + says;
    }
}
