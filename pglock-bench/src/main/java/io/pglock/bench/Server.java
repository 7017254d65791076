// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench;

import io.pglock.testkit.Database;
import io.pglock.testkit.PostgresServer;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import javax.sql.DataSource;

/** The PostgreSQL that is measured against: the tests' own, so chosen by the same properties. */
final class Server implements AutoCloseable {

    private final Database database = PostgresServer.shared().createDatabase();

    Connection connect() {
        return database.connect();
    }

    String url() {
        return database.url();
    }

    String user() {
        return database.user();
    }

    String password() {
        return database.password();
    }

    DataSource dataSource() {
        return database.dataSource();
    }

    /** Transactions of this database that have ended, as far as their sessions have reported them. */
    long transactions(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(
                        "select xact_commit + xact_rollback from pg_stat_database where datname = current_database()")) {
            row.next();
            return row.getLong(1);
        }
    }

    @Override
    public void close() {
        database.close();
    }
}
