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
            session.requirePrimary(what);
            return wait.isTimed() ? timed(wait) : untimed(wait);
        } catch (SQLException e) {
            throw Failures.exception(what, e);
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
        List<String> before = begin();
        boolean limited = deadline && !isStricter(before.get(1), deadlineMillis);
        String setting = Sql.setLocally(Sql.LOCK_TIMEOUT, wait.setting());
        String restoring = Sql.setLocally(Sql.LOCK_TIMEOUT, before.get(0));
        if (limited) {
            setting += "; " + Sql.setLocally(Sql.STATEMENT_TIMEOUT, Integer.toString(deadlineMillis));
            restoring += "; " + Sql.setLocally(Sql.STATEMENT_TIMEOUT, before.get(1));
        }
        String locking = statement + "; " + restoring + "; " + Sql.RELEASE_SAVEPOINT;
        long start = System.nanoTime();
        try {
            if (timerStartsPerRoundTrip()) {
                Pipeline.run(session, setting, Pipeline.NOTHING);
                Pipeline.run(session, locking, Pipeline.NOTHING);
            } else {
                Pipeline.run(session, setting + "; " + locking, Pipeline.NOTHING);
            }
            return Attempt.ACQUIRED;
        } catch (SQLException e) {
            Duration elapsed = Duration.ofNanos(System.nanoTime() - start);
            // with autosave=always the driver has made up for the call that failed, but not for those before
            boolean halfUndone = session.inTransaction() && !session.inFailedTransaction();
            Failures.makeUpFor(e, () -> {
                if (halfUndone && !session.inFailedTransaction()) {
                    Pipeline.run(session, Sql.ROLLBACK_TO_SAVEPOINT, Pipeline.NOTHING);
                } else {
                    Failures.rollBackToSavepoint(session);
                }
            });
            if (limited && isOurDeadline(e, elapsed, deadlineMillis)) {
                return Attempt.timedOut(e);
            }
            return Attempt.timedOutOrThrow(e);
        }
    }

    /** @return what lock_timeout and statement_timeout are, to go back to */
    private List<String> begin() throws SQLException {
        try {
            return Pipeline.queryAll(session, Sql.LOCK_TABLE_BEGIN, Pipeline.NOTHING, row -> row.getString(1));
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
