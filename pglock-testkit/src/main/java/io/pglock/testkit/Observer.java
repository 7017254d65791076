// SPDX-License-Identifier: Apache-2.0
package io.pglock.testkit;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGProperty;

/**
 * The testkit's own session in the database of a test class: it looks at the others and is not counted among them. Its
 * questions do without the catalogs, so that they are answered while a test keeps one locked.
 */
final class Observer implements AutoCloseable {
    private static final String BLOCKED = "select count(*) > 0 from pg_locks where not granted and pid = ?";
    private static final String BLOCKED_WITH_WORKERS = """
            select count(*) > 0 from pg_locks
             where not granted
               and (pid = ? or pid in (select pid from pg_stat_get_activity(null) where leader_pid = ?))""";

    private final Database database;
    private @Nullable Connection connection;

    Observer(Database database) {
        this.database = database;
    }

    /** The connection, a new one if a test has ended it. */
    synchronized Connection connection() {
        try {
            if (connection == null || connection.isClosed()) {
                connection = open();
            }
            return connection;
        } catch (SQLException e) {
            throw new IllegalStateException("observing " + database + ": " + e.getMessage(), e);
        }
    }

    private Connection open() {
        // It must answer when a test fails, even if that test holds a lock on what it needs.
        String jit = database.server().majorVersion() >= 11 ? " -c jit=off" : "";
        return database.connect(Map.of(
                PGProperty.APPLICATION_NAME,
                "testkit observer",
                PGProperty.OPTIONS,
                "-c lock_timeout=2s -c statement_timeout=20s" + jit));
    }

    boolean isBlocked(int pid) throws SQLException {
        return "t"
                .equals(first(
                        database.server().majorVersion() >= 13
                                ? Rows.read(connection(), BLOCKED_WITH_WORKERS, pid, pid)
                                : Rows.read(connection(), BLOCKED, pid)));
    }

    List<Integer> pidsBlocking(int pid) throws SQLException {
        return Rows.read(connection(), "select unnest(pg_blocking_pids(?))", pid).stream()
                .map(Integer::valueOf)
                .toList();
    }

    String state(int pid) throws SQLException {
        return first(Rows.read(connection(), "select state from pg_stat_get_activity(?)", pid));
    }

    boolean isAlive(int pid) throws SQLException {
        return !Rows.read(connection(), "select pid from pg_stat_get_activity(null) where pid = ?", pid)
                .isEmpty();
    }

    private static String first(List<String> rows) {
        return rows.isEmpty() ? "" : rows.get(0);
    }

    @Override
    public synchronized void close() throws SQLException {
        if (connection != null) {
            connection.close();
        }
    }
}
