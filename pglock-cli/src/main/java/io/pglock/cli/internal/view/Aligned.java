// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.view;

import io.pglock.cli.internal.Printable;
import java.util.List;

/** Columns of text, each as wide as its widest cell. Not API. */
final class Aligned {

    private static final String GAP = "  ";

    private Aligned() {}

    static List<String> lines(List<List<String>> rows) {
        int columns = rows.isEmpty() ? 0 : rows.get(0).size();
        int[] widths = new int[columns];
        List<List<String>> shown = rows.stream()
                .map(row -> row.stream().map(Printable::of).toList())
                .toList();
        for (List<String> row : shown) {
            for (int column = 0; column < columns; column++) {
                widths[column] = Math.max(widths[column], Width.of(row.get(column)));
            }
        }
        return shown.stream().map(row -> line(row, widths)).toList();
    }

    private static String line(List<String> row, int[] widths) {
        StringBuilder line = new StringBuilder();
        for (int column = 0; column < widths.length; column++) {
            line.append(Width.padded(row.get(column), widths[column])).append(GAP);
        }
        return line.toString().stripTrailing();
    }
}
