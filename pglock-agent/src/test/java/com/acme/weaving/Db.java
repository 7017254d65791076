// SPDX-License-Identifier: Apache-2.0
package com.acme.weaving;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

/** What the applications have in common: one connection, opened before anything else, and lines for the test. */
final class Db {

    private static Connection connection;
    private static String[] means;

    private Db() {}

    /** @param arguments URL, user, password */
    static void open(String... arguments) throws SQLException {
        means = arguments.clone();
        connection = another();
    }

    static Connection another() throws SQLException {
        return DriverManager.getConnection(means[0], means[1], means[2]);
    }

    /** As the server has it at this moment, for a statement that could wait; {@code SHOW} would pass by the agent. */
    static String lockTimeout() {
        try {
            return current("lock_timeout");
        } catch (SQLException e) {
            return e.toString();
        }
    }

    static String current(String setting) throws SQLException {
        return ask(connection, "select current_setting('" + setting + "')");
    }

    interface Work {
        String run() throws SQLException;
    }

    static String inTransaction(Work work) throws SQLException {
        connection.setAutoCommit(false);
        try {
            return work.run();
        } finally {
            connection.rollback();
            connection.setAutoCommit(true);
        }
    }

    static void run(String sql) throws SQLException {
        run(connection, sql);
    }

    static void run(Connection on, String sql) throws SQLException {
        try (Statement statement = on.createStatement()) {
            statement.execute(sql);
        }
    }

    static String ask(Connection on, String sql) throws SQLException {
        try (Statement statement = on.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            row.next();
            return row.getString(1);
        }
    }

    static void say(String name, Object value) {
        System.out.println(name + ": " + value);
    }
}
