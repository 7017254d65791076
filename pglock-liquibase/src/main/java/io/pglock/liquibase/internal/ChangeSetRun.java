// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase.internal;

import io.pglock.LockGuard;
import io.pglock.LockPolicy;
import io.pglock.PgLockException;
import io.pglock.SqlCommand;
import java.io.Serial;
import java.lang.System.Logger.Level;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import liquibase.Scope;
import liquibase.change.AbstractSQLChange;
import liquibase.change.Change;
import liquibase.change.core.ExecuteShellCommandChange;
import liquibase.change.custom.CustomChangeWrapper;
import liquibase.changelog.ChangeSet;
import liquibase.changelog.ChangeSet.ExecType;
import liquibase.changelog.visitor.ChangeExecListener;
import liquibase.database.Database;
import liquibase.exception.DatabaseException;
import liquibase.exception.LiquibaseException;
import liquibase.statement.SqlStatement;
import liquibase.statement.core.RuntimeStatement;
import org.jspecify.annotations.Nullable;

/**
 * One changeset, applied or rolled back, under its guard. In a transaction all of it is run again when it fails for a lock;
 * outside of one, where what is done is done, the one statement that failed. Used by Liquibase's thread only.
 */
final class ChangeSetRun {

    /** Applies or rolls back the changeset, as Liquibase does it. */
    @FunctionalInterface
    interface Attempt<T extends @Nullable Object> {

        /** Does it, telling this listener. */
        T run(ChangeExecListener listener) throws LiquibaseException;
    }

    /** Of what does its work while it is asked for its SQL, as a command does, and so is never asked but to be run. */
    private static final String[] NO_SQL = {};

    private final PgLockExecutor executor;
    private final Database database;
    private final ChangeSet changeSet;
    private final LockPolicy policy;
    private final LockGuard guard;
    private final ChangeSetLog log;

    private Optional<SQLException> latest = Optional.empty();
    private Optional<String> explained = Optional.empty();
    private boolean attempted;
    private boolean once;

    /** Why it may not be run again, whatever it fails for. */
    private Optional<String> unrepeatable = Optional.empty();

    /** It would be run again if it could be; also when it gave way, which looks like anybody's cancel. */
    private boolean wanted;

    private boolean inChange;
    private boolean commands;

    private boolean rollback;

    /** A rollback some of which Liquibase has done in Java, through nobody. */
    private boolean rollbackInJava;

    /** Java of the changeset's is at work, or may have been, and nobody has looked since whether its transaction is still the same. */
    private boolean inJava;

    /** What is run now is Liquibase's own rollback. */
    private boolean undoing;

    /** All that this attempt has done is undone, as was seen before Liquibase rolled back. */
    private boolean undone;

    private ChangeSetRun(
            PgLockExecutor executor,
            Database database,
            ChangeSet changeSet,
            LockPolicy policy,
            LockGuard guard,
            ChangeSetLog log) {
        this.executor = executor;
        this.database = database;
        this.changeSet = changeSet;
        this.policy = policy;
        this.guard = guard;
        this.log = log;
    }

    /**
     * Nothing is set yet: Liquibase has still to say whether the changeset runs in a transaction.
     *
     * @throws PgLockException when the side connection is required, and does not work
     */
    static ChangeSetRun begin(
            PgLockExecutor executor, Database database, ChangeSet changeSet, String unit, LockPolicy policy) {
        ChangeSetLog log = new ChangeSetLog();
        LockGuard guard = LockGuard.openAhead(unit, executor.connection().orElseThrow(), executor.side(), policy, log);
        return new ChangeSetRun(executor, database, changeSet, policy, guard, log);
    }

    /** What comes cannot be undone, for the transaction has more in it: it is not run again as a whole, and does not give way. */
    ChangeSetRun once() {
        once = true;
        guard.takesEffect();
        return this;
    }

    /** It is rolled back, by its rollback where it has one: then nobody asks how its changes are undone. */
    ChangeSetRun ofRollback() {
        rollback = true;
        List<Change> changes =
                changeSet.hasCustomRollbackChanges() ? changeSet.getRollback().getChanges() : changeSet.getChanges();
        rollbackInJava = changes.stream().anyMatch(CustomChangeWrapper.class::isInstance);
        return this;
    }

