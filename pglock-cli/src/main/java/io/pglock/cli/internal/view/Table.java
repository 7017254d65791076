// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.view;

import io.pglock.cli.internal.Printable;
import io.pglock.cli.internal.select.Attribute;
import io.pglock.cli.internal.select.Kind;
import io.pglock.cli.internal.select.Row;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.UnaryOperator;

/**
 * A row on a line, the columns below each other. On a terminal a line is never longer than that is wide: texts are shortened, the
 * longest first.
 */
final class Table implements View {

    private static final String GAP = "  ";
    private static final String MORE = "…";
    private static final int NARROWEST = 8;

    private final List<Attribute> attributes;
    private final OptionalInt width;
    private final UnaryOperator<String> heading;

    Table(List<Attribute> attributes, OptionalInt width, UnaryOperator<String> heading) {
        this.attributes = attributes;
        this.width = width;
        this.heading = heading;
    }

    @Override
    public List<String> lines(List<Row> rows, boolean again) {
        if (rows.isEmpty()) {
            return List.of();
        }
        List<List<String>> cells = new ArrayList<>();
        cells.add(attributes.stream().map(Attribute::heading).map(Printable::of).toList());
        rows.forEach(row -> cells.add(
                attributes.stream().map(attribute -> Cells.line(attribute, row)).toList()));
        int[] widths = widths(cells);
        width.ifPresent(most -> fit(widths, most));
        List<String> lines = new ArrayList<>();
        for (List<String> line : cells) {
            String text = line(line, widths);
            lines.add(lines.isEmpty() ? heading.apply(text) : text);
        }
        return lines;
    }

    private int[] widths(List<List<String>> cells) {
        int[] widths = new int[attributes.size()];
        for (List<String> line : cells) {
            for (int column = 0; column < widths.length; column++) {
                widths[column] = Math.max(widths[column], Width.of(line.get(column)));
            }
        }
        return widths;
    }

    private void fit(int[] widths, int most) {
        int over = GAP.length() * (widths.length - 1) - most;
        for (int one : widths) {
            over += one;
        }
        while (over > 0) {
            int widest = -1;
            for (int column = 0; column < widths.length; column++) {
                if (isShortened(attributes.get(column)) && (widest < 0 || widths[column] >= widths[widest])) {
                    widest = column;
                }
            }
            if (widest < 0 || widths[widest] <= NARROWEST) {
                return;
            }
            widths[widest]--;
            over--;
        }
    }

    private static boolean isShortened(Attribute attribute) {
        Kind kind = attribute.kind();
        return kind == Kind.TEXT || kind == Kind.ID || kind == Kind.MAP || kind == Kind.WORD || kind == Kind.PIDS;
    }

    private String line(List<String> cells, int[] widths) {
        StringBuilder line = new StringBuilder();
        for (int column = 0; column < widths.length; column++) {
            String cell = cut(cells.get(column), widths[column]);
            line.append(column == 0 ? "" : GAP).append(Width.padded(cell, widths[column]));
        }
        String text = line.toString().stripTrailing();
        return width.isPresent() ? cut(text, width.getAsInt()) : text;
    }

    private static String cut(String text, int width) {
        return Width.of(text) <= width ? text : Width.cut(text, width - 1) + MORE;
    }
}
