// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;

/**
 * Statements, separated by semicolons, in one round trip: the driver sends them all before it reads, and PostgreSQL skips
 * what follows a failure. Prepared, so that the driver parses each text once per connection. Not API.
 *
 * <p>Two things of the driver go with that. It sends a Sync before a statement that it has had described (as with {@code
 * stringtype=unspecified}) and whose row may be of any length; in autocommit mode this ends the implicit transaction of the
 * call half-way. So only the last statement may return text. And with {@code prepareThreshold=-1} it has all statements
 * described before any is run, so that in a failed transaction nothing may follow the rollback to the savepoint.
 */
final class Pipeline {

    /** Sets the parameters of all the statements, counted through. */
    @FunctionalInterface
    interface Binding {
        void bind(PreparedStatement statement) throws SQLException;
    }

    /** Reads the row that the result is at. */
    @FunctionalInterface
    interface Reading<T> {
        T read(ResultSet row) throws SQLException;
    }

    static final Binding NOTHING = statement -> {};

    private Pipeline() {}

    static void run(PgSession session, String sql, Binding parameters) throws SQLException {
        try (PreparedStatement statement = session.connection().prepareStatement(sql)) {
            parameters.bind(statement);
            statement.execute();
        }
    }

    /** The rows of the last of the statements that returns any. */
    static <T> List<T> query(PgSession session, String sql, Binding parameters, Reading<T> reading)
            throws SQLException {
        return query(session, sql, parameters, reading, true);
    }

    /** The rows of all of the statements, one after the other. */
    static <T> List<T> queryAll(PgSession session, String sql, Binding parameters, Reading<T> reading)
            throws SQLException {
        return query(session, sql, parameters, reading, false);
    }

    private static <T> List<T> query(
            PgSession session, String sql, Binding parameters, Reading<T> reading, boolean onlyLast)
            throws SQLException {
        try (PreparedStatement statement = session.connection().prepareStatement(sql)) {
            // a default fetch size would leave a portal open at its first row
            statement.setFetchSize(0);
            parameters.bind(statement);
            List<ResultSet> results = results(statement);
            List<T> rows = new ArrayList<>();
            for (ResultSet result : results.subList(onlyLast ? Math.max(0, results.size() - 1) : 0, results.size())) {
                while (result.next()) {
                    rows.add(reading.read(result));
                }
            }
            return rows;
        }
    }

    private static List<ResultSet> results(PreparedStatement statement) throws SQLException {
        List<ResultSet> results = new ArrayList<>();
        boolean rows = statement.execute();
        while (rows || statement.getUpdateCount() != -1) {
            if (rows) {
                results.add(statement.getResultSet());
            }
            rows = statement.getMoreResults(Statement.KEEP_CURRENT_RESULT);
        }
        return results;
    }
}