    /**
     * Runs it, and again, as its policy says.
     *
     * @param listener whom Liquibase tells
     * @throws LiquibaseException as the last attempt threw it
     */
    <T extends @Nullable Object> T run(Attempt<T> attempt, @Nullable ChangeExecListener listener)
            throws LiquibaseException {
        ChangeExecListener heard = ChangeSetListener.of(listener, this);
        List<T> result = new ArrayList<>(1);
        executor.begin(this);
        try {
            if (changeSet.isRunInTransaction() && !once) {
                Passage.run(guard, () -> attempt(attempt, heard, result), this::undo, this::isRepeatable);
            } else {
                attempt(attempt, heard, result);
            }
        } catch (FailedQuietly e) {
            givenUp(e);
        } catch (LiquibaseException | RuntimeException e) {
            givenUp(e);
            throw e;
        } finally {
            executor.end();
            try {
                guard.close();
            } catch (PgLockException e) {
                log.message(Level.WARNING, "not closed as it should be: " + e.getMessage());
            }
        }
        return result.get(0);
    }

    /** With {@code failOnError="false"} Liquibase throws nothing. */
    private static final class FailedQuietly extends LiquibaseException {

        @Serial
        private static final long serialVersionUID = 1L;

        FailedQuietly(SQLException why) {
            super(why);
        }
    }

    /** @param result the one of this attempt, instead of what is there */
    private <T extends @Nullable Object> boolean attempt(Attempt<T> attempt, ChangeExecListener heard, List<T> result)
            throws LiquibaseException {
        latest = Optional.empty();
        unrepeatable = Optional.empty();
        wanted = false;
        inChange = false;
        commands = false;
        undoing = false;
        undone = false;
        inJava = rollbackInJava && changeSet.isRunInTransaction();
        if (attempted && changeSet instanceof PgLockChangeSet) { // one of another kind is in the midst of its own run
            forget();
        }
        attempted = true;
        result.clear();
        Optional<AtomicInteger> rows = rowsAffected();
        int rowsBefore = rows.map(AtomicInteger::get).orElse(0);
        boolean done = false;
        beforeRollbackInJava();
        try {
            T returned = Scope.child(ChangeSetLog.quiet(this), () -> attempt.run(heard));
            result.add(returned);
            if (returned == ExecType.FAILED && latest.isPresent()) {
                throw new FailedQuietly(latest.get());
            }
            done = true;
            return true;
        } catch (LiquibaseException | RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new LiquibaseException(e);
        } finally {
            if (!done) {
                rows.ifPresent(affected -> affected.set(rowsBefore));
            }
        }
    }

    /** Of a change that undoes itself Liquibase tells nobody: so all is set as Liquibase itself would begin, and ahead of it. */
    private void beforeRollbackInJava() throws DatabaseException {
        if (rollbackInJava) {
            database.setAutoCommit(!changeSet.isRunInTransaction());
            try {
                guard.beforeStatement("");
            } catch (PgLockException e) {
                try {
                    database.setAutoCommit(false); // as Liquibase would leave it
                } catch (DatabaseException another) {
                    e.addSuppressed(another);
                }
                throw e;
            }
        }
    }

    /** What the changeset remembers of an attempt that was undone: Liquibase runs each of its objects once. */
    @SuppressWarnings("NullAway") // as it is in the beginning
    private void forget() {
        changeSet.setExecType(null);
        changeSet.setErrorMsg(null);
        changeSet.setRollbackExecType(null);
        changeSet.getGeneratedSql().clear();
    }

    /** What Liquibase says in the end to have affected: what an attempt did that was undone does not count. */
    private static Optional<AtomicInteger> rowsAffected() {
        return Optional.ofNullable(Scope.getCurrentScope().get("rowsAffected", AtomicInteger.class));
    }

    /** For this, and not in a statement of its own; with {@code failOnError="false"} Liquibase throws nothing that would show it. */
    void failedFor(Throwable failure) {
        latest = SqlCauses.in(failure, guard);
    }

    /**
     * Liquibase is about to say that a rollback has failed, and then to roll back. Where what failed was done in Java nobody has
     * seen yet whether it still was in the transaction that it began in.
     */
    void rollbackFailed() {
        undoing = true;
        if (rollbackInJava && changeSet.isRunInTransaction() && unrepeatable.isEmpty()) {
            undone = executor.undoes(guard);
        }
    }

