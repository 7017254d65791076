// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.view;

import io.pglock.cli.internal.Printable;
import io.pglock.cli.internal.select.Attribute;
import io.pglock.cli.internal.select.Row;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/** An attribute on a line, or several where it has several; nothing is shortened. */
final class Expanded implements View {

    private static final int RULE = 60;
    private static final String GAP = "  ";

    private final List<Attribute> attributes;
    private final boolean withEmpty;
    private final UnaryOperator<String> heading;

    /** @param withEmpty whether those are shown that have no value */
    Expanded(List<Attribute> attributes, boolean withEmpty, UnaryOperator<String> heading) {
        this.attributes = attributes;
        this.withEmpty = withEmpty;
        this.heading = heading;
    }

    @Override
    public List<String> lines(List<Row> rows, boolean again) {
        List<String> lines = new ArrayList<>();
        int width = attributes.stream()
                .mapToInt(attribute -> attribute.name().length())
                .max()
                .orElse(0);
        for (int i = 0; i < rows.size(); i++) {
            Row row = rows.get(i);
            String number = "── " + (i + 1) + " ";
            lines.add(heading.apply(number + "─".repeat(RULE - number.length())));
            for (Attribute attribute : attributes) {
                if (withEmpty || attribute.of(row).isPresent()) {
                    add(lines, attribute, row, width);
                }
            }
        }
        return lines;
    }

    private void add(List<String> lines, Attribute attribute, Row row, int width) {
        String name = heading.apply(Printable.of(attribute.name()))
                + " ".repeat(width - attribute.name().length());
        for (String line : Cells.lines(attribute, row).split("\n", -1)) {
            lines.add((name + GAP + line).stripTrailing());
            name = " ".repeat(width);
        }
    }
}
