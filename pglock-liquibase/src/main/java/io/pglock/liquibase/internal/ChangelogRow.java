// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase.internal;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.Date;
import java.util.Optional;
import liquibase.database.Database;
import liquibase.lockservice.DatabaseChangeLogLock;
import liquibase.util.NetUtil;

/**
 * The row with which Liquibases without pglock exclude each other, in {@code DATABASECHANGELOGLOCK}, as it was read. Immutable.
 *
 * @param table its table, as Liquibase writes it
 * @param lockedBy who holds it
 * @param since when it was locked
 */
record ChangelogRow(String table, String lockedBy, Instant since) {

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

    /** As Liquibase lists it. For one of ours, if nobody has the advisory lock. */
    DatabaseChangeLogLock held() {
        return new DatabaseChangeLogLock(
                1, Date.from(since), lockedBy + (isOurs() ? ", whose session is gone: the next run takes over" : ""));
    }

    /** For a row that is locked by now, and was by one of ours that is dead: this session has the advisory lock. */
    String takenOver() {
        return "pglock: taken over the row of " + table + ", left behind by " + describe() + ", whose session is gone.";
    }

    /** Whoever has locked it does not know of the advisory lock: a Liquibase without pglock, running or dead. */
    String doesNotCount() {
        return "pglock: " + table + " says that " + describe()
                + " has the changelog lock. With changelogLock=advisory that"
                + " does not count: if it is another Liquibase that is running now, end one of the two, and use"
                + " changelogLock=both until all have pglock. If it is not running any more, its row may be cleared:"
                + " release-locks with changelogLock=table.";
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
                                table,
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
        String description = System.getProperty("liquibase.hostDescription");
        String name = MARK + "pid " + ProcessHandle.current().pid() + " on " + NetUtil.getLocalHostName()
                + (description == null ? "" : "#" + description) + " (" + NetUtil.getLocalHostAddress() + ")";
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
