// SPDX-License-Identifier: Apache-2.0
package io.pglock.flyway;

import java.lang.System.Logger.Level;
import java.lang.reflect.Field;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import org.flywaydb.core.api.callback.Context;

/**
 * The connection on which Flyway keeps its history and its lock, in a transaction for as long as it migrates. The last query
 * that Flyway ran there has left a portal open in the driver's unnamed statement, with a snapshot, and everything that says
 * {@code CONCURRENTLY} waits for the end of all older snapshots: for ever, as Flyway waits for it. Any statement that is no
 * query replaces the portal. Stateless.
 */
final class HistoryConnection {

    private static final String NO_QUERY = "savepoint pglock_portal; release savepoint pglock_portal";

    private HistoryConnection() {}

    /** Ends the portal, if Flyway has two connections. Where it cannot be reached, the watch will say who is in the way. */
    static void endPortal(Context context) {
        try {
            Connection history = of(context);
            if (history != context.getConnection() && !history.getAutoCommit() && !history.isClosed()) {
                try (Statement statement = history.createStatement()) {
                    statement.execute(NO_QUERY);
                }
            }
        } catch (ReflectiveOperationException | RuntimeException | SQLException e) {
            PgLockCallback.log(
                    Level.WARNING,
                    "Flyway's history connection cannot be reached in this version of Flyway, and CONCURRENTLY may wait for"
                            + " it for ever: set flyway.postgresql.transactional.lock=false (" + e + ")");
        }
    }

    /** Flyway shows it to nobody; these names have been the same from 10.0 to 13.12. */
    private static Connection of(Context context) throws ReflectiveOperationException {
        Object migration = read(context, "connection");
        Object database = read(migration, "database");
        Object main = database.getClass().getMethod("getMainConnection").invoke(database);
        return (Connection) main.getClass().getMethod("getJdbcConnection").invoke(main);
    }

    private static Object read(Object from, String field) throws ReflectiveOperationException {
        for (Class<?> type = from.getClass(); type != null; type = type.getSuperclass()) {
            for (Field declared : type.getDeclaredFields()) {
                if (declared.getName().equals(field)) {
                    declared.setAccessible(true);
                    Object value = declared.get(from);
                    if (value != null) {
                        return value;
                    }
                }
            }
        }
        throw new NoSuchFieldException(from.getClass().getName() + "." + field);
    }
}
