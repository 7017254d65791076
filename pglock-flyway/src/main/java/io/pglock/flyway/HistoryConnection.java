// SPDX-License-Identifier: Apache-2.0
package io.pglock.flyway;

import java.lang.System.Logger.Level;
import java.lang.reflect.Field;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import org.flywaydb.core.api.callback.Context;

/**
 * The connection on which Flyway keeps its history and its lock, in a transaction for as long as it migrates. Stateless.
 *
 * @see <a href="https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-IDLE-IN-TRANSACTION-SESSION-TIMEOUT">
 *     idle_in_transaction_session_timeout</a>
 */
final class HistoryConnection {

    private HistoryConnection() {}

    /**
     * The last query that Flyway ran there has left a portal open in the driver's unnamed statement, with a snapshot, and everything
     * that says {@code CONCURRENTLY} waits for the end of all older snapshots: for ever, as Flyway waits for it. Any statement that is
     * no query replaces the portal. Where it cannot be reached, the watch will say who is in the way.
     */
    static void endPortal(Context context) {
        try {
            run(context, Sql.NO_QUERY);
        } catch (ReflectiveOperationException | RuntimeException | SQLException e) {
            PgLockCallback.log(
                    Level.WARNING,
                    "Flyway's history connection cannot be reached in this version of Flyway, and CONCURRENTLY may wait for"
                            + " it for ever: set flyway.postgresql.transactional.lock=false (" + e + ")");
        }
    }

    /**
     * It idles for as long as the migration goes on, which may be tried again for long: PostgreSQL is not to end it meanwhile, for
     * Flyway's lock would be free, and what the migration has done could not be noted.
     */
    static void mayIdle(Context context) {
        try {
            run(context, Sql.IDLE_AS_LONG_AS_IT_TAKES);
        } catch (ReflectiveOperationException | RuntimeException | SQLException e) {
            PgLockCallback.log(
                    Level.DEBUG,
                    "Flyway's history connection cannot be reached in this version of Flyway, and idles for no longer than"
                            + " idle_in_transaction_session_timeout (" + e + ")");
        }
    }

    /** If Flyway has two connections, and this one is in a transaction. */
    private static void run(Context context, String sql) throws ReflectiveOperationException, SQLException {
        Connection history = of(context);
        if (history != context.getConnection() && !history.getAutoCommit() && !history.isClosed()) {
            try (Statement statement = history.createStatement()) {
                statement.execute(sql);
            }
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
