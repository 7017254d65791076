// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.script;

import io.pglock.LockGuard;
import io.pglock.LockPolicy;
import io.pglock.PgLockException;
import io.pglock.cli.internal.Console;
import io.pglock.cli.internal.ExitCode;
import io.pglock.cli.internal.Sql;
import io.pglock.cli.internal.Stop;
import io.pglock.internal.PgSession;
import io.pglock.internal.Text;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * Runs the units of some files in order on one connection, each under a guard of its own, up to the first that fails. Used once,
 * by one thread. Not API.
 */
public final class ScriptRun {

    private final Console console;
    private final Connection connection;
    private final DataSource side;
    private final Interruption interruption;
    private final boolean quiet;
    private final LockPolicy policy;

    private final OwnTimeouts own = new OwnTimeouts();

    private int attempt;
    private @Nullable SqlStatement current;
    private Optional<SqlUnit> committing = Optional.empty();
    private int applied;
    private Optional<SqlStatement> lastApplied = Optional.empty();
    private Optional<String> leftByInterrupted = Optional.empty();

    /**
     * @param connection in autocommit; the caller closes it
     * @param side lends the watch its connection
     * @param policy for what the files say nothing else about
     * @param quiet to say nothing about what goes well
     */
    public ScriptRun(
            Console console,
            Connection connection,
            DataSource side,
            LockPolicy policy,
            Interruption interruption,
            boolean quiet) {
        this.console = console;
        this.connection = connection;
        this.side = side;
        this.policy = policy;
        this.interruption = interruption;
        this.quiet = quiet;
    }

    /**
     * Runs them. Through a pooler only what is one transaction in all, or has no guard.
     *
     * @throws io.pglock.LockNotSupportedException before anything is run, where there is a pooler in between
     * @throws Stop when one has failed, with all there is to say about it
     * @throws Interruption.Interrupted when that has happened, and all is in order
     */
    public void run(List<SqlUnit> units) throws SQLException {
        requireDirect(units);
        long begun = System.nanoTime();
        for (SqlUnit unit : units) {
            List<SqlCall> calls = run(unit, unit.policy(own.without(policy)));
            if (!unit.isUndone()) {
                applied += unit.statements().size();
                lastApplied = Optional.of(unit.last());
                own.keep(unit, connection);
                print(calls);
            }
        }
        interruption.check(); // that it had come to its end before is said then
        if (!quiet) {
            console.say(statements(applied) + " applied in " + since(begun) + ".");
        }
    }

    /** What the guards and the file itself set in the session has to be there for the next statement, and for nobody else. */
    private void requireDirect(List<SqlUnit> units) throws SQLException {
        if (units.stream()
                .anyMatch(unit -> unit.kind() != SqlUnit.Kind.SINGLE
                        && unit.policy(policy).enabled())) {
            PgSession.of(connection).requireDirect("pglock sql without -1");
        }
    }

    private void print(List<SqlCall> calls) {
        try {
            calls.forEach(call -> call.rows().forEach(console::line));
            console.flush();
        } catch (Stop e) {
            throw e.and(". " + whatIsApplied("Applied"));
        }
    }

    // ---- one unit ---------------------------------------------------------------------------------------------------

    private List<SqlCall> run(SqlUnit unit, LockPolicy policy) throws SQLException {
        attempt = 0;
        List<SqlCall> calls = new ArrayList<>();
        if (setsTimeout(unit)) {
            unguarded(unit, calls); // a guard would put back what was there before
        } else {
            guarded(unit, policy, calls);
        }
        return calls;
    }

    private void unguarded(SqlUnit unit, List<SqlCall> calls) throws SQLException {
        try {
            attempt(unit, calls);
        } catch (SQLException e) {
            interruption.check();
            throw failed(unit, e, Optional.empty(), calls);
        }
    }

    private static boolean setsTimeout(SqlUnit unit) {
        SqlStatement statement = unit.first();
        return unit.kind() == SqlUnit.Kind.STATEMENT
                && (statement.begins("set") || statement.begins("reset") || statement.begins("discard"));
    }

    private void guarded(SqlUnit unit, LockPolicy policy, List<SqlCall> calls) throws SQLException {
        boolean through = false;
        connection.setAutoCommit(unit.kind() != SqlUnit.Kind.SINGLE);
        try (LockGuard guard =
                LockGuard.open(unit.name(), connection, side, policy, (level, message) -> console.say(message))) {
            try {
                guard.beforeStatement(unit.first().sql());
                guarded(unit, guard, calls);
                through = true;
            } catch (SQLException e) {
                interruption.check();
                throw failed(unit, e, guard.failed(e), calls);
            } catch (Interruption.Interrupted e) {
                leftByInterrupted = guard.failed();
                throw e;
            } catch (PgLockException e) {
                guard.failed();
                throw new Stop(ExitCode.SQL, e.getMessage() + "\n" + leftOver(unit));
            } finally {
                if (!through) {
                    giveUp(unit);
                }
                guard.afterStatement();
            }
        }
        if (unit.kind() == SqlUnit.Kind.SINGLE) {
            commit(unit, calls);
        }
    }

    private void guarded(SqlUnit unit, LockGuard guard, List<SqlCall> calls) throws SQLException {
        LockGuard.Work<Boolean> work = () -> {
            attempt(unit, calls);
            return true;
        };
        if (unit.kind() != SqlUnit.Kind.STATEMENT) {
            guard.run(work, () -> undo(unit));
        } else if (isRepeatable(unit.first())) {
            guard.run(work, LockGuard.Undo.NOTHING);
        } else {
            work.run();
        }
    }

