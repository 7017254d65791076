// SPDX-License-Identifier: Apache-2.0
package io.pglock.testkit;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;

/** Query results as text, one string per row with the columns separated by a bar, as {@code psql -At} prints them. */
final class Rows {
    private Rows() {}

    static List<String> read(Connection connection, String sql, Object... parameters) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            for (int i = 0; i < parameters.length; i++) {
                statement.setObject(i + 1, parameters[i]);
            }
            try (ResultSet rows = statement.executeQuery()) {
                return read(rows);
            }
        }
    }

    static void execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    static List<String> read(ResultSet rows) throws SQLException {
        int columns = rows.getMetaData().getColumnCount();
        var read = new ArrayList<String>();
        while (rows.next()) {
            var row = new StringBuilder();
            for (int column = 1; column <= columns; column++) {
                String value = rows.getString(column);
                row.append(column > 1 ? "|" : "").append(value == null ? "" : value);
            }
            read.add(row.toString());
        }
        return List.copyOf(read);
    }
}
