// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase.internal;

import io.pglock.LockPolicy;
import io.pglock.PgLockException;
import java.lang.System.Logger.Level;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import liquibase.changelog.ChangeSet;
import liquibase.changelog.DatabaseChangeLog;
import liquibase.changelog.visitor.ChangeExecListener;
import liquibase.database.Database;
import liquibase.database.ObjectQuotingStrategy;
import liquibase.exception.LiquibaseException;
import liquibase.exception.MigrationFailedException;
import liquibase.exception.RollbackFailedException;
import liquibase.parser.core.ParsedNode;
import liquibase.parser.core.ParsedNodeException;
import liquibase.resource.ResourceAccessor;
import org.jspecify.annotations.Nullable;

/**
 * A changeset that is applied and rolled back under its guard, on PostgreSQL, and may have settings of its own. None of them
 * is part of its checksum. Used by one thread at a time, like every changeset.
 */
final class PgLockChangeSet extends ChangeSet {

    private final Map<String, String> attributes = new TreeMap<>();

    PgLockChangeSet(DatabaseChangeLog changeLog) {
        super(changeLog);
    }

    /** One from a formatted SQL file, where Liquibase passes over what it does not know in the line that begins a changeset. */
    PgLockChangeSet(
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
        super(
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
        attributes.putAll(SqlFileLines.overrides(changeLog, author, id, dbmsList));
    }

    /** What it says of its own settings, by key; right, for it was checked when it was read. */
    Map<String, String> overrides() {
        Map<String, String> overrides = new TreeMap<>(attributes);
        overrides.putAll(Overrides.inComments(getComments()));
        return overrides;
    }

    @Override
    public void load(ParsedNode node, ResourceAccessor resourceAccessor) throws ParsedNodeException {
        super.load(node, resourceAccessor);
        try {
            Overrides.inComments(getComments());
        } catch (IllegalArgumentException e) {
            throw inThisChangeSet(e);
        }
    }

    @Override
    public void setComments(@Nullable String comments) {
        Overrides.inComments(comments);
        super.setComments(comments);
    }

    /** An attribute in XML, a key in YAML and JSON: what is ours, or would be if it were spelt rightly. */
    @Override
    protected void handleChildNode(ParsedNode child, ResourceAccessor resourceAccessor) throws ParsedNodeException {
        try {
            Optional<Overrides.Setting> ours = Overrides.attribute(child.getName(), child.getValue());
            if (ours.isPresent()) {
                attributes.put(ours.get().key(), ours.get().text());
                return;
            }
        } catch (IllegalArgumentException e) {
            throw inThisChangeSet(e);
        }
        super.handleChildNode(child, resourceAccessor);
    }

    private ParsedNodeException inThisChangeSet(IllegalArgumentException e) {
        return new ParsedNodeException(toString(false) + ": " + e.getMessage(), e);
    }

    // ---- under the guard --------------------------------------------------------------------------------------------

    @Override
    public ExecType execute(DatabaseChangeLog changeLog, @Nullable ChangeExecListener listener, Database database)
            throws MigrationFailedException {
        try {
            Optional<ChangeSetRun> run = guarded(database, toString(false));
            if (run.isEmpty()) {
                return super.execute(changeLog, listener, database);
            }
            return run.get().run(heard -> super.execute(changeLog, heard, database), listener);
        } catch (MigrationFailedException e) {
            throw e;
        } catch (LiquibaseException | IllegalArgumentException | PgLockException e) {
            throw new MigrationFailedException(this, e);
        }
    }

    @Override
    public void rollback(Database database, @Nullable ChangeExecListener listener) throws RollbackFailedException {
        try {
            Optional<ChangeSetRun> run = guarded(database, "rollback of " + toString(false));
            if (run.isEmpty()) {
                super.rollback(database, listener);
                return;
            }
            run.get()
                    .ofRollback()
                    .run(
                            heard -> {
                                super.rollback(database, heard);
                                return true;
                            },
                            listener);
        } catch (RollbackFailedException e) {
            throw e;
        } catch (LiquibaseException | IllegalArgumentException | PgLockException e) {
            throw new RollbackFailedException(e.getMessage(), e);
        }
    }

    private Optional<ChangeSetRun> guarded(Database database, String unit) {
        Optional<PgLockExecutor> executor = PgLockExecutor.of(database);
        Optional<LockPolicy> policy = executor.map(ours -> ours.policy(this)).filter(LockPolicy::enabled);
        if (policy.isEmpty()) {
            return Optional.empty();
        }
        if (getRunWith() != null && !getRunWith().equalsIgnoreCase("jdbc")) {
            new ChangeSetLog()
                    .message(
                            Level.WARNING,
                            toString(false) + ": not guarded, because it runs with " + getRunWith()
                                    + " and not through JDBC. Have its script set lock_timeout.");
            return Optional.empty();
        }
        return Optional.of(ChangeSetRun.begin(executor.get(), database, this, unit, policy.get()));
    }
}
