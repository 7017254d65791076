// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * What pglock needs to know of a statement before it runs. Not API.
 *
 * @see <a href="https://www.postgresql.org/docs/current/sql-syntax-lexical.html">Lexical Structure</a>
 */
public final class Statements {

    /** A name as a regular expression, quoted or not. */
    static final String NAME = "(?:\"(?:[^\"]++|\"\")++\"|[A-Za-z_\\x{80}-\\x{10ffff}][\\w$\\x{80}-\\x{10ffff}]*+)";

    /** One with or without its schema. */
    static final String QUALIFIED_NAME = NAME + "(?:\\s*\\.\\s*" + NAME + "){0,2}";

    private static final Pattern CONCURRENTLY = Pattern.compile("\\bconcurrently\\b", Pattern.CASE_INSENSITIVE);

    private static final Pattern BUILDS = Pattern.compile(
            "^\\s*(?:create\\s+(?:unique\\s+)?index\\s+concurrently|reindex\\b.*\\bconcurrently)\\b",
            Pattern.CASE_INSENSITIVE | Pattern.DOTALL);

    private static final Pattern DETACHES = Pattern.compile(
            "^\\s*alter\\s+table\\b.*\\bdetach\\s+partition\\b.*\\bconcurrently\\b",
            Pattern.CASE_INSENSITIVE | Pattern.DOTALL);

    private static final Pattern ATOMIC = Pattern.compile("\\bbegin\\s+atomic\\b", Pattern.CASE_INSENSITIVE);

    /** Nothing of a command can follow its body of {@code BEGIN ATOMIC}. */
    private static final Pattern ENDS = Pattern.compile("\\bend[;\\s]*$", Pattern.CASE_INSENSITIVE);

    private Statements() {}

    /** {@code CREATE INDEX CONCURRENTLY}, {@code REINDEX ... CONCURRENTLY}, {@code DETACH PARTITION ... CONCURRENTLY} and so on. */
    public static boolean concurrently(String sql) {
        return isSaid(CONCURRENTLY, sql);
    }

    /** Builds or rebuilds an index so, whatever it names. */
    public static boolean buildsConcurrently(String sql) {
        return concurrently(sql) && BUILDS.matcher(said(sql, false)).find();
    }

    /** In two transactions: when the second one fails, the partition is "pending detach", and only {@code FINALIZE} goes on. */
    public static boolean detachesConcurrently(String sql) {
        return concurrently(sql) && DETACHES.matcher(said(sql, false)).find();
    }

    /**
     * Cut at the semicolons that stand in no quotes and no comments, which may leave blank parts. What a body of {@code BEGIN
     * ATOMIC} stands in is not cut, nor what follows that.
     */
    public static List<String> parts(String sql) {
        if (sql.indexOf(';') < 0) {
            return List.of(sql);
        }
        List<String> parts = new ArrayList<>();
        int begin = 0;
        int at = 0;
        while (at < sql.length()) {
            int end = Math.max(endOfComment(sql, at), endOfQuoted(sql, at));
            if (end == at && sql.charAt(at) == ';') {
                String part = sql.substring(begin, at);
                if (isSaid(ATOMIC, part)) {
                    break;
                }
                parts.add(part);
                begin = at + 1;
            }
            at = Math.max(end, at + 1);
        }
        parts.add(sql.substring(begin));
        return parts;
    }

    /** Whether it is more than one command; also where that cannot be told, for more may follow a body of {@code BEGIN ATOMIC}. */
    public static boolean isSeveral(String sql) {
        return parts(sql).stream()
                                .filter(part -> !withoutComments(part).isBlank())
                                .count()
                        > 1
                || isSaid(ATOMIC, sql) && !ENDS.matcher(said(sql, false)).find();
    }

    private static boolean isSaid(Pattern words, String sql) {
        return words.matcher(sql).find() && words.matcher(said(sql, false)).find();
    }

    /** Without the comments that lead a statement or stand in it. */
    static String withoutComments(String sql) {
        return said(sql, true);
    }

    /** A space for each comment and, unless it is to be kept, for each text, quoted name and dollar-quoted body. */
    private static String said(String sql, boolean quoted) {
        StringBuilder said = new StringBuilder();
        int at = 0;
        while (at < sql.length()) {
            int end = endOfComment(sql, at);
            boolean keep = end == at;
            if (keep) {
                end = endOfQuoted(sql, at);
                keep = quoted || end == at;
            }
            said.append(keep ? sql.substring(at, Math.max(end, at + 1)) : " ");
            at = Math.max(end, at + 1);
        }
        return said.toString();
    }

    /** {@code at} where none begins there; those in slashes nest, and where one does not end it is none. */
    public static int endOfComment(String sql, int at) {
        if (sql.startsWith("--", at)) {
            int end = sql.indexOf('\n', at);
            return end < 0 ? sql.length() : end;
        }
        if (!sql.startsWith("/*", at)) {
            return at;
        }
        int depth = 0;
        int end = at;
        while (end < sql.length()) {
            if (sql.startsWith("/*", end)) {
                depth++;
                end += 2;
            } else if (sql.startsWith("*/", end)) {
                depth--;
                end += 2;
                if (depth == 0) {
                    return end;
                }
            } else {
                end++;
            }
        }
        return at;
    }

    /** {@code at} where nothing quoted begins there; what is never closed reaches to the end. */
    private static int endOfQuoted(String sql, int at) {
        return switch (sql.charAt(at)) {
            case '"' -> endOf(sql, '"', false, at);
            case '\'' -> endOf(sql, '\'', isEscaping(sql, at), at);
            case '$' -> endOfDollarQuoted(sql, at);
            default -> at;
        };
    }

    private static int endOf(String sql, char quote, boolean escaping, int begin) {
        int at = begin + 1;
        while (at < sql.length()) {
            char c = sql.charAt(at);
            if (escaping && c == '\\') {
                at++;
            } else if (c == quote) {
                if (at + 1 == sql.length() || sql.charAt(at + 1) != quote) {
                    return at + 1;
                }
                at++;
            }
            at++;
        }
        return sql.length();
    }

    /** {@code E'it\'s'} */
    private static boolean isEscaping(String sql, int quote) {
        return quote > 0
                && Character.toLowerCase(sql.charAt(quote - 1)) == 'e'
                && (quote == 1 || !Character.isJavaIdentifierPart(sql.charAt(quote - 2)));
    }

    private static int endOfDollarQuoted(String sql, int begin) {
        if (begin > 0 && Character.isJavaIdentifierPart(sql.charAt(begin - 1))) {
            return begin; // a part of a name
        }
        int tagEnd = begin + 1;
        while (tagEnd < sql.length()
                && sql.charAt(tagEnd) != '$'
                && Character.isJavaIdentifierPart(sql.charAt(tagEnd))) {
            tagEnd++;
        }
        if (tagEnd == sql.length()
                || sql.charAt(tagEnd) != '$'
                || tagEnd > begin + 1 && Character.isDigit(sql.charAt(begin + 1))) {
            return begin;
        }
        String tag = sql.substring(begin, tagEnd + 1);
        int end = sql.indexOf(tag, tagEnd + 1);
        return end < 0 ? sql.length() : end + tag.length();
    }
}