    private boolean isRepeatable(Exception failure) {
        wanted |= SqlCauses.in(failure, guard).filter(guard::triesAgainAfter).isPresent();
        if (inJava && !undone) {
            notAgain(ChangeSetLog.MAY_HAVE_ENDED_ITS_TRANSACTION);
        }
        return unrepeatable.isEmpty();
    }

    /** By another attempt. */
    boolean isFollowed() {
        return changeSet.isRunInTransaction()
                && unrepeatable.isEmpty()
                && latest.filter(guard::triesAgainAfter).isPresent();
    }

    /** Liquibase's own rollback, which sees to the search path. */
    private void undo() throws SQLException {
        undoing = true;
        try {
            database.rollback();
        } catch (DatabaseException e) {
            throw SqlCauses.in(e).orElseGet(() -> new SQLException(e.getMessage(), e));
        }
    }

    // ---- what Liquibase comes to, in this order ---------------------------------------------------------------------

    /** It will check them, and then roll back in any case; but not where it rolls back the changeset. */
    void beforePreconditions() {
        if (!rollback && changeSet.getPreconditions() != null) {
            guard.beforeStatement("");
        }
    }

    /**
     * Told of a change before anything is done for it, in both directions: some read the database to find out what their
     * statements are.
     */
    void beforeChange(Change change) {
        commands |= change instanceof ExecuteShellCommandChange;
        if (!(change instanceof AbstractSQLChange)) {
            beforeStatement();
        }
        inJava |= isUnseen(change);
    }

    /** All of a change's statements, and what it does in Java to find them. */
    void change(Change change, StatementRun work) throws DatabaseException {
        if (inChange || rollback) { // which the changeset's Java runs, and goes on
            beforeChange(change);
            work.run();
            return;
        }
        inChange = true;
        failing(() -> {
            beforeChange(change);
            try {
                work.run();
                afterJava();
            } finally {
                inJava = false; // after a failure what comes is Liquibase's
            }
        });
        inChange = false;
    }

    /** Told of a change of a rollback when it has done what it does in Java. */
    void afterChange(Change change) {
        if (isUnseen(change)) {
            afterJava();
        }
    }

    private void afterJava() {
        if (inJava) {
            inJava = false;
            guard.afterUnseenWork();
            if (!hasTimeouts() && guard.hasEndedItsTransaction()) {
                notAgain("it is not known whether its Java has ended its transaction; with a lockTimeout it would be");
            }
            notAgainIfItHasEnded();
        }
    }

    private boolean isUnseen(Change change) {
        return change instanceof CustomChangeWrapper && changeSet.isRunInTransaction();
    }

    /** One statement, of a change or of a rollback. */
    void statement(SqlStatement statement, Texts texts, StatementRun work) throws DatabaseException {
        boolean inTransaction = changeSet.isRunInTransaction();
        if (inTransaction && commands && statement instanceof RuntimeStatement) {
            notAgain("it runs a command of the operating system");
        }
        if (inTransaction && StatementText.outlivesTransaction(statement)) {
            notAgain("a lock of the session and a prepared statement are not undone with its transaction");
        }
        if (inTransaction && StatementText.goesOnAfterItsTransaction(statement)) {
            notAgain(ChangeSetLog.ENDED_ITS_TRANSACTION);
        }
        if (isLiquibases(statement)) {
            guard.beforeForeignStatement();
            work.run();
        } else if (inChange || inJava) {
            single(statement, texts, work);
        } else {
            failing(() -> single(statement, texts, work));
        }
        if (inTransaction && StatementText.endsTransaction(statement)) {
            notAgain(ChangeSetLog.ENDED_ITS_TRANSACTION);
        }
    }

    /**
     * A statement of the changeset comes. Where its transaction has ended by then, what came before stays done, and is not to be
     * done again: not even when Liquibase's own commit fails, of which nobody is told.
     */
    private void beforeStatement() {
        if (rollback && inJava && hasTimeouts()) { // when it ends nobody may be told
            guard.afterUnseenWork();
        }
        guard.beforeStatement("");
        notAgainIfItHasEnded();
    }

    /** By which a transaction is known again. */
    private boolean hasTimeouts() {
        return policy.lockTimeout().or(policy::statementTimeout).isPresent();
    }

