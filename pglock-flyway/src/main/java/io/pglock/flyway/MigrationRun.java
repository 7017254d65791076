// SPDX-License-Identifier: Apache-2.0
package io.pglock.flyway;

import io.pglock.LockGuard;
import io.pglock.LockPolicy;
import io.pglock.PgLockException;
import io.pglock.SqlCommand;
import java.lang.System.Logger.Level;
import java.lang.reflect.Method;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.flywaydb.core.api.CoreErrorCode;
import org.flywaydb.core.api.ErrorDetails;
import org.flywaydb.core.api.FlywayException;
import org.flywaydb.core.api.MigrationInfo;
import org.flywaydb.core.api.callback.Callback;
import org.flywaydb.core.api.callback.Context;
import org.flywaydb.core.api.callback.Event;
import org.flywaydb.core.api.callback.Statement;
import org.flywaydb.core.api.configuration.Configuration;
import org.flywaydb.core.api.exception.FlywayBlockStatementExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * One migration under its guard. The statements of a script are run from here where they can be run again ({@link
 * ScriptReplay}), and Flyway is told to skip them; everything else is Flyway's from the beginning. Used by Flyway's thread only.
 */
final class MigrationRun {

    private static final Method SUPPORTS = Arrays.stream(Callback.class.getMethods())
            .filter(method -> method.getName().equals("supports"))
            .findAny()
            .orElseThrow();

    private static final List<Event> OF_STATEMENTS = List.of(
            Event.BEFORE_EACH_MIGRATE_STATEMENT,
            Event.AFTER_EACH_MIGRATE_STATEMENT,
            Event.AFTER_EACH_MIGRATE_STATEMENT_ERROR);

    private final Configuration flyway;
    private final Connection connection;
    private final String unit;
    private final LockPolicy policy;
    private Optional<LockGuard> guard = Optional.empty();

    private Optional<ScriptReplay> replay = Optional.empty();
    private final boolean repeatable;
    private boolean begun;
    private @Nullable Statement latest;

    private MigrationRun(Context context, LockPolicy policy, boolean repeatable) {
        this.flyway = context.getConfiguration();
        this.connection = context.getConnection();
        this.unit = unit(context.getMigrationInfo());
        this.policy = policy;
        this.repeatable = repeatable;
    }

    /**
     * Takes care of the migration that is about to begin. The guard is opened with the first statement of a script, whose head
     * may say how, and at once for everything else.
     *
     * @throws IllegalArgumentException when the migration has settings of its own, and they are not in the right form
     */
    static MigrationRun begin(Context context, LockPolicy policy) {
        Configuration flyway = context.getConfiguration();
        MigrationInfo migration = context.getMigrationInfo();
        boolean script = migration != null && migration.getType().name().contains("SQL");
        if (!(script && tellsAboutStatements()) && !isTransactional(context.getConnection())) {
            HistoryConnection.endPortal(context); // whether it builds an index concurrently nobody will know
        }
        if (!script) {
            LockPolicy own = migration == null ? policy : policy.with(Overrides.ofJavaMigration(migration, flyway));
            return new MigrationRun(context, own, false).opened(context);
        }
        if (!tellsAboutStatements()) {
            return new MigrationRun(context, withoutStatements(policy, context.getConnection()), false).opened(context);
        }
        MigrationRun run = new MigrationRun(context, policy, !flyway.isBatch());
        return flyway.isBatch()
                ? run.opened(context)
                : run; // Flyways before 11 tell nothing about what they send in batches
    }

    private MigrationRun opened(Context context) {
        open(context, policy);
        return this;
    }

    /** Which statement builds an index concurrently nobody will know: outside a transaction, wait as if each did. */
    private static LockPolicy withoutStatements(LockPolicy policy, Connection connection) {
        return isTransactional(connection)
                ? policy
                : policy.concurrentLockTimeout().map(policy::lockTimeout).orElseGet(policy::noLockTimeout);
    }

    private static String unit(@Nullable MigrationInfo migration) {
        return migration == null ? "migration" : migration.getScript();
    }

    /** Since Flyway 10.7, as is this class of its. */
    private static boolean tellsAboutStatements() {
        try {
            Class.forName(
                    "org.flywaydb.core.api.exception.FlywayBlockStatementExecutionException",
                    false,
                    MigrationRun.class.getClassLoader());
            return true;
        } catch (ClassNotFoundException e) {
            return false;
        }
    }

    /** What is run from here is not seen by other callbacks: where one listens to this statement, Flyway runs it. */
    private static boolean othersListen(Context context) {
        return Arrays.stream(context.getConfiguration().getCallbacks())
                .filter(callback -> !PgLockCallback.NAME.equals(callback.getCallbackName()))
                .anyMatch(callback -> OF_STATEMENTS.stream().anyMatch(event -> listens(callback, event, context)));
    }

