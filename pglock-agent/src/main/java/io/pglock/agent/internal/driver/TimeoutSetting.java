// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal.driver;

import io.pglock.agent.internal.Scope;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.postgresql.core.BaseConnection;

/**
 * One timeout of one session: what has been set for the session and for its transaction, and what was there before. A
 * statement goes out only where what is wanted is not in force. Under the lock of its {@link Session}.
 */
final class TimeoutSetting {

    private static final Pattern SHOWN = Pattern.compile("(\\d+)(ms|s|min|h|d)?");

    private static final Map<String, Long> MILLIS =
            Map.of("ms", 1L, "s", 1_000L, "min", 60_000L, "h", 3_600_000L, "d", 86_400_000L);

    /** What was set, and what was in force before. */
    record Change(long ours, long before) {}

    /** What the application has set in the transaction that is open. */
    private enum Own {
        NOTHING,
        LOCAL,
        /** What lasts if that transaction commits. */
        SESSION
    }

    private final String name;
    private final Pattern word;
    private final PutBack putBack = new PutBack();
    private Optional<Change> ofSession = Optional.empty();
    private Optional<Change> ofTransaction = Optional.empty();
    private @Nullable Scope applications;
    private @Nullable Scope applicationsBefore;
    private Own own = Own.NOTHING;

    TimeoutSetting(String name) {
        this.name = name;
        this.word = Pattern.compile("\\b" + name + "\\b");
    }

    /** Not as a part of another name: there is deadlock_timeout as well. */
    boolean isNamedIn(String sql) {
        return sql.contains(name) && word.matcher(sql).find();
    }

    /** Whether there is something to put back that no end of a transaction does. */
    boolean isChangedForSession() {
        return ofSession.isPresent();
    }

    /** Whether there is something to put back; until its transaction ends, for a savepoint of its knows our value. */
    boolean isChanged() {
        return ofSession.isPresent() || ofTransaction.isPresent() || putBack.isInDoubt();
    }

    /**
     * The transaction has ended, and what was set for it with it.
     *
     * @param committed so that what was set for the session in it lasts
     */
    void transactionEnded(boolean committed) {
        ofTransaction = Optional.empty();
        putBack.transactionEnded();
        if (own == Own.SESSION && committed) {
            ofSession = Optional.empty();
        } else if (own != Own.NOTHING) {
            applications = applicationsBefore;
        }
        applicationsBefore = null;
        own = Own.NOTHING;
    }

    /**
     * The application sets it itself: from here on it is the application's, until the scope ends, if there is one.
     *
     * @param scope in which it does
     * @param local for the transaction only
     */
    void setByTheApplication(@Nullable Scope scope, boolean local) {
        if (own == Own.NOTHING) {
            applicationsBefore = applications;
        }
        own = local && own != Own.SESSION ? Own.LOCAL : Own.SESSION;
        applications = scope;
        ofTransaction = Optional.empty();
        putBack.mayBeBy(local);
    }

    /** The application asks for it in a scope, and may keep what it is told to put it back when it has had its own. */
    void askedByTheApplication(Scope scope) {
        if (applications == null) {
            putBack.tells(scope, inTransaction());
        }
    }

    /** By what comes, which may be in another scope than the one that the application has set it in. */
    void usedIn(@Nullable Scope innermost) {
        if (applications != null && !isAround(applications, innermost)) {
            applications = null;
        }
        putBack.usedIn(innermost);
    }

    static boolean isAround(Scope outer, @Nullable Scope innermost) {
        for (Scope scope = innermost; scope != null; scope = scope.outer()) {
            if (scope == outer) {
                return true;
            }
        }
        return false;
    }

    /** Whether what the session has may be ours again, and nobody else's any more. */
    boolean isInDoubt() {
        return putBack.isInDoubtForSession() && applications == null;
    }

