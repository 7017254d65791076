// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase.internal;

import io.pglock.Backend;
import io.pglock.LockInfo;
import io.pglock.LockKey;
import io.pglock.PgLock;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Date;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import liquibase.database.Database;
import liquibase.lockservice.DatabaseChangeLogLock;
import liquibase.structure.core.Schema;

/**
 * A changelog table, as the server sees it: the same for every Liquibase that works on it, whatever its version and settings
 * call the schema. Immutable.
 *
 * @param database the name of the database that it is in, and its lock too
 * @param key what is locked; no other table of the database has the same
 */
record Changelog(String database, LockKey key) {

    /** Of this Liquibase. Begins a transaction where autocommit is off. */
    static Changelog of(Database database, Connection connection) throws SQLException {
        String schema = Optional.ofNullable(database.getLiquibaseSchemaName())
                .map(String::strip)
                .orElse("");
        try (PreparedStatement statement = connection.prepareStatement(Sql.CHANGELOG)) {
            // as Liquibase writes it: quoted only where that is needed
            statement.setString(1, schema.isEmpty() ? "" : database.escapeObjectName(schema, Schema.class));
            statement.setString(2, schema);
            statement.setString(3, database.getDatabaseChangeLogTableName());
            try (ResultSet row = statement.executeQuery()) {
                row.next();
                return new Changelog(row.getString(1), LockKey.named(row.getString(2)));
            }
        }
    }

    /** The other sessions that hold its lock: one at most, unless somebody takes the key for something else, shared. */
    List<Backend> holders(Connection connection) {
        return PgLock.on(connection).locks().database(database).advisory(key).granted().list().stream()
                .map(LockInfo::backend)
                .toList();
    }

    /** As Liquibase lists it. When it was taken PostgreSQL does not say; since when that session has been there, it does. */
    static DatabaseChangeLogLock heldBy(Backend holder) {
        return new DatabaseChangeLogLock(
                holder.pid(),
                Date.from(holder.backendStart().orElse(holder.seenAt())),
                holder.describe()
                        + holder.clientAddress().map(from -> " from " + from).orElse("") + ", whose session began");
    }

    /** {@code pid 4711 (...). Wait for it, or end it: select pg_terminate_backend(4711)} */
    static String remedy(List<Backend> holders) {
        return holders.stream().map(Backend::describe).collect(Collectors.joining(", ")) + ". Wait for it, or end it: "
                + holders.stream()
                        .map(holder -> "select pg_terminate_backend(" + holder.pid() + ")")
                        .collect(Collectors.joining(", "));
    }
}