    /** Not called as it is compiled: from Flyway 11.13 on it takes a {@code CallbackEvent}, and before there is no such class. */
    private static boolean listens(Callback callback, Event event, Context context) {
        try {
            return Boolean.TRUE.equals(SUPPORTS.invoke(callback, event, context));
        } catch (ReflectiveOperationException e) {
            return true; // as it cannot say, Flyway runs it
        }
    }

    /** With a savepoint also where nothing is undone from here: it tells whether the migration has left its transaction alone. */
    private void open(Context context, LockPolicy effective) {
        LockGuard opened =
                LockGuard.openWithSavepoint(unit, connection, flyway.getDataSource(), effective, PgLockCallback::log);
        guard = Optional.of(opened);
        if (opened.triesAgain()) {
            HistoryConnection.mayIdle(context);
        }
    }

    // ---- statements -------------------------------------------------------------------------------------------------

    /**
     * Flyway is about to run this statement.
     *
     * @throws RuntimeException Flyway's, to skip it, when it has been run from here
     * @throws FlywayException when it has failed, and Flyway cannot be left to find that out
     */
    void beforeStatement(Context context) {
        Statement told = context.getStatement();
        if (told == null || told.getSql() == null || told == latest) {
            return; // asked twice about one statement
        }
        latest = told;
        Map<String, String> overrides = Overrides.leading(told.getSql());
        if (begun) {
            if (!overrides.isEmpty()) {
                throw new FlywayException(
                        "pglock: " + unit
                                + ": the comment \"-- pglock:\" counts for the whole migration; put it above the first statement");
            }
        } else if (guard.isEmpty() || !overrides.isEmpty()) {
            LockPolicy own = policy.with(overrides);
            guard.ifPresent(LockGuard::close);
            open(context, own);
            replay = guard.filter(open -> repeatable)
                    .map(open -> new ScriptReplay(unit, connection, open, flyway.isOutputQueryResults()));
        }
        begun = true;
        LockGuard open = guard.orElseThrow();
        SqlCommand command = SqlCommand.of(told.getSql());
        if (command.describesTransaction()) {
            beforeTransactionOfItsOwn(open);
        } else if (open.concerns(told.getSql())) {
            HistoryConnection.endPortal(context);
            open.beforeStatement(told.getSql());
        }
        if (replay.isPresent() && replay.get().runs(command, othersListen(context))) {
            open.afterStatement();
            throw Skipping.exception();
        }
    }

    /** The timeouts are set with the next statement: that is a query, and what kind of transaction it is has to be said before the first. */
    private void beforeTransactionOfItsOwn(LockGuard open) {
        open.beforeForeignStatement();
        if (replay.isEmpty()) { // else it sees to that
            open.forgetSavepoint();
        }
    }

    /** Apart, because Flyways before 10.7 have no such exception, and a class is loaded with all that it throws. */
    private static final class Skipping {

        static RuntimeException exception() {
            return new FlywayBlockStatementExecutionException(
                    new ErrorDetails(CoreErrorCode.ERROR, "pglock has run it"), "so that it could be tried again");
        }
    }

    /** Flyway has run a statement, and it went well. */
    void afterStatement() {
        guard.filter(LockGuard::insideStatement).ifPresent(LockGuard::afterStatement);
    }

    // ---- the end ----------------------------------------------------------------------------------------------------

    /** The migration has ended. Never throws: Flyway would undo what succeeded, or show that instead of the real error. */
    void end(boolean failed) {
        guard.ifPresent(open -> {
            try {
                if (failed && replay.filter(ScriptReplay::hasTold).isEmpty()) {
                    open.failed().ifPresent(text -> PgLockCallback.log(Level.ERROR, text));
                }
            } finally {
                close(open);
            }
        });
    }

    /** It failed, and nobody was told; by now there is no one to tell who was in the way. */
    void abandon() {
        guard.ifPresent(open -> {
            open.failed();
            close(open);
        });
    }

    private static void close(LockGuard open) {
        try {
            open.close();
        } catch (PgLockException e) {
            PgLockCallback.log(Level.WARNING, "not closed as it should be: " + e.getMessage());
        }
    }

    /**
     * Whether all of it is undone, and by its own policy may be run again. Not one that has ended its transaction itself: what
     * it did before stays done.
     */
    boolean canBeRepeated() {
        return guard.filter(open -> open.triesAgain() && open.tryRollBackToSavepoint())
                .isPresent();
    }

    /**
     * It has ended well: whether all that it did is undone if its transaction is. Its savepoint is gone after that, as it is not
     * needed any more.
     */
    boolean goesWithItsTransaction() {
        return guard.map(LockGuard::tryReleaseSavepoint).orElse(true); // without one it has run no statement
    }

    private static boolean isTransactional(Connection connection) {
        try {
            return !connection.getAutoCommit();
        } catch (SQLException e) {
            return true; // the connection is gone, and the transaction with it
        }
    }

    Configuration flyway() {
        return flyway;
    }
}
