// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.script;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLWarning;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import org.postgresql.util.PSQLWarning;

/**
 * Runs a statement as it is written. Not API.
 *
 * @param rows of a query, each the text of its columns with {@code |} between them, as {@code psql -qAt} writes it
 * @param notices what the server had to say besides
 */
public record SqlCall(List<String> rows, List<String> notices) {

    /** Runs it as it stands in the file, until it has ended or was interrupted. */
    public static SqlCall run(Connection connection, SqlStatement sql, Interruption interruption) throws SQLException {
        return run(connection, sql.sql(), interruption);
    }

    static SqlCall run(Connection connection, String sql, Interruption interruption) throws SQLException {
        List<String> rows = new ArrayList<>();
        List<String> notices = new ArrayList<>();
        try (Statement statement = connection.createStatement()) {
            statement.setEscapeProcessing(false);
            boolean query = interruption.execute(statement, sql);
            if (query) {
                try (ResultSet results = statement.getResultSet()) {
                    read(results, rows);
                }
            }
            for (SQLWarning warning = statement.getWarnings(); warning != null; warning = warning.getNextWarning()) {
                notices.add(notice(warning));
            }
        }
        return new SqlCall(rows, notices);
    }

    private static void read(ResultSet results, List<String> rows) throws SQLException {
        int columns = results.getMetaData().getColumnCount();
        while (results.next()) {
            List<String> row = new ArrayList<>();
            for (int column = 1; column <= columns; column++) {
                String value = results.getString(column);
                row.add(value == null ? "" : value);
            }
            rows.add(String.join("|", row));
        }
    }

    private static String notice(SQLWarning warning) {
        return warning instanceof PSQLWarning reported && reported.getServerErrorMessage() != null
                ? reported.getServerErrorMessage().getSeverity() + ": " + warning.getMessage()
                : String.valueOf(warning.getMessage());
    }
}
