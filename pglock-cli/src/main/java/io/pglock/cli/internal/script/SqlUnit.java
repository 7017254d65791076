// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.script;

import io.pglock.LockPolicy;
import io.pglock.cli.internal.Stop;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Statements that take effect together, and are tried again together. Immutable. Not API.
 *
 * @param kind what makes them one
 * @param name as messages call it
 * @param statements at least one
 * @param overrides the settings that the files give it
 */
public record SqlUnit(Kind kind, String name, List<SqlStatement> statements, Map<String, String> overrides) {

    /** What makes the statements one. */
    public enum Kind {
        /** There is one, in autocommit. */
        STATEMENT,
        /** They begin with BEGIN and end with COMMIT. */
        TRANSACTION,
        /** The command line says so. */
        SINGLE
    }

    /** The first one. */
    public SqlStatement first() {
        return statements.get(0);
    }

    /** The last one. */
    public SqlStatement last() {
        return statements.get(statements.size() - 1);
    }

    /** Whether it ends in undoing what it has done: nothing of it is there afterwards. */
    public boolean isUndone() {
        return last().undoesTransaction();
    }

    /** Whether nothing of it is there before this statement has run, and all of it afterwards. */
    boolean isCommittedBy(SqlStatement statement) {
        return kind != Kind.SINGLE && !isUndone() && statement.equals(last());
    }

    /** Of each file: every statement by itself, and from each BEGIN to its COMMIT all together. */
    public static List<SqlUnit> ofFile(List<SqlStatement> statements) {
        List<SqlUnit> units = new ArrayList<>();
        List<SqlStatement> open = new ArrayList<>();
        for (SqlStatement statement : statements) {
            checkOrder(statement, open);
            open.add(statement);
            if (open.size() == 1 ? !statement.beginsTransaction() : statement.endsTransaction()) {
                units.add(of(open.size() == 1 ? Kind.STATEMENT : Kind.TRANSACTION, open, statements.get(0)));
                open = new ArrayList<>();
            }
        }
        if (!open.isEmpty()) {
            throw stop(open.get(0), "this transaction is not ended in the file; write COMMIT");
        }
        return units;
    }

    private static void checkOrder(SqlStatement statement, List<SqlStatement> open) {
        if (statement.chains()) {
            throw stop(
                    statement,
                    "AND CHAIN makes two transactions of which one cannot be tried again alone; write COMMIT; BEGIN");
        }
        if (open.isEmpty()) {
            if (statement.endsTransaction() || statement.isSavepoint()) {
                throw stop(statement, "there is no BEGIN before this " + upper(statement));
            }
        } else {
            if (statement.beginsTransaction()) {
                throw stop(
                        statement,
                        "the transaction of line " + open.get(0).line() + " is not ended; write COMMIT before");
            }
            if (!statement.settings().isEmpty()) {
                throw stop(statement, "in a transaction the comment \"-- pglock:\" stands above its BEGIN");
            }
        }
    }

    private static SqlUnit of(Kind kind, List<SqlStatement> statements, SqlStatement firstOfFile) {
        SqlStatement first = statements.get(0);
        Map<String, String> overrides = new LinkedHashMap<>(overrides(firstOfFile));
        overrides.putAll(overrides(first));
        int last = statements.get(statements.size() - 1).line();
        String name = first.place() + (kind == Kind.TRANSACTION ? "-" + last : "");
        return new SqlUnit(kind, name, List.copyOf(statements), overrides);
    }

    /** All that there is, in one transaction. */
    public static SqlUnit single(List<SqlStatement> statements, List<String> files) {
        statements.stream()
                .filter(statement -> statement.beginsTransaction() || statement.endsTransaction())
                .findFirst()
                .ifPresent(statement -> {
                    throw stop(
                            statement,
                            "with -1 all is one transaction already; leave out -1, or this " + upper(statement));
                });
        statements.stream()
                .skip(1)
                .filter(statement -> !statement.settings().isEmpty())
                .findFirst()
                .ifPresent(statement -> {
                    throw stop(statement, "with -1 the comment \"-- pglock:\" stands above the first statement of all");
                });
        return new SqlUnit(
                Kind.SINGLE, String.join(", ", files), List.copyOf(statements), overrides(statements.get(0)));
    }

    private static Map<String, String> overrides(SqlStatement statement) {
        try {
            return statement.overrides();
        } catch (IllegalArgumentException e) {
            throw stop(statement, String.valueOf(e.getMessage()).replaceFirst("^pglock: ", ""));
        }
    }

    /**
     * What counts for it.
     *
     * @param others what counts for those that say nothing
     * @throws Stop when the settings in the file are not in the right form
     */
    public LockPolicy policy(LockPolicy others) {
        try {
            return others.with(overrides);
        } catch (IllegalArgumentException e) {
            throw stop(first(), String.valueOf(e.getMessage()).replaceFirst("^pglock: ", ""));
        }
    }

    private static String upper(SqlStatement statement) {
        return statement.words().get(0).toUpperCase(Locale.ROOT);
    }

    private static Stop stop(SqlStatement statement, String why) {
        return Stop.usage(statement.place() + ": " + why + ".");
    }
}
