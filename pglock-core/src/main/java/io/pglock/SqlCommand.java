// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import io.pglock.internal.Statements;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * What an SQL command is, as far as that decides whether it can be run again, and by whom: for hosts of a {@link LockGuard}
 * that see the statements of their scripts. Told by its first words, as PostgreSQL's grammar has them. Immutable, thread-safe.
 *
 * {@snippet :
 * if (SqlCommand.of(sql).isAtomic()) {
 *     guard.run(() -> statement.execute(sql), LockGuard.Undo.NOTHING);
 * }
 * }
 *
 * @param sql as it would be run
 * @param words its first words, in lower case, without comments
 * @see <a href="https://www.postgresql.org/docs/current/sql-commands.html">SQL Commands</a>
 */
public record SqlCommand(String sql, String words) {

    /** What is no word of a command: strings, quoted names and comments. */
    private static final Pattern NO_WORDS =
            Pattern.compile("'[^']*+'|\"[^\"]*+\"|--[^\\n]*+|/\\*.*?\\*/", Pattern.DOTALL);

    private static final Pattern TO_STDIN = Pattern.compile("\\bfrom\\s+stdin\\b", Pattern.CASE_INSENSITIVE);
    private static final Pattern RETURNING = Pattern.compile("\\breturning\\b", Pattern.CASE_INSENSITIVE);
    private static final Pattern SESSION_LOCK =
            Pattern.compile("\\bpg_(?:try_)?advisory_lock(?:_shared)?\\s*\\(", Pattern.CASE_INSENSITIVE);
    private static final Pattern BEGINS_A_KIND = Pattern.compile(
            "(begin( work| transaction)?|start transaction) (isolation level|read (only|write)|(not )?deferrable)\\b.*",
            Pattern.DOTALL);
    private static final int ENOUGH = 200;

    private static final Set<String> TRANSACTION =
            Set.of("begin", "start", "commit", "end", "rollback", "abort", "savepoint", "release", "prepare");

    private static final Set<String> QUERY =
            Set.of("select", "with", "values", "table", "show", "explain", "fetch", "execute");

    private static final Set<String> WRITE = Set.of("insert", "update", "delete", "merge");

    /** What commits half-way, or not at all: outside a transaction it cannot be said to have had no effect when it failed. */
    private static final Set<String> NOT_ATOMIC =
            Set.of("call", "do", "copy", "execute", "create database", "drop database");

    /** Reads its first words. */
    public static SqlCommand of(String sql) {
        String bare = sql.substring(leadingComments(sql).length());
        String head = bare.substring(0, Math.min(bare.length(), ENOUGH));
        return new SqlCommand(
                sql, head.toLowerCase(Locale.ROOT).replaceAll("\\s+", " ").strip());
    }

    /** Everything up to the first thing that is neither a blank nor a comment. */
    public static String leadingComments(String sql) {
        int at = 0;
        for (int next = afterBlankOrComment(sql, at); next > at; next = afterBlankOrComment(sql, at)) {
            at = next;
        }
        return sql.substring(0, at);
    }

    private static int afterBlankOrComment(String sql, int at) {
        int end = Statements.endOfComment(sql, at);
        if (end > at) {
            return end;
        }
        return at < sql.length() && Character.isWhitespace(sql.charAt(at)) ? at + 1 : at;
    }

    private String first() {
        return words.split("[^a-z]", 2)[0];
    }

    private boolean begins(Set<String> with) {
        return with.contains(first())
                || with.stream().anyMatch(begin -> begin.contains(" ") && words.startsWith(begin));
    }

    /** Begins, ends or divides the transaction that the host began, or says what kind of transaction it is. */
    public boolean controlsTransaction() {
        return begins(TRANSACTION) && !isPreparedStatement() || describesTransaction();
    }

    /**
     * Says what kind of transaction it is, also where it begins it: PostgreSQL takes that only before the first query of one, and
     * not in a savepoint.
     */
    public boolean describesTransaction() {
        return words.startsWith("set transaction")
                || words.startsWith("set session characteristics")
                || BEGINS_A_KIND.matcher(words).matches();
    }

    /** {@code PREPARE name AS ...}, not {@code PREPARE TRANSACTION}. */
    private boolean isPreparedStatement() {
        return words.startsWith("prepare ") && !words.startsWith("prepare transaction");
    }

    /**
     * Leaves in the session what undoing the transaction leaves there: an advisory lock of the session, which others may wait for
     * and which it would have twice when it was run again, or a prepared statement, whose name is taken then.
     */
    public boolean outlivesTransaction() {
        return isPreparedStatement()
                || SESSION_LOCK.matcher(withoutStrings(sql)).find();
    }

    /** Its data comes from the script, and is not there any more to be sent again. */
    public boolean readsTheScript() {
        return first().equals("copy") && TO_STDIN.matcher(withoutStrings(sql)).find();
    }

    private static String withoutStrings(String sql) {
        return NO_WORDS.matcher(sql).replaceAll(" ");
    }

    /** Has rows that a host may print. */
    public boolean returnsRows() {
        return begins(QUERY) || begins(WRITE) && RETURNING.matcher(sql).find();
    }

    /**
     * Outside a transaction it has either done all of its work or none, or, as VACUUM, nothing that is harmed by doing it again. Not
     * where several commands stand in one text, which may commit in between.
     */
    public boolean isAtomic() {
        return !begins(NOT_ATOMIC)
                && !controlsTransaction()
                && !Statements.detachesConcurrently(sql)
                && !Statements.isSeveral(sql);
    }

    /**
     * Builds or rebuilds an index in steps, each in a transaction of its own; what that leaves behind can be dropped. It does nothing
     * else: not where several commands stand in one text.
     */
    public boolean buildsConcurrently() {
        return Statements.buildsConcurrently(sql) && !Statements.isSeveral(sql);
    }
}
