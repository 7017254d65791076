// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.view;

import org.jline.utils.WCWidth;

/** How many columns of a terminal a text takes: most characters take one, East Asian ones and emoji two. Stateless. Not API. */
public final class Width {

    /** Below this every character takes one, and JLine need not be loaded. */
    private static final int FIRST_OTHER = 0x300;

    private Width() {}

    /** Of a text of one line without control characters. */
    public static int of(String text) {
        return text.chars().allMatch(c -> c < FIRST_OTHER)
                ? text.length()
                : text.codePoints().map(Width::of).sum();
    }

    private static int of(int codePoint) {
        return codePoint < FIRST_OTHER ? 1 : Math.max(0, WCWidth.wcwidth(codePoint));
    }

    /** As much of its beginning as these columns have room for. */
    static String cut(String text, int columns) {
        int end = 0;
        for (int left = columns; end < text.length(); end += Character.charCount(text.codePointAt(end))) {
            left -= of(text.codePointAt(end));
            if (left < 0) {
                break;
            }
        }
        return text.substring(0, end);
    }

    /** It, and blanks up to that many columns; as it is where it is wider. */
    static String padded(String text, int columns) {
        return text + " ".repeat(Math.max(0, columns - of(text)));
    }
}
