// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.script;

import io.pglock.LockPolicy;
import io.pglock.SqlCommand;
import io.pglock.internal.Text;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * One statement of a file. Immutable. Not API.
 *
 * @param file as it was named
 * @param line where it begins, from 1
 * @param sql from its first word to its end, without the semicolon
 * @param words its first words, in lower case; what is quoted, and comments, are none
 * @param settings what the {@code -- pglock:} lines above it say
 */
public record SqlStatement(String file, int line, String sql, List<String> words, List<String> settings) {

    private static final int SHOWN = 60;

    /** {@code orders.sql:12}. */
    public String place() {
        return file + ":" + line;
    }

    /** Its beginning, in one line. */
    public String title() {
        return Text.shorten(sql, SHOWN);
    }

    /** What kind of statement it is. */
    public SqlCommand command() {
        return new SqlCommand(sql, String.join(" ", words));
    }

    /** Whether its first words are these. */
    public boolean begins(String... with) {
        return words.size() >= with.length && words.subList(0, with.length).equals(List.of(with));
    }

    /** Whether these words follow each other somewhere in it. */
    boolean says(String first, String second) {
        for (int i = 0; i + 1 < words.size(); i++) {
            if (words.get(i).equals(first) && words.get(i + 1).equals(second)) {
                return true;
            }
        }
        return false;
    }

    /** Begins a transaction. */
    public boolean beginsTransaction() {
        return begins("begin") || begins("start", "transaction");
    }

    /** Ends a transaction, one way or the other. */
    public boolean endsTransaction() {
        boolean ends = begins("commit") || begins("end") || begins("rollback") || begins("abort");
        return ends && !isSavepoint() && !says("commit", "prepared") && !says("rollback", "prepared")
                || begins("prepare", "transaction");
    }

    /** Ends a transaction in such a way that nothing of it is there afterwards. */
    boolean undoesTransaction() {
        return endsTransaction() && (begins("rollback") || begins("abort"));
    }

    /** Needs a transaction around it. */
    boolean isSavepoint() {
        return begins("savepoint") || begins("release") || begins("rollback") && words.contains("to");
    }

    /** The name of the savepoint that it {@linkplain #isSavepoint is about}. */
    String savepoint() {
        if (!sql.endsWith("\"")) {
            return words.get(words.size() - 1);
        }
        int opening = sql.length() - 2;
        while (sql.charAt(opening) != '"' || sql.charAt(opening - 1) == '"') {
            opening -= sql.charAt(opening) == '"' ? 2 : 1; // two of them are one within the name
        }
        return sql.substring(opening + 1, sql.length() - 1);
    }

    /** Ends a transaction and begins the next in one. */
    boolean chains() {
        return endsTransaction() && says("and", "chain");
    }

    /** Where in the file a character of it is, the first being 1; a server's errors count so. */
    int lineOf(int position) {
        int end = sql.offsetByCodePoints(0, Math.min(position - 1, sql.codePointCount(0, sql.length())));
        return line + (int) sql.substring(0, end).chars().filter(c -> c == '\n').count();
    }

    /**
     * The settings of pglock that the lines above it give.
     *
     * @throws IllegalArgumentException when they are not understood
     */
    public Map<String, String> overrides() {
        Map<String, String> overrides = new LinkedHashMap<>();
        settings.forEach(line -> overrides.putAll(LockPolicy.settings(line)));
        return overrides;
    }
}
