// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase.internal;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.Optional;
import liquibase.database.Database;
import liquibase.util.NetUtil;

/**
 * The row with which Liquibases without pglock exclude each other, in {@code DATABASECHANGELOGLOCK}, as it was read. Immutable.
 *
 * @param lockedBy who holds it
 * @param since when it was locked
 */
record ChangelogRow(String lockedBy, Instant since) {

    /** Not to be mistaken for the name of a host, which is what others begin with. */
    private static final String MARK = "pglock: ";

    private static final int LONGEST_NAME = 255;

    /** Whether a Liquibase with {@code changelogLock=both} has locked it. Such a one holds the advisory lock as well, or is dead. */
    boolean isOurs() {
        return lockedBy.startsWith(MARK);
    }

    /** {@code web-1 (10.0.0.7) since 2026-01-01T00:00:00Z} */
    String describe() {
        return lockedBy + " since " + since;
    }

    /** The row, if there is one and it is locked. Begins a transaction where autocommit is off. */
    static Optional<ChangelogRow> locked(Database database, Connection connection) throws SQLException {
        String table = table(database);
        try (PreparedStatement exists = connection.prepareStatement(Sql.TABLE_EXISTS)) {
            exists.setString(1, table);
            try (ResultSet row = exists.executeQuery()) {
                row.next();
                if (!row.getBoolean(1)) {
                    return Optional.empty();
                }
            }
        }
        try (Statement statement = connection.createStatement()) {
            if (!connection.getAutoCommit()) {
                statement.execute(Sql.BRIEFLY);
            }
            try (ResultSet row = statement.executeQuery(Sql.row(table))) {
                return row.next() && row.getBoolean(1)
                        ? Optional.of(new ChangelogRow(
                                row.getString(2),
                                Optional.ofNullable(row.getTimestamp(3))
                                        .map(Timestamp::toInstant)
                                        .orElse(Instant.EPOCH)))
                        : Optional.empty();
            }
        }
    }

    /**
     * Locks it if it is free, or one of ours holds it. To be committed.
     *
     * @return the name that it is locked by now, or empty
     */
    static Optional<String> lock(Database database, Connection connection) throws SQLException {
        String host = NetUtil.getLocalHostName() + " (" + NetUtil.getLocalHostAddress() + ")";
        String name = MARK + "pid " + ProcessHandle.current().pid() + " on " + host;
        String shortened = name.length() <= LONGEST_NAME ? name : name.substring(0, LONGEST_NAME);
        try (PreparedStatement statement = connection.prepareStatement(Sql.lockRow(table(database)))) {
            statement.setString(1, shortened);
            statement.setString(2, MARK + "%");
            return statement.executeUpdate() == 1 ? Optional.of(shortened) : Optional.empty();
        }
    }

    /** To be committed. Whether it was locked by that name. */
    static boolean unlock(Database database, Connection connection, String name) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(Sql.unlockRow(table(database)))) {
            statement.setString(1, name);
            return statement.executeUpdate() == 1;
        }
    }

    static String table(Database database) {
        return database.escapeTableName(
                database.getLiquibaseCatalogName(),
                database.getLiquibaseSchemaName(),
                database.getDatabaseChangeLogLockTableName());
    }
}
