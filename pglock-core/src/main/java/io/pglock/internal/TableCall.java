// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import io.pglock.LockMode;
import io.pglock.LockNotSupportedException;
import io.pglock.TableName;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.stream.Collectors;
import org.postgresql.jdbc.PreferQueryMode;

/**
 * {@code LOCK TABLE} with a deadline. {@code lock_timeout} counts anew for each table and partition, so the statement's run
 * is limited as well, unless the caller limits it more strictly. As thread-safe as the connection. Not API.
 */
public final class TableCall {

    /** Lets lock_timeout, which says it better, end the wait for a single table. */
    private static final int MARGIN_MILLIS = 10;

    private final PgSession session;
    private final String what;
    private final String statement;
    private final String statementNoWait;

    public TableCall(PgSession session, List<TableName> tables, LockMode mode, boolean only) {
        this.session = session;
        this.what = tables.stream().map(TableName::toString).collect(Collectors.joining(", ")) + ": " + mode.sql()
                + " lock";
        String prefix = only ? "only " : "";
        String names = tables.stream().map(table -> prefix + table.sql()).collect(Collectors.joining(", "));
        this.statement = Sql.lockTable(names, mode);
        this.statementNoWait = Sql.noWait(statement);
    }

    public Attempt lock(Wait wait) {
        try {
            session.requireOpen(what);
            session.requireUsable(what);
            if (!session.transactional()) {
                throw new LockNotSupportedException(what
                        + ": outside a transaction it would be released at once. Begin one: setAutoCommit(false).");
            }
            requirePrimary();
            return wait.isTimed() ? timed(wait) : untimed(wait);
        } catch (SQLException e) {
            throw Failures.exception(what, e);
        }
    }

    /** What it takes to know whether it is one takes a snapshot, where that has to be asked inside a transaction. */
    private void requirePrimary() throws SQLException {
        if (session.hasFacts()
                || !session.inTransaction()
                || show(Sql.READ_ONLY).get(0).equals("on")) {
            session.requirePrimary(what);
        }
    }

    private Attempt untimed(Wait wait) throws SQLException {
        try {
            Pipeline.run(session, Sql.guarded(wait.isTry() ? statementNoWait : statement), Pipeline.NOTHING);
            return Attempt.ACQUIRED;
        } catch (SQLException e) {
            Failures.makeUpFor(e, () -> Failures.rollBackToSavepoint(session));
            return Attempt.timedOutOrThrow(e);
        }
    }

    private Attempt timed(Wait wait) throws SQLException {
        boolean deadline = wait.kind() == Wait.Kind.UP_TO;
        int deadlineMillis = deadline ? (int) Math.min(Integer.MAX_VALUE, (long) wait.millis() + MARGIN_MILLIS) : 0;
        List<String> before = show(Sql.LOCK_TABLE_BEGIN); // to go back to
        boolean limited = deadline && !isStricter(before.get(1), deadlineMillis);
        String setting = setTimeouts(wait.setting(), Integer.toString(deadlineMillis), limited);
        String restoring = setTimeouts(before.get(0), before.get(1), limited);
        String locking = statement + "; " + restoring;
        boolean apart = timerStartsPerRoundTrip();
        long start = System.nanoTime();
        try {
            // no savepoint outlives its round trip: the driver may have one of its own around each
            if (apart) {
                Pipeline.run(session, Sql.guarded(setting), Pipeline.NOTHING);
                Pipeline.run(session, Sql.guarded(locking), Pipeline.NOTHING);
            } else {
                Pipeline.run(session, Sql.guarded(setting + "; " + locking), Pipeline.NOTHING);
            }
            return Attempt.ACQUIRED;
        } catch (SQLException e) {
            Duration elapsed = Duration.ofNanos(System.nanoTime() - start);
            Failures.makeUpFor(e, () -> {
                Failures.rollBackToSavepoint(session);
                if (apart) {
                    Pipeline.run(session, Sql.guarded(restoring), Pipeline.NOTHING);
                }
            });
            if (limited && isOurDeadline(e, elapsed, deadlineMillis)) {
                return Attempt.timedOut(e);
            }
            return Attempt.timedOutOrThrow(e);
        }
    }

    private static String setTimeouts(String lockTimeout, String statementTimeout, boolean both) {
        String setting = Sql.setLocally(Sql.LOCK_TIMEOUT, lockTimeout);
        return both ? setting + "; " + Sql.setLocally(Sql.STATEMENT_TIMEOUT, statementTimeout) : setting;
    }

    private List<String> show(String settings) throws SQLException {
        try {
            return Pipeline.queryAll(session, settings, Pipeline.NOTHING, row -> row.getString(1));
        } catch (SQLException e) {
            Failures.makeUpFor(e, () -> Failures.rollBackToSavepoint(session));
            throw e;
        }
    }

    private static boolean isStricter(String statementTimeout, int deadlineMillis) {
        long millis = Durations.ofSetting(statementTimeout).toMillis();
        return millis > 0 && millis <= deadlineMillis;
    }

    /** Before PostgreSQL 11, and in the simple protocol always, statement_timeout is read once for a whole round trip. */
    private boolean timerStartsPerRoundTrip() {
        return session.majorVersion() < 11 || session.physical().getPreferQueryMode() == PreferQueryMode.SIMPLE;
    }

    /** 57014 has no code of its own for a timeout, and its message may be in any language; a cancel is never a timeout. */
    private static boolean isOurDeadline(SQLException e, Duration elapsed, int deadlineMillis) {
        String message = String.valueOf(e.getMessage());
        return SqlState.is(e, SqlState.QUERY_CANCELED)
                && !message.contains("user request")
                && (message.contains("statement timeout") || elapsed.toMillis() >= deadlineMillis);
    }
}