    /** Whether it has done all of its work or none when it fails in autocommit. */
    private static boolean isRepeatable(SqlStatement statement) {
        return statement.command().isAtomic() || statement.command().buildsConcurrently();
    }

    private void attempt(SqlUnit unit, List<SqlCall> calls) throws SQLException {
        attempt++;
        calls.clear();
        for (SqlStatement statement : unit.statements()) {
            current = statement;
            interruption.check();
            long begun = System.nanoTime();
            committing = unit.isCommittedBy(statement) ? Optional.of(unit) : Optional.empty();
            SqlCall call = SqlCall.run(connection, statement, interruption);
            committing = Optional.empty();
            calls.add(call);
            call.notices().forEach(notice -> console.say(statement.place() + ": " + notice));
            if (!quiet) {
                console.say(statement.place() + " " + statement.title() + "  " + since(begun)
                        + (attempt > 1 ? ", attempt " + attempt : ""));
            }
        }
        if (unit.kind() == SqlUnit.Kind.SINGLE) {
            try (Statement last = connection.createStatement()) { // what is deferred waits for locks as well
                interruption.execute(last, Sql.CHECK_CONSTRAINTS);
            }
        }
    }

    private void commit(SqlUnit unit, List<SqlCall> calls) throws SQLException {
        committing = Optional.of(unit);
        try {
            SqlCall.run(connection, Sql.COMMIT, interruption)
                    .notices()
                    .forEach(notice -> console.say(unit.last().place() + ": " + notice));
            committing = Optional.empty();
        } catch (SQLException e) {
            throw failed(unit, e, Optional.empty(), calls);
        } catch (Interruption.Interrupted e) {
            giveUp(unit); // else autocommit would commit it
            throw e;
        } finally {
            if (!connection.isClosed()) {
                connection.setAutoCommit(true);
            }
        }
    }

    private void giveUp(SqlUnit unit) {
        try {
            undo(unit);
        } catch (SQLException e) {
            // the session is lost, and all that was open in it
        }
    }

    /** Whatever is open in the session is given up, and every lock with it. */
    private void undo(SqlUnit unit) throws SQLException {
        if (unit.kind() == SqlUnit.Kind.SINGLE) {
            if (!connection.isClosed()) {
                connection.rollback();
            }
        } else if (unit.kind() == SqlUnit.Kind.TRANSACTION && !connection.isClosed()) {
            try (Statement statement = connection.createStatement()) {
                statement.execute(Sql.ROLL_BACK);
            }
        }
    }

    // ---- what is said when one fails --------------------------------------------------------------------------------

    private Stop failed(SqlUnit unit, SQLException cause, Optional<String> explained, List<SqlCall> calls) {
        SqlStatement statement =
                current == null || calls.size() == unit.statements().size() ? unit.last() : current;
        SqlFailure failure = new SqlFailure(statement, cause);
        List<String> said = new ArrayList<>();
        said.add(failure.text());
        explained.ifPresent(why -> said.add("  " + why));
        remedy(unit, failure).ifPresent(what -> said.add("  " + what));
        said.add("  "
                + (failure.isUnanswered() ? unanswered("Applied before") : Optional.<String>empty())
                        .orElseGet(() -> leftOver(unit)));
        return new Stop(failure.exitCode(), String.join("\n", said));
    }

    private static Optional<String> remedy(SqlUnit unit, SqlFailure failure) {
        if (failure.isRefusedInTransaction()) {
            return switch (unit.kind()) {
                case SINGLE -> Optional.of("Leave out -1: this statement runs only outside of a transaction.");
                case TRANSACTION ->
                    Optional.of("Put it before the BEGIN of line "
                            + unit.first().line() + " or behind its COMMIT: it runs only outside of a transaction.");
                case STATEMENT -> Optional.empty();
            };
        }
        return failure.isForALock() && unit.kind() == SqlUnit.Kind.STATEMENT && !isRepeatable(unit.first())
                ? Optional.of(
                        "Not tried again, for it may have committed a part of its work. Between BEGIN and COMMIT it"
                                + " can be tried again.")
                : Optional.empty();
    }

    /** What is applied, and what is not. */
    private String leftOver(SqlUnit unit) {
        String before = whatIsApplied("Applied before");
        return unit.kind() == SqlUnit.Kind.TRANSACTION
                ? before + " Undone: the transaction from " + unit.first().place() + " on."
                : before;
    }

    /** Where the answer that would have said it was lost: what is applied for sure, and that of the rest nobody knows. */
    private Optional<String> unanswered(String when) {
        return committing.map(unit -> (lastApplied.isPresent() ? whatIsApplied(when) + " " : "")
                + (unit.kind() == SqlUnit.Kind.STATEMENT
                        ? "It is not known whether " + unit.first().place()
                                + " was applied: the connection was lost while it ran. Look before running it again."
                        : "It is not known whether the transaction from "
                                + unit.first().place() + " on was committed: the connection was lost at its COMMIT."
                                + " Look before running it again."));
    }

    /** To be said when it was interrupted. */
    public String interruptedAt() throws SQLException {
        return "interrupted" + (current == null ? "" : " at " + current.place()) + ". "
                + (connection.isClosed() ? unanswered("Applied") : Optional.<String>empty())
                        .orElseGet(() -> whatIsApplied("Applied"))
                + leftByInterrupted.map(left -> "\n  " + left).orElse("");
    }

    private String whatIsApplied(String when) {
        return lastApplied
                .map(last -> when + ": " + statements(applied) + ", up to " + last.place() + ".")
                .orElse("Nothing was applied.");
    }

    private static String statements(int count) {
        return count + (count == 1 ? " statement" : " statements");
    }

    private static String since(long begun) {
        return Text.age(Duration.ofNanos(System.nanoTime() - begun));
    }
}
