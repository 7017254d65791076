// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase.internal;

import io.pglock.LockGuard;
import io.pglock.PgLockException;
import liquibase.change.Change;
import liquibase.changelog.ChangeSet;
import liquibase.database.Database;
import liquibase.exception.DatabaseException;

/**
 * A changeset that was not made by {@link PgLockChangeSetService}: by a program, or by a service that precedes it. Nobody says
 * when it ends, so each of its changes has a guard of its own; and only the first one can be undone without the others, as long
 * as it leaves its transaction to Liquibase. Used by Liquibase's thread only.
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
    void run(StatementRun change) throws DatabaseException {
        boolean first = !begun && changeSet.isRunInTransaction();
        begun = true;
        if (executor.connection().filter(LockGuard::serves).isEmpty()) {
            change.run();
            return;
        }
        ChangeSetLog log = new ChangeSetLog();
        try (LockGuard guard = LockGuard.openWithSavepoint(
                changeSet.toString(false),
                executor.connection().orElseThrow(),
                executor.side(),
                executor.policy(changeSet),
                log)) {
            try {
                Passage.ofStatements(
                        guard, change, () -> ChangeSetRun.undo(database), e -> first && isUndone(guard, log, e));
            } catch (DatabaseException | RuntimeException e) {
                log.explain(guard, e).ifPresent(text -> e.addSuppressed(new PgLockException(text)));
                throw e;
            }
        } catch (PgLockException e) {
            throw new DatabaseException(e.getMessage(), e);
        }
    }

    private boolean isUndone(LockGuard guard, ChangeSetLog log, Exception failure) {
        boolean wanted = SqlCauses.in(failure).filter(guard::triesAgainAfter).isPresent();
        boolean undone = wanted && executor.undoes(guard);
        if (wanted && !undone) {
            log.notAgain(changeSet, ChangeSetLog.ENDED_ITS_TRANSACTION);
        }
        return undone;
    }
}
