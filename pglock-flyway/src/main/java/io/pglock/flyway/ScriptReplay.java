// SPDX-License-Identifier: Apache-2.0
package io.pglock.flyway;

import io.pglock.LockGuard;
import io.pglock.SqlCommand;
import java.lang.System.Logger.Level;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.flywaydb.core.api.FlywayException;

/**
 * Runs the statements of a script, one by one as Flyway comes to them, because Flyway gives up at the first error: what fails
 * for a lock is undone together with all that came before it in the script, and after a pause all of it is run again.
 *
 * <p>The last attempt is Flyway's own, or is made once more by it, so what is left when pglock gives up is Flyway's own error. Used by Flyway's thread only.
 */
final class ScriptReplay {

    /** To have Flyway report an error itself, what came before in the script is run again; not if that is a burden. */
    private static final Duration SHORT = Duration.ofSeconds(10);

    /** A script with more characters than this is not kept to be run again: Flyway does not keep it either. */
    private static final int LONGEST = 16_000_000;

    private static final String QUERY_CANCELED = "57014";

    private final String unit;
    private final Connection connection;
    private final LockGuard guard;
    private final boolean rowsArePrinted;

    /** Whoever ran them: what has to be run again. */
    private final List<String> statements = new ArrayList<>();

    private long length;
    private boolean exact = true;
    private boolean undone;
    private boolean told;

    /** Since when what would have to be run again is being run, by Flyway and from here. */
    private long begunAt = System.nanoTime();

    /** What that took for the longest of those runs that were undone. */
    private long undoneTook;

    ScriptReplay(String unit, Connection connection, LockGuard guard, boolean rowsArePrinted) {
        this.unit = unit;
        this.connection = connection;
        this.guard = guard;
        this.rowsArePrinted = rowsArePrinted;
    }

    /**
     * Whether the statement has been run from here; otherwise it is Flyway's to run.
     *
     * @param heard whether other callbacks listen to it: they are not told when it is run again, and may have a say in it
     * @throws FlywayException when it has failed, and Flyway cannot be left to find that out
     */
    boolean runs(SqlCommand statement, boolean heard) {
        boolean inTransaction = guard.hasSavepoint();
        if (inTransaction && (statement.controlsTransaction() || statement.outlivesTransaction())) {
            guard.forgetSavepoint();
            exact = false;
        }
        if (inTransaction && (heard || statement.readsTheScript())) {
            exact = false;
        }
        if (!exact || heard || !guard.triesAgain() || !isForUs(statement, inTransaction)) {
            keep(statement);
            return false;
        }
        try {
            boolean run =
                    guard.run(() -> attempt(statement.sql()), inTransaction ? this::undo : LockGuard.Undo.NOTHING);
            keep(statement);
            return run;
        } catch (SQLException e) {
            leaveToFlyway(statement, e, inTransaction);
            return false;
        }
    }

    private boolean isForUs(SqlCommand statement, boolean inTransaction) {
        if (rowsArePrinted && statement.returnsRows()) {
            return false;
        }
        return inTransaction || statement.isAtomic() || statement.buildsConcurrently();
    }

    private void keep(SqlCommand statement) {
        length += statement.sql().length();
        exact &= length <= LONGEST;
        if (exact) {
            statements.add(statement.sql());
        } else {
            statements.clear();
        }
    }

    /** Whether the statement was run; the last attempt is left to Flyway. */
    private boolean attempt(String sql) throws SQLException {
        if (undone) {
            repeat();
        } else if (!guard.hasSavepoint()) {
            begunAt = System.nanoTime(); // what came before stays done
        }
        if (!guard.triesAgain() && !guard.waitsLonger()) {
            return false;
        }
        StatementCall.run(connection, sql, true);
        return true;
    }

    private void undo() throws SQLException {
        guard.rollBackToSavepoint();
        undoneTook = took();
        undone = true;
    }

    private long took() {
        return undone ? undoneTook : Math.max(undoneTook, System.nanoTime() - begunAt);
    }

    /** All that came before in the script, from the savepoint on. */
    private void repeat() throws SQLException {
        begunAt = System.nanoTime();
        for (String before : statements) {
            StatementCall.run(connection, before, false);
        }
        undone = false;
    }

    /**
     * Brings the transaction back to where Flyway can run the failed statement, fail, and report that in its own way; or, where
     * it failed for a lock and could not be tried again from here, get through.
     *
     * @throws FlywayException where that would be a burden, or would not end in the same way: on a connection that is lost,
     *     Flyway could only say that it is closed
     */
    private void leaveToFlyway(SqlCommand statement, SQLException failure, boolean inTransaction) {
        exact = false;
        boolean unwanted = !undone && QUERY_CANCELED.equals(failure.getSQLState()); // whoever cancelled it meant it
        boolean possible = !unwanted && !statement.buildsConcurrently() && !Guards.isClosed(connection);
        if (possible && took() < SHORT.toNanos()) {
            try {
                if (inTransaction) {
                    if (!undone) {
                        undo();
                    }
                    repeat();
                }
                return;
            } catch (SQLException e) {
                failure.addSuppressed(e);
            }
        }
        told = true;
        guard.failed(failure).ifPresent(text -> PgLockCallback.log(Level.ERROR, text));
        throw new FlywayException(StatementCall.failed(unit, statement.sql(), failure), failure);
    }

    /** Whether the log has been told why it failed. */
    boolean hasTold() {
        return told;
    }
}
