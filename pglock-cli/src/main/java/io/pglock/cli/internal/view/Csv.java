// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.view;

import io.pglock.cli.internal.Printable;
import io.pglock.cli.internal.select.Attribute;
import io.pglock.cli.internal.select.Row;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.apache.commons.csv.CSVFormat;

/** RFC 4180, with a header of the attributes' names; what is not known or not there is empty. */
final class Csv implements View {

    /** A line ends as the console ends it: RFC 4180's CR is what is left to add. */
    private static final String RETURN = "\r";

    private final List<Attribute> attributes;
    private final UnaryOperator<String> shown;

    /** @param forPeople whether somebody sees it, and no program reads it */
    Csv(List<Attribute> attributes, boolean forPeople) {
        this.attributes = attributes;
        this.shown = forPeople ? Printable::lines : UnaryOperator.identity();
    }

    @Override
    public List<String> lines(List<Row> rows, boolean again) {
        List<String> lines = new ArrayList<>();
        if (!again) {
            lines.add(line(attributes.stream().map(Attribute::name)));
        }
        rows.forEach(row -> lines.add(line(
                attributes.stream().map(attribute -> Cells.plain(attribute, row).orElse("")))));
        return lines;
    }

    private String line(Stream<String> values) {
        return CSVFormat.RFC4180.format(values.map(shown).toArray()) + RETURN;
    }
}
