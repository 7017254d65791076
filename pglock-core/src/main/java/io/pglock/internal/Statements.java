// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import java.util.Locale;
import java.util.regex.Pattern;

/** What pglock needs to know of a statement before it runs. Not API. */
public final class Statements {

    private static final String WORD = "concurrently";

    /** Comments, texts, quoted names and dollar-quoted bodies: what a word in them says is not said by the statement. */
    private static final Pattern NOT_SAID = Pattern.compile(
            "--[^\\n]*+|/\\*.*?\\*/|'(?:[^']|'')*+'|\"(?:[^\"]|\"\")*+\"|\\$(\\w*+)\\$.*?\\$\\1\\$", Pattern.DOTALL);

    private static final Pattern CONCURRENTLY = Pattern.compile("\\b" + WORD + "\\b");

    private Statements() {}

    private static final Pattern COMMENT = Pattern.compile("--[^\\n]*+|/\\*.*?\\*/", Pattern.DOTALL);

    /** Without the comments that lead a statement or stand in it; a text that looks like one is lost too. */
    static String withoutComments(String sql) {
        return COMMENT.matcher(sql).replaceAll(" ");
    }

    /** {@code CREATE INDEX CONCURRENTLY}, {@code REINDEX ... CONCURRENTLY}, {@code DETACH PARTITION ... CONCURRENTLY} and so on. */
    public static boolean concurrently(String sql) {
        String lower = sql.toLowerCase(Locale.ROOT);
        return lower.contains(WORD)
                && CONCURRENTLY.matcher(NOT_SAID.matcher(lower).replaceAll(" ")).find();
    }
}
