// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.script;

import java.util.Locale;

/**
 * How plain strings are written in a session: what {@code standard_conforming_strings} is, while its statements follow each other,
 * in however many files. Used once, by one thread.
 *
 * @see <a href="https://www.postgresql.org/docs/current/sql-set.html">SET</a>
 */
final class StringSyntax {

    private static final String SETTING = "standard_conforming_strings";

    private final boolean initially;
    private boolean session;
    private boolean now;
    private boolean inTransaction;
    private boolean beforeTransaction;

    /**
     * @param standard what the setting is where the session begins
     * @param inTransaction whether all of it is one transaction
     */
    StringSyntax(boolean standard, boolean inTransaction) {
        this.initially = standard;
        this.session = standard;
        this.now = standard;
        this.inTransaction = inTransaction;
        this.beforeTransaction = standard;
    }

    /** Whether a backslash stands for something else. */
    boolean hasEscapes() {
        return !now;
    }

    /** What is so after this one. */
    void after(SqlStatement statement) {
        if (statement.beginsTransaction()) {
            inTransaction = true;
            beforeTransaction = session;
        } else if (statement.endsTransaction()) {
            inTransaction = false;
            session = statement.undoesTransaction() ? beforeTransaction : session;
            now = session;
        } else if (statement.begins("set", "local", SETTING)) {
            now = inTransaction ? value(statement) : now;
        } else if (statement.begins("set", SETTING) || statement.begins("set", "session", SETTING)) {
            set(value(statement));
        } else if (statement.begins("reset", SETTING)
                || statement.begins("reset", "all")
                || statement.begins("discard", "all")) {
            set(initially);
        }
    }

    private void set(boolean standard) {
        session = standard;
        now = standard;
    }

    private boolean value(SqlStatement set) {
        String sql = set.sql().toLowerCase(Locale.ROOT);
        return sql.matches("(?s).*\\sdefault\\s*")
                ? initially
                : !sql.matches("(?s).*[\\s'=](off|false|no|0|f|n)'?\\s*");
    }
}
