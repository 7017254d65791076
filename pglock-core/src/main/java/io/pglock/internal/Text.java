// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import java.time.Duration;

/** How pglock writes things for people. Not API. */
public final class Text {

    private static final long SECONDS_SHOWN_EXACTLY = 10;

    private Text() {}

    /** A duration as pglock's settings spell it: {@code 500ms}, {@code 2s}, {@code 1m 30s}, {@code 3h}. */
    public static String age(Duration duration) {
        if (duration.isNegative()) {
            return "0ms";
        }
        long seconds = duration.toSeconds();
        int millis = duration.toMillisPart();
        if (seconds == 0) {
            return millis + "ms";
        }
        if (seconds < SECONDS_SHOWN_EXACTLY && millis >= 100) {
            return seconds + "." + millis / 100 + "s";
        }
        if (seconds < 60) {
            return seconds + "s";
        }
        long minutes = seconds / 60;
        if (minutes < 60) {
            return minutes + "m" + rest(seconds % 60, "s");
        }
        long hours = minutes / 60;
        return hours < 48 ? hours + "h" + rest(minutes % 60, "m") : hours / 24 + "d" + rest(hours % 24, "h");
    }

    private static String rest(long amount, String unit) {
        return amount == 0 ? "" : " " + amount + unit;
    }

    /** One line, at most {@code length} characters, with an ellipsis where something was cut. */
    public static String shorten(String text, int length) {
        String line = printable(text).strip();
        if (line.length() <= length) {
            return line;
        }
        int end = Character.isHighSurrogate(line.charAt(length - 4)) ? length - 4 : length - 3;
        return line.substring(0, end).stripTrailing() + "...";
    }

    /** On one line, with a {@code ?} for what a terminal would take for a command: somebody else may have chosen it. */
    public static String printable(String text) {
        return text.replaceAll("\\s+", " ").replaceAll("\\p{Cc}", "?");
    }

    /** To go on with in the same sentence. */
    static String withoutStop(String sentence) {
        return sentence.endsWith(".") ? sentence.substring(0, sentence.length() - 1) : sentence;
    }

    /** A string as an SQL literal, also where {@code standard_conforming_strings} is off. */
    public static String literal(String text) {
        String quoted = "'" + text.replace("'", "''").replace("\\", "\\\\") + "'";
        return text.indexOf('\\') < 0 ? quoted : "E" + quoted;
    }

    /** A name as an SQL identifier, always quoted. */
    public static String identifier(String name) {
        return "\"" + name.replace("\"", "\"\"") + "\"";
    }
}
