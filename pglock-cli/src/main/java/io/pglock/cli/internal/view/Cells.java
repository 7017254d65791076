// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.view;

import io.pglock.cli.internal.Printable;
import io.pglock.cli.internal.select.Attribute;
import io.pglock.cli.internal.select.Kind;
import io.pglock.cli.internal.select.Row;
import io.pglock.cli.internal.select.Values;
import io.pglock.internal.Text;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.Optional;

/** The values of attributes as texts: for people, and for programs. Stateless. */
final class Cells {

    private static final String NOTHING = "-";
    private static final int MICROS = 6;

    private Cells() {}

    /** For people, on one line. */
    static String line(Attribute attribute, Row row) {
        return Printable.of(forPeople(attribute, row).strip().replaceAll("\\s+", " "));
    }

    /** For people, on as many lines as it has. */
    static String lines(Attribute attribute, Row row) {
        return forPeople(attribute, row)
                .stripIndent()
                .strip()
                .lines()
                .map(line -> Printable.of(line.replace("\t", "    ")))
                .reduce((one, next) -> one + "\n" + next)
                .orElse(NOTHING);
    }

    private static String forPeople(Attribute attribute, Row row) {
        Optional<?> value = attribute.of(row);
        if (value.isEmpty()) {
            return NOTHING;
        }
        String text = value.get() instanceof Duration duration
                ? Text.age(duration)
                : value.get() instanceof Instant instant ? here(instant) : Values.text(value.get());
        return text.isBlank() ? NOTHING : text;
    }

    private static String here(Instant instant) {
        return DateTimeFormatter.ISO_OFFSET_DATE_TIME.format(
                instant.truncatedTo(ChronoUnit.SECONDS).atZone(ZoneId.systemDefault()));
    }

    /** For programs: durations are seconds, instants UTC. */
    static Optional<String> plain(Attribute attribute, Row row) {
        return attribute
                .of(row)
                .map(value -> attribute.kind() == Kind.DURATION
                        ? seconds((Duration) value).toPlainString()
                        : Values.text(value));
    }

    /** To the microsecond, which is what PostgreSQL knows. */
    static BigDecimal seconds(Duration duration) {
        return BigDecimal.valueOf(duration.toNanos() / 1000, MICROS);
    }
}
