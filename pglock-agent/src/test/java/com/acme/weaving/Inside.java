// SPDX-License-Identifier: Apache-2.0
package com.acme.weaving;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Properties;
import org.postgresql.Driver;

/** A part of an application, with the driver that its class loader has. */
public final class Inside {

    private Inside() {}

    /** Its driver's version, what is in force, and whether it has its lock. */
    public static String show(String url, String user, String password) throws SQLException {
        Properties properties = new Properties();
        properties.setProperty("user", user);
        properties.setProperty("password", password);
        try (Connection connection = new Driver().connect(url, properties)) {
            return connection.getMetaData().getDriverVersion() + " " + guarded(connection) + " " + ask(connection);
        }
    }

    /** The same on a connection that somebody else has opened, with whatever driver he has. */
    public static String handed(Connection connection) throws SQLException {
        return guarded(connection) + " " + ask(connection);
    }

    private static String guarded(Connection connection) throws SQLException {
        return ask(connection);
    }

    private static String ask(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("select current_setting('lock_timeout') || ' ' || count(*)"
                        + " from pg_locks where locktype = 'advisory' and objid = 11")) {
            row.next();
            return row.getString(1);
        }
    }
}
