// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase.internal;

import io.pglock.LockKey;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.Date;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
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

    /** Not to be mistaken for the name of a host, which is what others begin with. The number is that of the advisory lock. */
    private static final Pattern MARK = Pattern.compile("pglock (-?\\d{1,19}): ");

    private static final int LONGEST_NAME = 255;

    private static String mark(Changelog changelog) {
        return "pglock " + changelog.key().number() + ": ";
    }

    /**
     * Whether a Liquibase with {@code changelogLock=both} has locked it for this changelog. Such a one holds the advisory lock of
     * that as well, or is dead. Other changelogs may have the same lock table, and other advisory locks.
     */
    boolean isOf(Changelog changelog) {
        return lockedBy.startsWith(mark(changelog));
    }

    /** For which changelog of this database a Liquibase with {@code changelogLock=both} has locked it, if one has. */
    Optional<Changelog> changelog(String database) {
        Matcher mark = MARK.matcher(lockedBy);
        try {
            return mark.lookingAt()
                    ? Optional.of(new Changelog(database, LockKey.of(Long.parseLong(mark.group(1)))))
                    : Optional.empty();
        } catch (NumberFormatException e) {
            return Optional.empty(); // none of ours
        }
    }

    /** {@code web-1 (10.0.0.7) since 2026-01-01T00:00:00Z} */
    String describe() {
        return lockedBy + " since " + since;
    }

    /** As Liquibase lists it, where nobody has the advisory lock of this changelog. */
    DatabaseChangeLogLock held(Changelog changelog) {
        return new DatabaseChangeLogLock(
                1,
                Date.from(since),
                lockedBy + (isOf(changelog) ? ", whose session is gone: the next run takes over" : ""));
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

    private static boolean exists(String table, Connection connection) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(Sql.TABLE_EXISTS)) {
            statement.setString(1, table);
            try (ResultSet row = statement.executeQuery()) {
                row.next();
                return row.getBoolean(1);
            }
        }
    }

    /** The row, if there is one and it is locked. Begins a transaction where autocommit is off. */
    static Optional<ChangelogRow> locked(Database database, Connection connection) throws SQLException {
        String table = table(database);
        if (!exists(table, connection)) {
            return Optional.empty();
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
     * Locks it if it is free, or one of this changelog's has left it behind, whose advisory lock this session has. To be committed.
     *
     * @return the name that it is locked by now, or empty
     */
    static Optional<String> lock(Database database, Connection connection, Changelog changelog) throws SQLException {
        String description = System.getProperty("liquibase.hostDescription");
        String name = mark(changelog) + "pid " + ProcessHandle.current().pid() + " on " + NetUtil.getLocalHostName()
                + (description == null ? "" : "#" + description) + " (" + NetUtil.getLocalHostAddress() + ")";
        String shortened = name.length() <= LONGEST_NAME ? name : name.substring(0, LONGEST_NAME);
        try (PreparedStatement statement = connection.prepareStatement(Sql.lockRow(table(database)))) {
            statement.setString(1, shortened);
            statement.setString(2, mark(changelog) + "%");
            return statement.executeUpdate() == 1 ? Optional.of(shortened) : Optional.empty();
        }
    }

    /** To be committed. Whether it was locked by that name, or has been dropped with its table, as {@code drop-all} does. */
    static boolean unlock(Database database, Connection connection, String name) throws SQLException {
        if (!exists(table(database), connection)) {
            return true;
        }
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
