// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Properties;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;

/**
 * What an application under test sees, and prints line by line for the test to compare: {@code name: value}. It knows its
 * database from its arguments, as {@code ForkedJvm.Launch.database} gives them. Thread-safe.
 */
record Readings(String url, String user, String password) {

    /** Something that an application does. */
    @FunctionalInterface
    interface Work {
        void run() throws Exception;
    }

    static Readings of(String... arguments) {
        return new Readings(arguments[0], arguments[1], arguments[2]);
    }

    /** One line. */
    void line(String name, Object... values) {
        StringBuilder line = new StringBuilder(name).append(':');
        for (Object value : values) {
            line.append(' ').append(value);
        }
        System.out.println(line);
    }

    /** One case: a failure is its reading, too, and no later case is without its own. */
    void reading(String name, Work work) {
        try {
            work.run();
        } catch (Throwable e) {
            line(name, "failed with", e);
            e.printStackTrace(System.out);
        }
    }

    Connection connect() throws SQLException {
        return connect("");
    }

    /** With this more in its URL: {@code &name=value}. */
    Connection connect(String more) throws SQLException {
        Properties properties = new Properties();
        properties.setProperty("user", user);
        properties.setProperty("password", password);
        return DriverManager.getConnection(url(more), properties);
    }

    String url(String more) {
        return more.isEmpty() ? url : url + (url.contains("?") ? more : "?" + more.substring(1));
    }

    static void execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    /** The only value of the only row. */
    static String value(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            row.next();
            return row.getString(1);
        }
    }

    static String lockTimeout(Connection connection) throws SQLException {
        return value(connection, "show lock_timeout");
    }

    /** How much the agent still has to do for statements; while it has nothing to do it does not even look at them. */
    static int armed() throws ReflectiveOperationException {
        return Class.forName("java.lang.PgLockBridge").getField("armed").getInt(null);
    }

    /** What is left of a scope: what the server says, past an agent that must have nothing to do any more. */
    static String left(Connection connection) throws Exception {
        int armed = armed();
        return armed == 0 ? lockTimeout(connection) : lockTimeout(connection) + " (armed " + armed + ")";
    }

    /** On a thread of its own, which is in no method: the common pool has too few where there are few processors. */
    static <T> CompletableFuture<T> elsewhere(Callable<T> work) {
        return CompletableFuture.supplyAsync(
                () -> {
                    try {
                        return work.call();
                    } catch (Exception e) {
                        throw new IllegalStateException(e);
                    }
                },
                task -> {
                    Thread thread = new Thread(task, "elsewhere");
                    thread.setDaemon(true);
                    thread.start();
                });
    }

    /** What the server said, as its code. */
    static String sqlState(Work work) throws Exception {
        try {
            work.run();
            return "no failure";
        } catch (SQLException e) {
            return e.getSQLState();
        }
    }
}
