// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase.internal;

import io.pglock.SqlCommand;
import java.util.Optional;
import liquibase.statement.SqlStatement;
import liquibase.statement.core.RawParameterizedSqlStatement;
import liquibase.statement.core.RawSqlStatement;

/** What can be told of a statement before Liquibase has made SQL of it. Stateless. */
final class StatementText {

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

    /** Whether it says what kind of transaction it is, which PostgreSQL takes as the first statement of one only. */
    static boolean describesTransaction(SqlStatement statement) {
        return raw(statement)
                .filter(sql -> SqlCommand.of(sql).describesTransaction())
                .isPresent();
    }

    /** Whether it leaves in the session what is not undone with its transaction. */
    static boolean outlivesTransaction(SqlStatement statement) {
        return raw(statement)
                .filter(sql -> SqlCommand.of(sql).outlivesTransaction())
                .isPresent();
    }

    /** Whether it asks for the search path or sets it, as Liquibase does after each of its rollbacks. */
    static boolean isSearchPath(SqlStatement statement) {
        return raw(statement)
                .filter(sql -> SqlCommand.of(sql).words().matches("show search_path|set (local )?search_path .*"))
                .isPresent();
    }
}
