// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase.internal;

import io.pglock.LockKey;
import io.pglock.LockMode;
import io.pglock.LockPolicy;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import liquibase.parser.core.ParsedNode;
import org.jspecify.annotations.Nullable;

/**
 * How the attributes of pglock's change types are read. What is not right is an {@link IllegalArgumentException} that shows the
 * right form. Stateless, thread-safe. Not API.
 */
public final class Attributes {

    private static final String NO_WAIT = "nowait";
    private static final Pattern NUMBER = Pattern.compile("[+-]?\\d+");
    private static final Pattern NUMBERS = Pattern.compile("\\(?\\s*([+-]?\\d+)\\s*(?:,\\s*([+-]?\\d+)\\s*)?\\)?");

    private Attributes() {}

    /** Absent, PostgreSQL's own: {@code ACCESS EXCLUSIVE}. */
    public static LockMode mode(@Nullable String text) {
        if (text == null) {
            return LockMode.ACCESS_EXCLUSIVE;
        }
        String plain = text.strip().replaceAll("\\s+", " ");
        return Arrays.stream(LockMode.values())
                .filter(mode -> mode.sql().equalsIgnoreCase(plain))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("pglock: mode=" + text + ": is none of "
                        + Arrays.stream(LockMode.values()).map(LockMode::sql).collect(Collectors.joining(", "))));
    }

    /** As {@link LockPolicy} reads a {@code lockTimeout}, or {@code nowait}. */
    public static LockWait lockWait(@Nullable String text) {
        if (text == null) {
            return LockWait.upTo(Optional.empty());
        }
        if (text.strip().toLowerCase(Locale.ROOT).equals(NO_WAIT)) {
            return LockWait.NOT_AT_ALL;
        }
        try {
            return LockWait.upTo(LockPolicy.parse(Map.of("lockTimeout", text)).lockTimeout());
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(e.getMessage() + ". To wait not at all, write " + NO_WAIT, e);
        }
    }

    /** Exactly one of the two must be there. A name that is a number is refused: it would be another lock than that number. */
    public static LockKey key(@Nullable String name, @Nullable String numbers) {
        if (isBlank(name) == isBlank(numbers)) {
            throw new IllegalArgumentException(
                    "pglock: advisoryLock needs a key or an id" + (isBlank(name) ? "" : ", not both")
                            + "; write key=\"nightly-report\", id=\"42\" or id=\"7, 42\"");
        }
        if (name != null && !isBlank(name)) {
            if (NUMBER.matcher(name.strip()).matches()) {
                throw new IllegalArgumentException(
                        "pglock: key=" + name + ": a key is a name, which stands for another number;"
                                + " for the lock with this number, write id=\"" + name.strip() + "\"");
            }
            return LockKey.named(name);
        }
        return numbered(String.valueOf(numbers));
    }

    private static LockKey numbered(String text) {
        Matcher matcher = NUMBERS.matcher(text.strip());
        if (!matcher.matches()) {
            throw new IllegalArgumentException(
                    "pglock: id=" + text + ": is not a number; write 42, or 7, 42; a name is a key");
        }
        try {
            return matcher.group(2) == null
                    ? LockKey.of(Long.parseLong(matcher.group(1)))
                    : LockKey.of(Integer.parseInt(matcher.group(1)), Integer.parseInt(matcher.group(2)));
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(
                    "pglock: id=" + text + ": is too large; write one number of 64 bits, or two of 32", e);
        }
    }

    /** What {@code true} and {@code false} are to YAML, JSON and XML. */
    public static boolean flag(String name, @Nullable Object value) {
        String text = String.valueOf(value).strip();
        if (!text.equalsIgnoreCase("true") && !text.equalsIgnoreCase("false")) {
            throw new IllegalArgumentException("pglock: " + name + "=" + value + ": is neither true nor false");
        }
        return text.equalsIgnoreCase("true");
    }

    public static boolean isBlank(@Nullable String text) {
        return text == null || text.isBlank();
    }

    /** One message for each attribute or element that nobody will read; Liquibase compares names without regard to case. */
    public static List<String> unknown(String what, ParsedNode node, Set<String> known) {
        return node.getChildren().stream()
                .map(ParsedNode::getName)
                .filter(name -> known.stream().noneMatch(name::equalsIgnoreCase))
                .map(name -> "pglock: there is no " + name + " in " + what + ". Available are: "
                        + known.stream().sorted().collect(Collectors.joining(", ")))
                .toList();
    }
}
