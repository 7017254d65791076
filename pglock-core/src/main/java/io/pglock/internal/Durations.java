// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Durations as pglock's settings spell them: {@code 500ms}, {@code 5s}, {@code 2m}, {@code 1h}, {@code PT2S}. Not API. */
public final class Durations {

    private static final Pattern SPELLING = Pattern.compile("(\\d{1,18})(ms|s|m|h)");
    private static final Pattern SETTING = Pattern.compile("(\\d{1,10})(ms|s|min|h|d|)");
    private static final Pattern NUMBER = Pattern.compile("\\d{1,18}");

    private Durations() {}

    /**
     * @param orNone whether {@code none} is a right form, to be offered in the message; the caller has dealt with it
     * @throws IllegalArgumentException that names the right form
     */
    public static Duration parse(String text, boolean orNone) {
        Matcher matcher = SPELLING.matcher(text);
        if (matcher.matches()) {
            try {
                return duration(Long.parseLong(matcher.group(1)), matcher.group(2));
            } catch (ArithmeticException e) {
                throw new IllegalArgumentException("is too long", e);
            }
        }
        if (NUMBER.matcher(text).matches()) {
            throw new IllegalArgumentException("a bare number has no unit; write " + text + "s or " + text + "ms");
        }
        if (text.startsWith("P") || text.startsWith("-P")) {
            try {
                return Duration.parse(text);
            } catch (DateTimeParseException e) {
                throw new IllegalArgumentException("is not an ISO-8601 duration such as PT2S or PT1M30S", e);
            }
        }
        throw new IllegalArgumentException(
                "is not a duration; write 500ms, 5s, 2m, 1h or PT2S" + (orNone ? ", or none" : ""));
    }

    /** A timeout as {@code SHOW} spells it: {@code 100ms}, {@code 2s}, {@code 1min}, {@code 3h}, {@code 7d}; {@code 0} for none. */
    static Duration ofSetting(String shown) {
        Matcher matcher = SETTING.matcher(shown);
        if (!matcher.matches()) {
            throw new IllegalArgumentException("Not a timeout of PostgreSQL: " + shown);
        }
        long amount = Long.parseLong(matcher.group(1));
        return switch (matcher.group(2)) {
            case "" -> Duration.ofMillis(amount);
            case "min" -> Duration.ofMinutes(amount);
            case "d" -> Duration.ofDays(amount);
            default -> duration(amount, matcher.group(2));
        };
    }

    private static Duration duration(long amount, String unit) {
        return switch (unit) {
            case "ms" -> Duration.ofMillis(amount);
            case "s" -> Duration.ofSeconds(amount);
            case "m" -> Duration.ofMinutes(amount);
            default -> Duration.ofHours(amount);
        };
    }

    /** The shorter one of the two. */
    public static Duration shorter(Duration a, Duration b) {
        return a.compareTo(b) < 0 ? a : b;
    }

    /** The longer one of the two. */
    static Duration longer(Duration a, Duration b) {
        return a.compareTo(b) > 0 ? a : b;
    }

    /** The shortest spelling that says it exactly; what {@link #parse} reads back. */
    public static String text(Duration duration) {
        if (duration.isZero()) {
            return "0s";
        }
        if (duration.isNegative() || duration.getNano() % 1_000_000 != 0) {
            return duration.toString();
        }
        if (duration.getNano() != 0) {
            return duration.toMillis() + "ms";
        }
        long seconds = duration.getSeconds();
        if (seconds % 60 != 0) {
            return seconds + "s";
        }
        return seconds % 3600 == 0 ? seconds / 3600 + "h" : seconds / 60 + "m";
    }
}
