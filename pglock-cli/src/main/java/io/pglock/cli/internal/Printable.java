// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal;

import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Text that somebody else wrote, made fit for a terminal. A query or a name may hold whatever its author likes; as it is, it could
 * move the cursor of whoever looks at it, or rename his window. Not API.
 */
public final class Printable {

    private Printable() {}

    /** Control characters, and those that turn the direction of writing, become {@code ?}. */
    public static String of(String text) {
        return text.codePoints().allMatch(Printable::isHarmless)
                ? text
                : text.codePoints()
                        .map(c -> isHarmless(c) ? c : '?')
                        .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                        .toString();
    }

    /** The same for a text of several lines, whose ends and tabs are its own. */
    public static String lines(String text) {
        return text.lines()
                .map(line -> Stream.of(line.split("\t", -1)).map(Printable::of).collect(Collectors.joining("\t")))
                .collect(Collectors.joining("\n"));
    }

    private static boolean isHarmless(int codePoint) {
        return switch (Character.getType(codePoint)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR,
                    Character.SURROGATE -> false;
            default -> true;
        };
    }
}
