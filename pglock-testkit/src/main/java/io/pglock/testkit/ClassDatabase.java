// SPDX-License-Identifier: Apache-2.0
package io.pglock.testkit;

import java.sql.SQLException;

/** The database of a test class and the testkit's session in it, dropped when JUnit has done with the class. */
final class ClassDatabase implements AutoCloseable {
    private final Database database = PostgresServer.shared().createDatabase();
    private final Observer observer = new Observer(database);

    ClassDatabase() {}

    Database database() {
        return database;
    }

    Observer observer() {
        return observer;
    }

    @Override
    public void close() throws SQLException {
        observer.close();
        database.drop();
    }
}
