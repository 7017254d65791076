// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase;

import java.sql.Connection;
import java.sql.SQLException;
import liquibase.change.custom.CustomTaskChange;
import liquibase.database.Database;
import liquibase.database.jvm.JdbcConnection;
import liquibase.exception.CustomChangeException;
import liquibase.exception.ValidationErrors;
import liquibase.resource.ResourceAccessor;

/** A change in Java, of which only what it does is told. */
abstract class JavaChange implements CustomTaskChange {

    /** Does it. */
    abstract void execute(Connection connection) throws SQLException;

    @Override
    public void execute(Database database) throws CustomChangeException {
        run(database, this::execute);
    }

    /** Something to be done on the connection that Liquibase has. */
    @FunctionalInterface
    interface Work {
        void on(Connection connection) throws SQLException;
    }

    static void run(Database database, Work work) throws CustomChangeException {
        try {
            work.on(((JdbcConnection) database.getConnection()).getUnderlyingConnection());
        } catch (SQLException e) {
            throw new CustomChangeException(e);
        }
    }

    @Override
    public String getConfirmationMessage() {
        return "done";
    }

    @Override
    public void setUp() {}

    @Override
    public void setFileOpener(ResourceAccessor resources) {}

    @Override
    public ValidationErrors validate(Database database) {
        return new ValidationErrors();
    }
}
