// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import io.pglock.LockPolicy.Priority;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/** How a setting's value is written, read and bounded. Not API. */
enum Spelling {
    FLAG,
    /** A limit that may be absent: {@code none}, or a duration that PostgreSQL can count. */
    LIMIT,
    LIMIT_OR_ZERO,
    PAUSE,
    INTERVAL,
    /** A number that may be absent. */
    COUNT,
    COUNT_OR_ZERO,
    PRIORITY,
    NAMES,
    URL,
    FILE,
    TEXT,
    SECRET;

    private static final Duration SHORTEST = Duration.ofMillis(1);

    Object read(String text) {
        return switch (this) {
            case FLAG ->
                switch (text) {
                    case "true" -> true;
                    case "false" -> false;
                    default -> throw new IllegalArgumentException("is neither true nor false");
                };
            case LIMIT, LIMIT_OR_ZERO ->
                text.equals("none") ? Optional.empty() : Optional.of(bounded(Durations.parse(text, true)));
            case PAUSE, INTERVAL -> bounded(Durations.parse(text, false));
            case COUNT -> text.equals("none") ? Optional.empty() : Optional.of(count(text, 1));
            case COUNT_OR_ZERO -> text.equals("none") ? Optional.empty() : Optional.of(count(text, 0));
            case PRIORITY -> priority(text);
            case NAMES -> names(text);
            case URL -> Monitor.checkedUrl(text);
            case FILE -> text.equals("none") ? Optional.empty() : Optional.of(file(text));
            case TEXT -> nonEmpty(text);
            case SECRET -> text;
        };
    }

    String write(Object value) {
        if (value instanceof Optional<?> optional) {
            return optional.map(this::write).orElse("none");
        }
        if (value instanceof Duration duration) {
            return Durations.text(duration);
        }
        if (value instanceof Priority priority) {
            return priority.name().toLowerCase(Locale.ROOT);
        }
        if (value instanceof List<?> names) {
            return names.isEmpty()
                    ? "none"
                    : names.stream().map(String::valueOf).collect(Collectors.joining(","));
        }
        return String.valueOf(value);
    }

    private Duration bounded(Duration duration) {
        if (duration.isNegative()) {
            throw new IllegalArgumentException("a duration cannot be negative");
        }
        if (duration.compareTo(Wait.LONGEST) > 0) {
            throw new IllegalArgumentException("is longer than PostgreSQL can count (24 days)"
                    + (this == LIMIT || this == LIMIT_OR_ZERO ? "; write none for no limit" : ""));
        }
        if (this == LIMIT && duration.compareTo(SHORTEST) < 0) {
            throw new IllegalArgumentException(
                    "PostgreSQL counts in milliseconds and takes 0 for \"no limit\"; write none for that, or at least 1ms");
        }
        if (this == INTERVAL && duration.compareTo(SHORTEST) < 0) {
            throw new IllegalArgumentException("must be at least 1ms");
        }
        return duration;
    }

    private static Priority priority(String text) {
        List<String> known = Arrays.stream(Priority.values())
                .map(priority -> priority.name().toLowerCase(Locale.ROOT))
                .toList();
        int index = known.indexOf(text);
        if (index < 0) {
            throw new IllegalArgumentException("is none of " + String.join(", ", known)
                    + nearest(text, known)
                            .map(near -> ". Did you mean " + near + "?")
                            .orElse(""));
        }
        return Priority.values()[index];
    }

    private static List<String> names(String text) {
        if (text.equals("none")) {
            return List.of();
        }
        List<String> names =
                Arrays.stream(text.split(",", -1)).map(String::strip).distinct().toList();
        if (names.contains("")) {
            throw new IllegalArgumentException("an empty name; write names separated by commas, or none");
        }
        return names;
    }

    private static int count(String text, int least) {
        int count;
        try {
            count = Integer.parseInt(text);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("is not a whole number; write 1, 10 or none", e);
        }
        if (count < least) {
            throw new IllegalArgumentException("must be at least " + least + ", or none");
        }
        return count;
    }

    /** Whether it can be written shows before the work begins and not after it. */
    private static Path file(String text) {
        Path file;
        try {
            file = Path.of(nonEmpty(text)).toAbsolutePath();
        } catch (InvalidPathException e) {
            throw new IllegalArgumentException("is not the name of a file: " + e.getReason(), e);
        }
        Path folder = file.getParent();
        if (folder == null || !Files.isDirectory(folder)) {
            throw new IllegalArgumentException("its folder does not exist; create it, or write none");
        }
        if (Files.isDirectory(file) || !Files.isWritable(Files.exists(file) ? file : folder)) {
            throw new IllegalArgumentException("cannot be written; name a file that can, or none");
        }
        return file;
    }

    private static String nonEmpty(String text) {
        if (text.isEmpty()) {
            throw new IllegalArgumentException("is empty");
        }
        return text;
    }

    /** The one that is closest, where one is close at all. */
    static Optional<String> nearest(String text, List<String> known) {
        String wanted = plain(text);
        String best = "";
        int bestDistance = Math.max(1, wanted.length() / 3) + 1;
        for (String candidate : known) {
            int distance = distance(wanted, plain(candidate));
            if (distance < bestDistance) {
                bestDistance = distance;
                best = candidate;
            }
        }
        return best.isEmpty() ? Optional.empty() : Optional.of(best);
    }

    /** {@code lock-timeout}, {@code LOCK_TIMEOUT} and {@code lockTimeout} differ in nothing that matters here. */
    private static String plain(String name) {
        return name.replaceAll("[-_. ]", "").toLowerCase(Locale.ROOT);
    }

    /** Levenshtein's. */
    private static int distance(String a, String b) {
        int[] row = new int[b.length() + 1];
        Arrays.setAll(row, i -> i);
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int substituted = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(substituted, Math.min(row[j], row[j - 1]) + 1);
            }
        }
        return row[b.length()];
    }
}
