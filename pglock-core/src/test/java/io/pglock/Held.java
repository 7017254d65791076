// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;

/** What a session has and is, asked on its own connection. */
public final class Held {

    private Held() {}

    /** The modes of the advisory locks that this session holds, sorted. */
    static List<String> advisory(Connection connection) throws SQLException {
        return column(
                connection,
                "select mode from pg_locks where locktype = 'advisory' and granted and pid = pg_backend_pid() order by mode");
    }

    /** The tables that this session has locked in a mode stronger than a SELECT's, sorted. */
    static List<String> tables(Connection connection) throws SQLException {
        return column(
                connection,
                "select c.relname || ' ' || l.mode from pg_locks l join pg_class c on c.oid = l.relation where l.granted"
                        + " and l.pid = pg_backend_pid() and c.relnamespace <> 'pg_catalog'::regnamespace order by 1");
    }

    static String setting(Connection connection, String name) throws SQLException {
        return column(connection, "show " + name).get(0);
    }

    /** Leaves an injected connection as it came: no transaction, autocommit. */
    static void end(Connection connection) throws SQLException {
        if (!connection.getAutoCommit()) {
            connection.rollback();
            connection.setAutoCommit(true);
        }
    }

    static void execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    /** The first column of what this query finds. */
    public static List<String> column(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            List<String> values = new ArrayList<>();
            while (rows.next()) {
                values.add(rows.getString(1));
            }
            return values;
        }
    }
}
