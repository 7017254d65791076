// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal.driver;

import io.pglock.agent.internal.Scope;
import io.pglock.agent.internal.Timeouts;
import java.sql.SQLException;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.postgresql.core.BaseConnection;

/** Both timeouts of one session. Under the lock of its {@link Session}. */
final class TimeoutSettings {

    private static final Pattern LOCAL = Pattern.compile("\\bset\\s+local\\b");

    private final TimeoutSetting lock = new TimeoutSetting(Sql.LOCK_TIMEOUT);
    private final TimeoutSetting statement = new TimeoutSetting(Sql.STATEMENT_TIMEOUT);
    private final List<TimeoutSetting> both = List.of(statement, lock);

    /** Neither by us nor, in a scope, by the application. */
    boolean areUntouched() {
        return lock.isUntouched() && statement.isUntouched();
    }

    /** Whether there is something to put back. */
    boolean areChanged() {
        return lock.isChanged() || statement.isChanged();
    }

    /** Whether there is something to put back that no end of a transaction does. */
    boolean areChangedForSession() {
        return lock.isChangedForSession() || statement.isChangedForSession();
    }

    /** The transaction has ended, and what was set for it with it. */
    void transactionEnded(boolean committed) {
        lock.transactionEnded(committed);
        statement.transactionEnded(committed);
    }

    /** By what comes, which may be in another scope than the one that the application has set them in. */
    void usedIn(@Nullable Scope innermost) {
        lock.usedIn(innermost);
        statement.usedIn(innermost);
    }

    /** Whether one of them may be ours again by what the application has set, and nobody else's any more. */
    boolean areInDoubt() {
        return lock.isInDoubt() || statement.isInDoubt();
    }

    /**
     * Outside a transaction.
     *
     * @param open empty where what is shown would be another session's
     */
    void settle(Optional<BaseConnection> open) throws SQLException {
        lock.settle(open);
        statement.settle(open);
    }

    /** A rollback to a savepoint may have undone what was set for the transaction. */
    void lookAgain(BaseConnection open) throws SQLException {
        lock.lookAgain(open);
        statement.lookAgain(open);
    }

    /**
     * The application has run commands that may have set one of them, or asked for it.
     *
     * @param scope in which it did
     */
    void note(Commands commands, @Nullable Scope scope) {
        for (Commands.Command command : commands.each()) {
            switch (command.verb()) {
                case CONTROL -> note(command.sql().toLowerCase(Locale.ROOT), scope);
                case SHOW_TIMEOUT -> noteAsked(command.sql().toLowerCase(Locale.ROOT), scope);
                case WORK -> noteAsked(command.sql(), scope); // current_setting, pg_settings
                default -> {}
            }
        }
    }

    /** Whether these may set one of them. */
    boolean areSetBy(Commands commands) {
        return commands.each().stream()
                .filter(command -> command.verb() == Verb.CONTROL)
                .map(command -> command.sql().toLowerCase(Locale.ROOT))
                .anyMatch(lower -> both.stream().anyMatch(setting -> isSetIn(lower, setting)));
    }

    private static boolean isSetIn(String lower, TimeoutSetting setting) {
        return lower.contains("reset all") || lower.contains("discard all") || setting.isNamedIn(lower);
    }

    private void noteAsked(String sql, @Nullable Scope scope) {
        if (scope == null) {
            return;
        }
        boolean all = sql.startsWith("show all");
        for (TimeoutSetting setting : both) {
            if (all || setting.isNamedIn(sql)) {
                setting.askedByTheApplication(scope);
            }
        }
    }

    private void note(String lower, @Nullable Scope scope) {
        boolean local = LOCAL.matcher(lower).find();
        for (TimeoutSetting setting : both) {
            if (isSetIn(lower, setting)) {
                setting.setByTheApplication(scope, local);
            }
        }
    }

    /** For the transaction that is open, or that the next statement begins. */
    void forTransaction(BaseConnection open, Timeouts wanted) throws SQLException {
        statement.forTransaction(open, wanted.statementTimeout());
        lock.forTransaction(open, wanted.lockTimeout());
    }

    /** For the session, outside a transaction. */
    void forSession(BaseConnection open, Timeouts wanted) throws SQLException {
        statement.forSession(open, wanted.statementTimeout());
        lock.forSession(open, wanted.lockTimeout());
    }
}
