// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase;

import io.pglock.liquibase.internal.Attributes;
import io.pglock.liquibase.internal.LockWait;
import io.pglock.liquibase.internal.PgLockExecutor;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import liquibase.ChecksumVersion;
import liquibase.change.AbstractChange;
import liquibase.change.Change;
import liquibase.change.DatabaseChangeProperty;
import liquibase.changelog.ChangeSet;
import liquibase.database.Database;
import liquibase.exception.UnexpectedLiquibaseException;
import liquibase.exception.ValidationErrors;
import liquibase.exception.Warnings;
import liquibase.parser.core.ParsedNode;
import liquibase.resource.ResourceAccessor;
import liquibase.statement.SqlStatement;
import liquibase.statement.core.RawParameterizedSqlStatement;
import org.jspecify.annotations.Nullable;

/**
 * What pglock's change types have in common: they take a lock for the transaction of their changeset, wait for it no longer
 * than {@code lockTimeout}, and leave nothing that a rollback would have to undo. Not thread-safe, as every change.
 */
public abstract sealed class LockChange extends AbstractChange permits LockTableChange, AdvisoryLockChange {

    static final String POSTGRESQL = "postgresql";
    static final String NONE = "none";

    private static final String LOCK_TIMEOUT = "lockTimeout";

    /** What was wrong already when it was read from the changelog. */
    private final List<String> misread = new ArrayList<>();

    private @Nullable String lockTimeout;

    LockChange() {}

    /** How long to wait: {@code 5s}, {@code nowait}; absent or {@code none}, as long as {@code lock_timeout} says. */
    @DatabaseChangeProperty(
            description =
                    "How long to wait for one lock: 500ms, 5s, 2m; nowait: not at all; none: as long as lock_timeout says."
                            + " Not part of the checksum.",
            exampleValue = "5s",
            requiredForDatabase = NONE,
            supportsDatabase = POSTGRESQL)
    public @Nullable String getLockTimeout() {
        return lockTimeout;
    }

    /** How long to wait: {@code 500ms}, {@code 5s}, {@code 2m}; {@code nowait}; {@code none}. */
    public void setLockTimeout(@Nullable String lockTimeout) {
        this.lockTimeout = lockTimeout;
    }

    /** The attributes and elements that it has beside its properties. */
    abstract Set<String> elements();

    /** The attributes that are {@code true} or {@code false}: Liquibase would read anything else as {@code false}. */
    abstract Set<String> flags();

    /**
     * The statement that takes the lock.
     *
     * @throws IllegalArgumentException when an attribute is not right
     */
    abstract String sql(Database database);

    /** What is wrong with its own attributes. */
    abstract List<String> mistakes();

    final LockWait lockWait() {
        return Attributes.lockWait(lockTimeout);
    }

    /** Adds what the reading of an attribute complains about. */
    static void collect(List<String> mistakes, Runnable reading) {
        try {
            reading.run();
        } catch (IllegalArgumentException e) {
            mistakes.add(String.valueOf(e.getMessage()));
        }
    }

    /** Liquibase reads what it knows, and passes over the rest: a typo would lock something else, or in another way. */
    @Override
    protected void customLoadLogic(ParsedNode node, ResourceAccessor resources) {
        Set<String> known = new TreeSet<>(getSerializableFields());
        known.addAll(elements());
        misread.addAll(Attributes.unknown(getSerializedObjectName(), node, known));
        for (ParsedNode child : node.getChildren()) {
            if (flags().contains(child.getName())) {
                collect(misread, () -> Attributes.flag(child.getName(), child.getValue()));
            }
        }
    }

    /** PostgreSQL, and nothing that only speaks its protocol. */
    @Override
    public boolean supports(Database database) {
        return PgLockExecutor.isPostgres(database);
    }

    @Override
    public ValidationErrors validate(Database database) {
        ValidationErrors errors = new ValidationErrors(this);
        allMistakes(database).forEach(errors::addError);
        return errors;
    }

    private List<String> allMistakes(Database database) {
        if (!supports(database)) {
            return List.of("pglock: " + getSerializedObjectName() + " is for PostgreSQL, not for "
                    + database.getDatabaseProductName() + "; write dbms=\"" + POSTGRESQL + "\" at its changeset");
        }
        List<String> mistakes = new ArrayList<>(misread);
        mistakes.addAll(mistakes());
        collect(mistakes, this::lockWait);
        @Nullable ChangeSet changeSet = getChangeSet();
        if (changeSet != null && !changeSet.isRunInTransaction()) {
            mistakes.add("pglock: " + getSerializedObjectName()
                    + " in a changeset with runInTransaction=\"false\" runs outside"
                    + " a transaction, where the lock would end with the statement; put it into a changeset without that,"
                    + " together with the changes that need it");
        }
        return mistakes;
    }

    /** The statement depends on nothing but the attributes. */
    @Override
    public boolean generateStatementsVolatile(Database database) {
        return false;
    }

    @Override
    public boolean generateRollbackStatementsVolatile(Database database) {
        return false;
    }

    /** Liquibase asks for warnings first, and the statement exists only when nothing is wrong. */
    @Override
    public Warnings warn(Database database) {
        return new Warnings();
    }

    /**
     * The statement that takes the lock.
     *
     * @throws UnexpectedLiquibaseException when {@link #validate} finds something wrong
     */
    @Override
    public SqlStatement[] generateStatements(Database database) {
        List<String> mistakes = allMistakes(database);
        if (!mistakes.isEmpty()) {
            throw new UnexpectedLiquibaseException(String.join("; ", mistakes));
        }
        // the constructor with no parameters at all is newer than the oldest Liquibase
        return new SqlStatement[] {new RawParameterizedSqlStatement(sql(database), new Object[0])};
    }

    /**
     * Nothing: the lock has ended with its transaction. Nor is it taken for the rollback, which undoes the changes last first
     * and would come to it when all is done; to lock before, write it into the changeset's own {@code rollback}.
     */
    @Override
    protected Change[] createInverses() {
        return new Change[0];
    }

    /** How long to wait may change later: what is locked is the same. */
    @Override
    public String[] getExcludedFieldFilters(ChecksumVersion version) {
        return new String[] {LOCK_TIMEOUT};
    }
}
