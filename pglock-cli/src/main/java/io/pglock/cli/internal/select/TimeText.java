// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.select;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.time.format.DateTimeParseException;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Durations and instants as people write them. Stateless. Not API. */
public final class TimeText {

    private static final Pattern PART = Pattern.compile("(\\d{1,9}(?:\\.\\d{1,9})?)\\s*([a-zµ]+)[\\s,]*");
    private static final Pattern CLOCK = Pattern.compile(
            "(?:(\\d{1,9})\\s*(?:d|days?)?,?\\s+)?(\\d{1,9}):([0-5]?\\d)(?::([0-5]?\\d(?:\\.\\d{1,9})?))?");
    private static final Pattern NUMBER = Pattern.compile("\\d+(?:\\.\\d+)?");

    private static final Map<String, Duration> UNITS = Map.ofEntries(
            Map.entry("us", Duration.ofNanos(1000)),
            Map.entry("µs", Duration.ofNanos(1000)),
            Map.entry("microsecond", Duration.ofNanos(1000)),
            Map.entry("ms", Duration.ofMillis(1)),
            Map.entry("millisecond", Duration.ofMillis(1)),
            Map.entry("s", Duration.ofSeconds(1)),
            Map.entry("sec", Duration.ofSeconds(1)),
            Map.entry("second", Duration.ofSeconds(1)),
            Map.entry("m", Duration.ofMinutes(1)),
            Map.entry("min", Duration.ofMinutes(1)),
            Map.entry("minute", Duration.ofMinutes(1)),
            Map.entry("h", Duration.ofHours(1)),
            Map.entry("hour", Duration.ofHours(1)),
            Map.entry("d", Duration.ofDays(1)),
            Map.entry("day", Duration.ofDays(1)),
            Map.entry("w", Duration.ofDays(7)),
            Map.entry("week", Duration.ofDays(7)));

    private static final DateTimeFormatter DATE_AND_TIME = new DateTimeFormatterBuilder()
            .append(DateTimeFormatter.ISO_LOCAL_DATE)
            .appendPattern("['T'][' ']")
            .append(DateTimeFormatter.ISO_LOCAL_TIME)
            .optionalStart()
            .appendOffset("+HH:mm", "Z")
            .optionalEnd()
            .optionalStart()
            .appendOffset("+HH", "Z")
            .optionalEnd()
            .toFormatter(Locale.ROOT);

    private TimeText() {}

    /**
     * {@code 30s}, {@code 1m30s}, {@code 1 minute 30 seconds}, {@code 00:01:30}, {@code 2 days 03:00}, {@code PT1M30S}.
     *
     * @throws IllegalArgumentException that says how to write it
     */
    public static Duration duration(String text) {
        String written = text.strip().toLowerCase(Locale.ROOT);
        if (NUMBER.matcher(written).matches()) {
            throw new IllegalArgumentException("has no unit; write " + written + "s or " + written + "ms");
        }
        try {
            if (written.startsWith("p")) {
                return Duration.parse(written);
            }
            Matcher clock = CLOCK.matcher(written);
            return clock.matches() ? ofClock(clock) : ofParts(written);
        } catch (DateTimeParseException | ArithmeticException e) {
            throw noDuration(e);
        }
    }

    private static Duration ofClock(Matcher clock) {
        String days = clock.group(1);
        String seconds = clock.group(4);
        return Duration.ofDays(days == null ? 0 : Long.parseLong(days))
                .plusHours(Long.parseLong(clock.group(2)))
                .plusMinutes(Long.parseLong(clock.group(3)))
                .plus(times(Duration.ofSeconds(1), seconds == null ? "0" : seconds));
    }

    private static Duration ofParts(String written) {
        Duration sum = Duration.ZERO;
        Matcher part = PART.matcher(written);
        int end = 0;
        while (part.find() && part.start() == end) {
            String unit = part.group(2);
            Duration one =
                    UNITS.get(unit.length() > 2 && unit.endsWith("s") ? unit.substring(0, unit.length() - 1) : unit);
            if (one == null) {
                throw noDuration(null);
            }
            sum = sum.plus(times(one, part.group(1)));
            end = part.end();
        }
        if (end == 0 || end < written.length()) {
            throw noDuration(null);
        }
        return sum;
    }

    private static Duration times(Duration one, String amount) {
        return Duration.ofNanos(new BigDecimal(amount)
                .multiply(BigDecimal.valueOf(one.toNanos()))
                .setScale(0, RoundingMode.HALF_UP)
                .longValueExact());
    }

    private static IllegalArgumentException noDuration(@Nullable Exception cause) {
        return new IllegalArgumentException(
                "is not a duration; write 30s, 1m30s, '1 minute 30 seconds', 00:01:30 or PT1M30S", cause);
    }

    /**
     * {@code 2026-03-01T10:30:00Z}, {@code 2026-03-01 10:30}, {@code 2026-03-01}, {@code 10:30}; without an offset, here and today.
     *
     * @throws IllegalArgumentException that says how to write it
     */
    public static Instant instant(String text) {
        String written = text.strip();
        ZoneId here = ZoneId.systemDefault();
        try {
            if (written.indexOf('-') < 0 && written.indexOf(':') > 0) {
                return LocalDate.now(here)
                        .atTime(LocalTime.parse(written))
                        .atZone(here)
                        .toInstant();
            }
            if (written.indexOf(':') < 0) {
                return LocalDate.parse(written).atStartOfDay(here).toInstant();
            }
            return DATE_AND_TIME.parseBest(written, OffsetDateTime::from, LocalDateTime::from)
                            instanceof OffsetDateTime exact
                    ? exact.toInstant()
                    : LocalDateTime.from(DATE_AND_TIME.parse(written))
                            .atZone(here)
                            .toInstant();
        } catch (DateTimeException e) {
            throw new IllegalArgumentException(
                    "is not a point in time; write 2026-03-01T10:30:00Z, '2026-03-01 10:30' or 10:30", e);
        }
    }
}
