// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.script;

import io.pglock.LockPolicy;
import io.pglock.cli.internal.Sql;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The timeouts that files set for their session, where they count from there on. For one session, used by one thread. */
final class OwnTimeouts {

    private static final String LOCK_TIMEOUT = "lock_timeout";
    private static final String STATEMENT_TIMEOUT = "statement_timeout";

    private final Set<String> own = new HashSet<>();

    /** @param last what was said of each timeout by the time it was made */
    private record Savepoint(String name, Map<String, SqlStatement> last) {}

    /** What is left for pglock to set. */
    LockPolicy without(LockPolicy policy) {
        LockPolicy left = own.contains(LOCK_TIMEOUT) ? policy.noLockTimeout() : policy;
        return own.contains(STATEMENT_TIMEOUT) ? left.noStatementTimeout() : left;
    }

    /**
     * Keeps what a unit has said of them; one that it resets is pglock's again.
     *
     * @param unit is applied, and its guard closed
     */
    void keep(SqlUnit unit, Connection connection) throws SQLException {
        for (Map.Entry<String, SqlStatement> said : lastSaid(unit).entrySet()) {
            String timeout = said.getKey();
            boolean reset = resets(said.getValue(), timeout);
            if (reset) {
                own.remove(timeout);
            } else {
                own.add(timeout);
            }
            if (unit.kind() == SqlUnit.Kind.TRANSACTION) {
                // the guard has put back what was there before the transaction
                execute(connection, reset ? Sql.reset(timeout) : said.getValue().sql());
            }
        }
    }

    /** What counts when all is done, for each timeout that something is said of. */
    private static Map<String, SqlStatement> lastSaid(SqlUnit unit) {
        Map<String, SqlStatement> last = new HashMap<>();
        Deque<Savepoint> savepoints = new ArrayDeque<>();
        for (SqlStatement statement : unit.statements()) {
            for (String timeout : List.of(LOCK_TIMEOUT, STATEMENT_TIMEOUT)) {
                if (resets(statement, timeout) || sets(statement, timeout)) {
                    last.put(timeout, statement);
                }
            }
            if (statement.begins("savepoint")) {
                savepoints.push(new Savepoint(statement.savepoint(), Map.copyOf(last)));
            } else if (statement.isSavepoint()) {
                String name = statement.savepoint();
                while (!savepoints.isEmpty() && !savepoints.peek().name().equals(name)) {
                    savepoints.pop();
                }
                if (!savepoints.isEmpty() && statement.begins("release")) {
                    savepoints.pop();
                } else if (!savepoints.isEmpty()) {
                    last = new HashMap<>(savepoints.peek().last());
                }
            }
        }
        return last;
    }

    private static boolean sets(SqlStatement statement, String timeout) {
        return statement.begins("set")
                && !statement.begins("set", "local")
                && statement.words().contains(timeout);
    }

    private static boolean resets(SqlStatement statement, String timeout) {
        return statement.begins("reset", timeout)
                || statement.begins("reset", "all")
                || statement.begins("discard", "all")
                || sets(statement, timeout) && statement.words().contains("default");
    }

    private static void execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}