    /**
     * Outside a transaction, whose own value would be shown.
     *
     * @param connection empty where what is shown would be another session's
     */
    void settle(Optional<BaseConnection> connection) throws SQLException {
        if (isInDoubt()) {
            Optional<Change> maybe = putBack.takeOfSession();
            if (connection.isPresent()
                    && showAlone(connection.get()) == maybe.orElseThrow().ours()) {
                ofSession = maybe;
            }
        }
    }

    private void settleInTransaction(Connection connection) throws SQLException {
        Optional<Change> maybe = putBack.takeOfTransaction();
        if (maybe.isPresent() && show(connection) == maybe.get().ours()) {
            ofTransaction = maybe;
        }
    }

    /** Neither by us nor, in a scope, by the application. */
    boolean isUntouched() {
        return !isChanged() && applications == null;
    }

    /** A rollback to a savepoint may have undone what was set in the transaction. */
    void lookAgain(Connection connection) throws SQLException {
        if (ofTransaction.isPresent()) {
            ofTransaction =
                    Optional.of(new Change(show(connection), ofTransaction.get().before()));
        } else if (own != Own.NOTHING
                && ofSession.isPresent()
                && show(connection) == ofSession.get().ours()) {
            own = Own.NOTHING;
            applications = applicationsBefore;
        }
    }

    /** What is known to be in force in the transaction: nothing where the application has set it. */
    private Optional<Change> inTransaction() {
        return ofTransaction.isPresent() || own != Own.NOTHING ? ofTransaction : ofSession;
    }

    /** For the transaction that is open, or that the next statement begins. */
    void forTransaction(Connection connection, Optional<Long> wanted) throws SQLException {
        if (applications == null) {
            settleInTransaction(connection);
        }
        Optional<Long> inForce = inTransaction().map(Change::ours);
        Optional<Long> before = inTransaction().map(Change::before);
        Optional<Long> target = wanted.or(() -> before);
        if (applications != null || target.isEmpty() || target.equals(inForce)) {
            return;
        }
        ofTransaction = Optional.of(change(connection, Sql.setLocal(name, target.get()), target.get(), before));
    }

    /** For the session, outside a transaction. */
    void forSession(BaseConnection connection, Optional<Long> wanted) throws SQLException {
        Optional<Long> before = ofSession.map(Change::before);
        Optional<Long> target = wanted.or(() -> before);
        if (applications != null || target.isEmpty() || target.equals(ofSession.map(Change::ours))) {
            return;
        }
        String set = Sql.set(name, target.get());
        Change change;
        if (before.isPresent()) {
            connection.execSQLUpdate(set); // begins no transaction, and asks nobody about autocommit
            change = new Change(target.get(), before.get());
        } else {
            change = change(connection, set, target.get(), before);
        }
        ofSession = change.ours() == change.before() ? Optional.empty() : Optional.of(change);
    }

    /** One round trip. */
    private Change change(Connection connection, String set, long target, Optional<Long> before) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            if (before.isPresent()) {
                statement.execute(set);
                return new Change(target, before.get());
            }
            statement.execute(Sql.show(name) + "; " + set);
            return new Change(target, shown(statement));
        }
    }

    private long show(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(Sql.show(name));
            return shown(statement);
        }
    }

    /** Without beginning a transaction. */
    private long showAlone(BaseConnection connection) throws SQLException {
        try (ResultSet row = connection.execSQLQuery(Sql.show(name));
                Statement statement = row.getStatement()) {
            row.next();
            return millis(row.getString(1));
        }
    }

    private long shown(Statement statement) throws SQLException {
        try (ResultSet row = statement.getResultSet()) {
            row.next();
            return millis(row.getString(1));
        }
    }

    /** PostgreSQL shows it in the largest unit that fits. */
    static long millis(String shown) {
        Matcher parts = SHOWN.matcher(shown);
        if (!parts.matches()) {
            throw new IllegalArgumentException("PostgreSQL shows a timeout of " + shown);
        }
        String unit = parts.group(2) == null ? "ms" : parts.group(2);
        return Long.parseLong(parts.group(1)) * MILLIS.getOrDefault(unit, 1L);
    }
}
