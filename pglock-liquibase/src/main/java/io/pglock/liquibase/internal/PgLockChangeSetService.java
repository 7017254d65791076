// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase.internal;

import liquibase.changelog.ChangeSet;
import liquibase.changelog.DatabaseChangeLog;
import liquibase.changeset.StandardChangeSetService;
import liquibase.database.ObjectQuotingStrategy;
import org.jspecify.annotations.Nullable;

/** Makes the changesets of every changelog that is read: as Liquibase does, with a guard around each. Stateless. Not API. */
public final class PgLockChangeSetService extends StandardChangeSetService {

    /** As Liquibase needs it. */
    public PgLockChangeSetService() {}

    @Override
    public int getPriority() {
        return PRIORITY_DATABASE;
    }

    @Override
    public ChangeSet createChangeSet(DatabaseChangeLog changeLog) {
        return new PgLockChangeSet(changeLog);
    }

    @Override
    public ChangeSet createChangeSet(
            @Nullable String id,
            @Nullable String author,
            boolean alwaysRun,
            boolean runOnChange,
            @Nullable String filePath,
            @Nullable String contextFilter,
            @Nullable String dbmsList,
            @Nullable DatabaseChangeLog changeLog) {
        return createChangeSet(
                id,
                author,
                alwaysRun,
                runOnChange,
                filePath,
                contextFilter,
                dbmsList,
                null,
                null,
                true,
                ObjectQuotingStrategy.LEGACY,
                changeLog);
    }

    @Override
    public ChangeSet createChangeSet(
            @Nullable String id,
            @Nullable String author,
            boolean alwaysRun,
            boolean runOnChange,
            @Nullable String filePath,
            @Nullable String contextFilter,
            @Nullable String dbmsList,
            @Nullable String runWith,
            @Nullable String runWithSpoolFile,
            boolean runInTransaction,
            @Nullable ObjectQuotingStrategy quotingStrategy,
            @Nullable DatabaseChangeLog changeLog) {
        ChangeSet standard = super.createChangeSet(
                id,
                author,
                alwaysRun,
                runOnChange,
                filePath,
                contextFilter,
                dbmsList,
                runWith,
                runWithSpoolFile,
                runInTransaction,
                quotingStrategy,
                changeLog);
        return new PgLockChangeSet(
                id,
                author,
                alwaysRun,
                runOnChange,
                standard.getFilePath(), // Liquibases differ in what they make of a path
                contextFilter,
                dbmsList,
                runWith,
                runWithSpoolFile,
                runInTransaction,
                quotingStrategy,
                changeLog);
    }
}
