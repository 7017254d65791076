// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.select;

import io.pglock.LockMode;
import io.pglock.internal.Setting;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/** The values of attributes: as a filter writes them, as they compare, as text. Stateless. Not API. */
public final class Values {

    private static final String LOCK = "lock";

    private Values() {}

    /**
     * What a filter's text means, in the form of {@link #comparable}.
     *
     * @throws IllegalArgumentException that says what is wrong with it
     */
    static Object read(Attribute attribute, String text) {
        return switch (attribute.kind()) {
            case TEXT, ID, MAP -> text;
            case WORD -> word(attribute, text);
            case MODE -> mode(text).orElseThrow(() -> notAmong(attribute, text));
            case NUMBER, PIDS -> number(text);
            case FLAG -> flag(text);
            case DURATION -> TimeText.duration(text);
            case INSTANT -> TimeText.instant(text);
        };
    }

    /** A value of an attribute in the form in which two are compared. */
    static Object comparable(Attribute attribute, Object value) {
        return attribute.kind() == Kind.WORD ? plain(String.valueOf(value)) : value;
    }

    /** A value as text that is searched, and shown where nothing better is known. */
    public static String text(Object value) {
        if (value instanceof LockMode mode) {
            return mode.sql();
        }
        if (value instanceof Map<?, ?> map) {
            return map.entrySet().stream()
                    .map(entry -> entry.getKey() + "=" + entry.getValue())
                    .collect(Collectors.joining(" "));
        }
        if (value instanceof List<?> list) {
            return list.stream().map(String::valueOf).collect(Collectors.joining(","));
        }
        return String.valueOf(value);
    }

    static boolean flag(String text) {
        return switch (text.strip().toLowerCase(Locale.ROOT)) {
            case "true", "t", "yes", "y", "on", "1" -> true;
            case "false", "f", "no", "n", "off", "0" -> false;
            default -> throw new IllegalArgumentException("is neither true nor false");
        };
    }

    private static long number(String text) {
        try {
            return Long.parseLong(text.strip());
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("is not a whole number", e);
        }
    }

    private static Object word(Attribute attribute, String text) {
        String plain = plain(text);
        if (!attribute.words().isEmpty()
                && attribute.words().stream().map(Values::plain).noneMatch(plain::equals)) {
            throw notAmong(attribute, text);
        }
        return plain;
    }

    /** A lock mode as LOCK TABLE, {@code pg_locks} or django-pglock spell it; empty when it is none. */
    public static Optional<LockMode> mode(String text) {
        String plain = plain(text);
        return Arrays.stream(LockMode.values())
                .filter(mode -> plain(mode.sql()).equals(plain) || (plain(mode.sql()) + LOCK).equals(plain))
                .findFirst();
    }

    private static IllegalArgumentException notAmong(Attribute attribute, String text) {
        return new IllegalArgumentException("is none of " + String.join(", ", attribute.words())
                + Setting.nearest(text, attribute.words())
                        .map(near -> "; did you mean " + near + "?")
                        .orElse(""));
    }

    /** {@code IDLE_IN_TRANSACTION_(ABORTED)} and {@code idle in transaction (aborted)} are the same word. */
    static String plain(String word) {
        return word.replaceAll("[-_()\\s]", "").toLowerCase(Locale.ROOT);
    }
}
