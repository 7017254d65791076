// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase.internal;

import io.pglock.LockGuard;
import io.pglock.LockPolicy;
import io.pglock.PgLockException;
import java.util.function.Function;
import liquibase.change.Change;
import liquibase.changelog.ChangeSet;
import liquibase.database.Database;
import liquibase.exception.DatabaseException;
import liquibase.exception.LiquibaseException;
import liquibase.statement.SqlStatement;

/**
 * A changeset that was not made by {@link PgLockChangeSetService}: by a program, or by a service that precedes it. Nobody says
 * when it ends, so each of its changes has a run of its own; and only the first one can be undone without the others, as long as
 * it leaves its transaction to Liquibase. Of its rollback each statement has one. Used by Liquibase's thread only.
 */
final class LooseChangeSet {

    private final PgLockExecutor executor;
    private final Database database;
    private final ChangeSet changeSet;
    private boolean begun;

    LooseChangeSet(PgLockExecutor executor, Database database, ChangeSet changeSet) {
        this.executor = executor;
        this.database = database;
        this.changeSet = changeSet;
    }

    boolean has(Change change) {
        return changeSet.equals(change.getChangeSet());
    }

    /** Runs one of its changes. */
    void run(Change change, StatementRun work) throws DatabaseException {
        boolean first = !begun;
        begun = true;
        guarded(changeSet.toString(false), work, run -> {
            if (!first) {
                run.once();
            }
            return () -> run.change(change, work);
        });
    }

    /** Whether it is one of those that undo it: a rollback does without changes, and Liquibase has others of its own. */
    boolean isRolledBackBy(SqlStatement statement) {
        return !begun && !StatementText.isOfChangelog(statement) && !StatementText.isSearchPath(statement);
    }

    /** Runs one of the statements that undo it; what its Java may have done before in the same transaction nobody has seen. */
    void rollBack(SqlStatement statement, ChangeSetRun.Texts texts, StatementRun work) throws DatabaseException {
        guarded("rollback of " + changeSet.toString(false), work, run -> {
            run.once();
            return () -> run.statement(statement, texts, work);
        });
    }

    /** @param work as it is, where there is no guard */
    private void guarded(String unit, StatementRun work, Function<ChangeSetRun, StatementRun> guarding)
            throws DatabaseException {
        LockPolicy policy = executor.policy(changeSet);
        if (!policy.enabled() || executor.connection().filter(LockGuard::serves).isEmpty()) {
            work.run();
            return;
        }
        try {
            ChangeSetRun run = ChangeSetRun.begin(executor, database, changeSet, unit, policy);
            StatementRun guarded = guarding.apply(run);
            run.run(
                    heard -> {
                        guarded.run();
                        return true;
                    },
                    null);
        } catch (DatabaseException e) {
            throw e;
        } catch (LiquibaseException | PgLockException e) {
            throw new DatabaseException(e.getMessage(), e);
        }
    }
}
