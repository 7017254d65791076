// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase.internal;

import io.pglock.SqlCommand;
import io.pglock.internal.Statements;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import liquibase.statement.SqlStatement;
import liquibase.statement.core.ClearDatabaseChangeLogTableStatement;
import liquibase.statement.core.CreateDatabaseChangeLogLockTableStatement;
import liquibase.statement.core.CreateDatabaseChangeLogTableStatement;
import liquibase.statement.core.InitializeDatabaseChangeLogLockTableStatement;
import liquibase.statement.core.LockDatabaseChangeLogStatement;
import liquibase.statement.core.MarkChangeSetRanStatement;
import liquibase.statement.core.RawParameterizedSqlStatement;
import liquibase.statement.core.RawSqlStatement;
import liquibase.statement.core.RemoveChangeSetRanStatusStatement;
import liquibase.statement.core.TagDatabaseStatement;
import liquibase.statement.core.UnlockDatabaseChangeLogStatement;
import liquibase.statement.core.UpdateChangeSetChecksumStatement;

/**
 * What can be told of a statement before Liquibase has made SQL of it. What Liquibase does not split is one of its statements, and
 * several of PostgreSQL's. Stateless.
 */
final class StatementText {

    private static final Pattern SEARCH_PATH = Pattern.compile("show search_path|set (local )?search_path .*");

    private static final Pattern END = Pattern.compile(
            "(commit|end|abort|prepare transaction|rollback(?!( work| transaction)? to\\b))\\b.*", Pattern.DOTALL);

    /** What Liquibase says to its own tables. */
    private static final Set<Class<?>> OF_CHANGELOG = Set.of(
            ClearDatabaseChangeLogTableStatement.class,
            CreateDatabaseChangeLogLockTableStatement.class,
            CreateDatabaseChangeLogTableStatement.class,
            InitializeDatabaseChangeLogLockTableStatement.class,
            LockDatabaseChangeLogStatement.class,
            MarkChangeSetRanStatement.class,
            RemoveChangeSetRanStatusStatement.class,
            TagDatabaseStatement.class,
            UnlockDatabaseChangeLogStatement.class,
            UpdateChangeSetChecksumStatement.class);

    private StatementText() {}

    /** Its SQL, where it was written as such. */
    @SuppressWarnings("deprecation") // what a change in SQL is made of all the same
    static Optional<String> raw(SqlStatement statement) {
        if (statement instanceof RawSqlStatement sql) {
            return Optional.ofNullable(sql.getSql());
        }
        return statement instanceof RawParameterizedSqlStatement sql
                ? Optional.ofNullable(sql.getSql())
                : Optional.empty();
    }

    private static boolean begins(SqlStatement statement, Predicate<SqlCommand> as) {
        return raw(statement).map(SqlCommand::of).filter(as).isPresent();
    }

    private static List<SqlCommand> commands(SqlStatement statement) {
        return raw(statement).map(Statements::parts).orElse(List.of()).stream()
                .map(SqlCommand::of)
                .filter(command -> !command.words().isEmpty())
                .toList();
    }

    /** Whether it says what kind of transaction it is, which PostgreSQL takes as the first statement of one only. */
    static boolean describesTransaction(SqlStatement statement) {
        return begins(statement, SqlCommand::describesTransaction);
    }

    /** Whether more follows in the same piece. */
    static boolean isSeveral(SqlStatement statement) {
        return commands(statement).size() > 1;
    }

    /** Whether it, or a part of it, ends its transaction. */
    static boolean endsTransaction(SqlStatement statement) {
        return endsTransaction(commands(statement));
    }

    /** Whether more follows in the same piece when its transaction has ended. */
    static boolean goesOnAfterItsTransaction(SqlStatement statement) {
        List<SqlCommand> commands = commands(statement);
        return commands.size() > 1 && endsTransaction(commands.subList(0, commands.size() - 1));
    }

    private static boolean endsTransaction(List<SqlCommand> commands) {
        return commands.stream()
                .anyMatch(command -> END.matcher(command.words()).matches());
    }

    /** Whether it, or a part of it, leaves in the session what is not undone with its transaction. */
    static boolean outlivesTransaction(SqlStatement statement) {
        return commands(statement).stream().anyMatch(SqlCommand::outlivesTransaction);
    }

    /** Whether all it does is to ask for the search path or to set it, as Liquibase does after each of its rollbacks. */
    static boolean isSearchPath(SqlStatement statement) {
        return begins(statement, command -> SEARCH_PATH.matcher(command.words()).matches()) && !isSeveral(statement);
    }

    /** Whether it is about what Liquibase keeps in its own tables. */
    static boolean isOfChangelog(SqlStatement statement) {
        return OF_CHANGELOG.contains(statement.getClass());
    }
}
