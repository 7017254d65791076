// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase.internal;

import io.pglock.LockGuard;
import io.pglock.LockPolicy;
import java.lang.System.Logger.Level;
import java.sql.Connection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import javax.sql.DataSource;
import liquibase.Scope;
import liquibase.change.Change;
import liquibase.changelog.ChangeSet;
import liquibase.changelog.DatabaseChangeLog;
import liquibase.database.Database;
import liquibase.database.core.PostgresDatabase;
import liquibase.database.jvm.JdbcConnection;
import liquibase.exception.DatabaseException;
import liquibase.executor.Executor;
import liquibase.executor.ExecutorService;
import liquibase.executor.jvm.JdbcExecutor;
import liquibase.sql.visitor.SqlVisitor;
import liquibase.statement.SqlStatement;
import org.jspecify.annotations.Nullable;

/**
 * Through which Liquibase runs all that it runs on a PostgreSQL database: everything as it always does, and what belongs to a
 * changeset under the guard of that. Liquibase makes one for each database. Used by one thread at a time, like the connection.
 * Not API.
 */
public final class PgLockExecutor extends JdbcExecutor {

    private final Latest<DatabaseChangeLog, LockPolicy> policies =
            new Latest<>(changeLog -> PgLockSettings.policy(database, changeLog));
    private Optional<DataSource> side = Optional.empty();
    private Optional<ChangeSetRun> run = Optional.empty();
    private Optional<LooseChangeSet> loose = Optional.empty();
    private boolean lockChecked;

    /** As Liquibase needs it. */
    public PgLockExecutor() {}

    @Override
    public int getPriority() {
        return PRIORITY_DATABASE;
    }

    @Override
    public boolean supports(Database database) {
        return isPostgres(database);
    }

    /**
     * The first thing that Liquibase does with one.
     *
     * @throws IllegalArgumentException when a setting is not right: before anything has been run
     */
    @Override
    public void setDatabase(Database database) {
        PgLockSettings.check(database);
        super.setDatabase(database);
    }

    /** PostgreSQL, and nothing that only speaks its protocol. */
    public static boolean isPostgres(Database database) {
        return database instanceof PostgresDatabase && "postgresql".equals(database.getShortName());
    }

    /** The one that runs this database's changesets, if they run through it, on PostgreSQL itself: not where SQL is only printed. */
    static Optional<PgLockExecutor> of(Database database) {
        return isPostgres(database)
                        && ofJdbc(database) instanceof PgLockExecutor executor
                        && executor.connection().filter(LockGuard::serves).isPresent()
                ? Optional.of(executor)
                : Optional.empty();
    }

    /** The one that runs its statements, or writes them down, whoever made it. */
    static Executor ofJdbc(Database database) {
        return Scope.getCurrentScope().getSingleton(ExecutorService.class).getExecutor("jdbc", database);
    }

    Optional<Connection> connection() {
        return database.getConnection() instanceof JdbcConnection jdbc
                ? Optional.of(jdbc.getUnderlyingConnection())
                : Optional.empty();
    }

    /** Whose side connections are all one to the watch. */
    DataSource side() {
        if (side.isEmpty()) {
            side = Optional.of(AsOpened.of(database));
        }
        return side.get();
    }

    /**
     * Undoes what was done under this guard, right after it has failed for a lock. Not if it has ended its transaction itself,
     * for what it did before stays done; of a session that is lost nothing stays.
     */
    boolean undoes(LockGuard guard) {
        return guard.tryRollBackToSavepoint()
                || connection().filter(LockGuard::serves).isEmpty();
    }

    /**
     * What counts for this changeset.
     *
     * @throws IllegalArgumentException when a setting is not in the right form
     */
    LockPolicy policy(ChangeSet changeSet) {
        @Nullable DatabaseChangeLog changeLog = changeSet.getChangeLog();
        LockPolicy policy = changeLog == null ? PgLockSettings.policy(database) : policies.of(changeLog);
        return policy.with(
                changeSet instanceof PgLockChangeSet ours
                        ? ours.overrides()
                        : Overrides.inComments(changeSet.getComments()));
    }

    /** From now on what is run belongs to this. */
    void begin(ChangeSetRun begun) {
        run = Optional.of(begun);
        loose = Optional.empty();
        if (!lockChecked) {
            lockChecked = true;
            ChangelogLock.unheeded(database).ifPresent(warning -> new ChangeSetLog().message(Level.WARNING, warning));
        }
    }

    /** What comes now is Liquibase's own. */
    void end() {
        run = Optional.empty();
    }

    @Override
    public void modifyChangeSet(ChangeSet changeSet) {
        super.modifyChangeSet(changeSet);
        if (run.isPresent()) {
            run.get().beforePreconditions();
        } else {
            loose = Optional.of(new LooseChangeSet(this, database, changeSet));
        }
    }

    @Override
    public void execute(Change change, List<SqlVisitor> visitors) throws DatabaseException {
        if (run.isPresent()) {
            run.get().change(change, () -> super.execute(change, visitors));
        } else if (loose.filter(open -> open.has(change)).isPresent()) {
            LooseChangeSet open = loose.get();
            open.run(change, () -> super.execute(change, visitors));
            loose = Optional.of(open); // its next change is a run of its own
        } else {
            super.execute(change, visitors);
        }
    }

    @Override
    public void execute(SqlStatement statement, List<SqlVisitor> visitors) throws DatabaseException {
        ChangeSetRun.Texts texts = () -> applyVisitors(statement, visitors);
        if (run.isPresent()) {
            run.get().statement(statement, texts, () -> super.execute(statement, visitors));
        } else if (loose.filter(open -> open.isRolledBackBy(statement)).isPresent()) {
            LooseChangeSet open = loose.get();
            open.rollBack(statement, texts, () -> super.execute(statement, visitors));
            loose = Optional.of(open); // its next statement is a run of its own
        } else {
            if (StatementText.isOfChangelog(statement)) {
                loose = Optional.empty(); // with which it has ended
            }
            super.execute(statement, visitors);
        }
    }

    @Override
    public <T> T queryForObject(SqlStatement statement, Class<T> type, List<SqlVisitor> visitors)
            throws DatabaseException {
        run.ifPresent(begun -> begun.beforeQuery(statement));
        return super.queryForObject(statement, type, visitors);
    }

    @Override
    @SuppressWarnings("rawtypes") // as Liquibase has it
    public List queryForList(SqlStatement statement, Class type, List<SqlVisitor> visitors) throws DatabaseException {
        run.ifPresent(begun -> begun.beforeQuery(statement));
        return super.queryForList(statement, type, visitors);
    }

    @Override
    public List<Map<String, ?>> queryForList(SqlStatement statement, List<SqlVisitor> visitors)
            throws DatabaseException {
        run.ifPresent(begun -> begun.beforeQuery(statement));
        return super.queryForList(statement, visitors);
    }
}
