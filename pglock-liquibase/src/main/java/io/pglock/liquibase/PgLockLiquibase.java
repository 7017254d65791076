// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase;

import io.pglock.liquibase.internal.Attachment;
import io.pglock.liquibase.internal.PgLockSettings;
import java.util.Map;
import javax.sql.DataSource;
import liquibase.database.Database;

/**
 * For code that runs Liquibase itself, on a connection from a pool: where pglock's side connection comes from, and settings.
 * Everywhere else there is nothing to call. Stateless, thread-safe.
 *
 * {@snippet :
 * Database database = DatabaseFactory.getInstance().findCorrectDatabaseImplementation(new JdbcConnection(connection));
 * PgLockLiquibase.attach(database, dataSource);
 * new Liquibase("db/changelog.xml", resources, database).update();
 * }
 */
public final class PgLockLiquibase {

    private PgLockLiquibase() {}

    /**
     * The side connection comes from this data source, unless there is a {@code monitorUrl}. Without it pglock uses the URL,
     * user and password that Liquibase connects with; a bare {@link java.sql.Connection} does not give them away.
     *
     * @param database kept by weak reference
     * @param dataSource of the same server and database; asked for one connection while changesets run
     */
    public static void attach(Database database, DataSource dataSource) {
        attach(database, dataSource, Map.of());
    }

    /**
     * As {@link #attach(Database, DataSource)}, with settings, which count where Liquibase itself is not given any.
     *
     * @param settings by key, without any prefix: those of {@link io.pglock.LockPolicy}, and {@code changelogLock}
     * @throws IllegalArgumentException when a key does not exist or a value is not in the right form
     */
    public static void attach(Database database, DataSource dataSource, Map<String, String> settings) {
        Attachment.attach(database, dataSource, settings);
    }

    /**
     * Whether {@link #attach(Database, DataSource, Map)} would take these settings, for a host that reads them before it has a
     * database.
     *
     * @param settings by key, without any prefix
     * @throws IllegalArgumentException when a key does not exist or a value is not in the right form, naming all that is wrong
     */
    public static void check(Map<String, String> settings) {
        PgLockSettings.check(settings);
    }
}
