// SPDX-License-Identifier: Apache-2.0
package io.pglock.examples.hosts;

import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.locks.LockSupport;

/** Of a web application that has its driver in {@code WEB-INF/lib}. */
public final class StockServlet extends HttpServlet {

    private static final long serialVersionUID = 1;

    @Override
    public void init() throws ServletException {
        try {
            Class.forName("org.postgresql.Driver");
        } catch (ClassNotFoundException e) {
            throw new ServletException(e);
        }
    }

    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response) throws IOException {
        String[] database = getServletContext().getInitParameter("database").split(" ", 3);
        try (Connection connection = DriverManager.getConnection(database[0], database[1], database[2]);
                Statement statement = connection.createStatement()) {
            if (Boolean.getBoolean("leaks")) {
                leak();
            }
            response.getWriter().print(count(statement));
        } catch (SQLException e) {
            throw new IOException(e);
        }
    }

    /** As applications do that start a thread and never end it: for a test that has to see it. */
    private static void leak() {
        Thread thread = new Thread(
                () -> {
                    while (true) {
                        LockSupport.park();
                    }
                },
                "pglock-planted");
        thread.setDaemon(true);
        thread.start();
    }

    /** The locks with a key of 64 bits; a watch marks its session with two of 32. It takes so long that one looks. */
    private static String count(Statement statement) throws SQLException {
        try (ResultSet row = statement.executeQuery("select current_setting('lock_timeout') || ' '"
                + " || (select count(*) from pg_locks where locktype = 'advisory' and granted and objsubid = 1),"
                + " pg_sleep(0.1)")) {
            row.next();
            return row.getString(1);
        }
    }
}
