// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase.internal;

import io.pglock.LockGuard;
import io.pglock.LockPolicy;
import io.pglock.PgLockException;
import liquibase.change.Change;
import liquibase.changelog.ChangeSet;
import liquibase.database.Database;
import liquibase.exception.DatabaseException;
import liquibase.exception.LiquibaseException;

/**
 * A changeset that was not made by {@link PgLockChangeSetService}: by a program, or by a service that precedes it. Nobody says
 * when it ends, so each of its changes has a run of its own; and only the first one can be undone without the others, as long as
 * it leaves its transaction to Liquibase. Used by Liquibase's thread only.
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
        LockPolicy policy = executor.policy(changeSet);
        if (!policy.enabled() || executor.connection().filter(LockGuard::serves).isEmpty()) {
            work.run();
            return;
        }
        try {
            ChangeSetRun run = ChangeSetRun.begin(executor, database, changeSet, changeSet.toString(false), policy);
            (first ? run : run.once())
                    .run(
                            heard -> {
                                run.change(change, work);
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
