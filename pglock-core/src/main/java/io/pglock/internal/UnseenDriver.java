// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import java.lang.System.Logger.Level;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.SQLException;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A connection behind which pglock does not see PostgreSQL's driver: it has none itself, another copy, or what wraps the
 * connection does not unwrap. To any other database that is nothing to speak of; on PostgreSQL it is said, once. Thread-safe.
 * Not API.
 */
public final class UnseenDriver {

    private static final AtomicBoolean TOLD = new AtomicBoolean();

    private UnseenDriver() {}

    /** Warns once in the life of the JVM, if PostgreSQL is at the other end. */
    public static void warn(Connection connection) {
        if (isPostgres(connection) && TOLD.compareAndSet(false, true)) {
            Log.log(
                    Level.WARNING,
                    "pglock does nothing on this PostgreSQL, because it cannot see org.postgresql's driver behind "
                            + connection.getClass().getName()
                            + ". Let one class loader load both pglock and the driver, and let what wraps connections unwrap them.");
        }
    }

    /** As it introduces itself. YugabyteDB's own driver does so too, and says in the version what it is. */
    private static boolean isPostgres(Connection connection) {
        try {
            DatabaseMetaData database = connection.getMetaData();
            return "PostgreSQL".equals(database.getDatabaseProductName())
                    && !database.getDatabaseProductVersion().contains("-YB-");
        } catch (SQLException | RuntimeException | LinkageError e) {
            return false; // nobody has asked for pglock to look at whatever that is
        }
    }
}
