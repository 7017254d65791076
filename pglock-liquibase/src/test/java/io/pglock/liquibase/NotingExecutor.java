// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import liquibase.database.Database;
import liquibase.executor.jvm.JdbcExecutor;
import liquibase.sql.visitor.SqlVisitor;
import liquibase.statement.SqlStatement;

/** What {@code runWith="noted"} names: like psql, it does not run through Liquibase's connection. Thread-safe. */
public final class NotingExecutor extends JdbcExecutor {

    static final List<String> NOTED = new CopyOnWriteArrayList<>();

    @Override
    public String getName() {
        return "noted";
    }

    @Override
    public boolean supports(Database database) {
        return true;
    }

    @Override
    public void execute(SqlStatement statement, List<SqlVisitor> visitors) {
        String sql = statement.toString();
        if (sql.contains("orders")) {
            NOTED.add(sql);
        }
    }
}