    private void notAgainIfItHasEnded() {
        if (guard.hasEndedItsTransaction()) {
            notAgain(ChangeSetLog.ENDED_ITS_TRANSACTION);
        }
    }

    /** Of a precondition, of a change that reads before it writes, or of Liquibase's own. */
    void beforeQuery(SqlStatement statement) {
        if (isLiquibases(statement)) {
            guard.beforeForeignStatement();
        } else if (inJava) {
            beforeStatement();
        } else {
            guard.beforeStatement("");
        }
    }

    /** It sets the search path anew where it has rolled back; but the changeset's Java can make it do so too. */
    private boolean isLiquibases(SqlStatement statement) {
        return StatementText.isSearchPath(statement) && (undoing || !inJava);
    }

    /** What a statement is to the server. */
    @FunctionalInterface
    interface Texts {
        @Nullable String[] get() throws DatabaseException;
    }

    private void single(SqlStatement statement, Texts texts, StatementRun work) throws DatabaseException {
        if (changeSet.isRunInTransaction()) {
            if (!StatementText.describesTransaction(statement)) {
                beforeStatement(); // a query, and one that makes a savepoint
            } else if (StatementText.isSeveral(statement) && guard.concerns("")) {
                beforePieceThatDescribesItsTransaction();
            } else {
                guard.beforeForeignStatement(); // it may begin another one
            }
            work.run();
            return;
        }
        @Nullable String[] sql = statement instanceof RuntimeStatement ? NO_SQL : texts.get();
        guard.beforeStatement(Arrays.stream(sql).map(String::valueOf).collect(Collectors.joining(";\n")));
        try {
            if (sql.length == 1 && isRepeatable(SqlCommand.of(String.valueOf(sql[0])))) {
                Passage.ofStatements(guard, work, LockGuard.Undo.NOTHING, e -> true);
            } else {
                work.run();
            }
        } finally {
            guard.afterStatement();
        }
    }

    /** There is no way in between; and where there can be no savepoint, it could not be told what is undone. */
    private void beforePieceThatDescribesItsTransaction() throws DatabaseException {
        notAgain("it says what kind of transaction it is in one piece with what it does in that");
        try (Statement statement = executor.connection().orElseThrow().createStatement()) {
            for (String setting : Sql.timeouts(policy)) {
                statement.execute(setting);
            }
        } catch (SQLException e) {
            throw new DatabaseException(e);
        }
    }

    private static boolean isRepeatable(SqlCommand command) {
        return command.isAtomic() || command.buildsConcurrently();
    }

    // ---- failures ---------------------------------------------------------------------------------------------------

    /** As soon as it has failed, and before Liquibase rolls back: whether it still was in the transaction that it began in. */
    private void failing(StatementRun work) throws DatabaseException {
        try {
            work.run();
        } catch (PgLockException e) {
            failed(e);
            throw new DatabaseException(e.getMessage(), e);
        } catch (DatabaseException | RuntimeException e) {
            failed(e);
            throw e;
        }
    }

    private void failed(Exception e) {
        latest = SqlCauses.in(e, guard);
        if (!changeSet.isRunInTransaction()) {
            explain(e); // what it has left behind can be seen only now
            return;
        }
        if (latest.filter(guard::triesAgainAfter).isEmpty()) {
            return;
        }
        wanted = true;
        if (!executor.undoes(guard)) {
            notAgain(ChangeSetLog.ENDED_ITS_TRANSACTION);
        }
    }

    /** From here on: so nobody makes it give way any more, for it could not come back. */
    private void notAgain(String why) {
        if (guard.triesAgain()) {
            unrepeatable = Optional.of(why);
            guard.takesEffect();
        }
    }

    private void givenUp(Exception failure) {
        if (wanted || SqlCauses.in(failure).filter(SqlCauses::isForLock).isPresent()) {
            unrepeatable.ifPresent(why -> log.notAgain(changeSet, why));
        }
        explain(failure);
    }

    /** Once, to whoever reads the log, and to whoever sees nothing but the exception. */
    private void explain(Exception failure) {
        if (explained.isEmpty()) {
            explained = log.explain(guard, failure);
        }
        explained.ifPresent(text -> {
            if (Arrays.stream(failure.getSuppressed()).noneMatch(told -> text.equals(told.getMessage()))) {
                failure.addSuppressed(new PgLockException(text));
            }
        });
    }
}
