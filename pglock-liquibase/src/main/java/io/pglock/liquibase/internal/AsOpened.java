// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase.internal;

import io.pglock.internal.SideDataSource;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Optional;
import java.util.Properties;
import javax.sql.DataSource;
import liquibase.database.Database;
import liquibase.database.DatabaseConnection;
import liquibase.database.jvm.JdbcConnection;
import org.jspecify.annotations.Nullable;

/**
 * Opens the side connection the way Liquibase's own was opened, as far as that is known. Where it is not, it says so, once
 * asked, and does not ask the server again. Thread-safe.
 */
final class AsOpened extends SideDataSource {

    /** Opens one. */
    @FunctionalInterface
    interface Opening {
        @Nullable Connection open() throws SQLException;
    }

    private final Opening opening;

    AsOpened(Opening opening) {
        this.opening = opening;
    }

    /**
     * In this order: what the host attached, what the connection was opened with, what Liquibase Pro's connection was opened
     * with, what its URL says; at last its URL and role alone, which is enough where the server asks for no password or
     * {@code .pgpass} has it.
     */
    static DataSource of(Database database) {
        DatabaseConnection connection = database.getConnection();
        return Attachment.of(database)
                .map(Attachment::dataSource)
                .or(() -> connection instanceof PgLockConnection ours ? ours.opened() : Optional.empty())
                .orElseGet(() -> asOpened(connection));
    }

    private static DataSource asOpened(DatabaseConnection connection) {
        Optional<String> user =
                text(connection, "getUsername").or(() -> Optional.ofNullable(connection.getConnectionUserName()));
        Optional<String> password = text(connection, "getPassword");
        return new AsOpened(new Opening() {

            private @Nullable SQLException failed;

            @Override
            public synchronized @Nullable Connection open() throws SQLException {
                if (failed != null) {
                    throw failed;
                }
                Properties properties = new Properties();
                user.ifPresent(name -> properties.setProperty("user", name));
                password.ifPresent(secret -> properties.setProperty("password", secret));
                try {
                    return DriverManager.getConnection(url(connection), properties);
                } catch (SQLException e) {
                    failed = new SQLException(
                            "Liquibase was given an open connection, and what it was opened with is not known ("
                                    + e.getMessage()
                                    + "). Set liquibase.pglock.monitorUrl, monitorUser and monitorPassword, or call"
                                    + " PgLockLiquibase.attach(database, dataSource)",
                            e.getSQLState(),
                            e);
                    throw failed;
                }
            }
        });
    }

    /** With parameters, which {@code getURL()} of Liquibase's connection takes off. */
    private static String url(DatabaseConnection connection) throws SQLException {
        return connection instanceof JdbcConnection jdbc
                ? jdbc.getUnderlyingConnection().getMetaData().getURL()
                : connection.getURL();
    }

    /** What Liquibase Pro's connection has kept. */
    private static Optional<String> text(DatabaseConnection connection, String getter) {
        try {
            return Optional.ofNullable(connection.getClass().getMethod(getter).invoke(connection))
                    .map(String::valueOf);
        } catch (ReflectiveOperationException e) {
            return Optional.empty();
        }
    }

    @Override
    public Connection getConnection() throws SQLException {
        @Nullable Connection connection = opening.open();
        if (connection == null) {
            throw new SQLException("the driver does not open this URL");
        }
        return connection;
    }
}
