// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import io.pglock.Backend;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.Optional;

/** Rows of PostgreSQL's system views as values. Stateless. Not API. */
public final class Rows {

    private Rows() {}

    /** The session in a row that was selected with {@link Sql#backendColumns}. */
    public static Backend backend(ResultSet row) throws SQLException {
        int leader = row.getInt("backend_leader_pid"); // 0 for null: no session has that pid
        return new Backend(
                row.getInt("backend_pid"),
                leader == 0 ? Optional.empty() : Optional.of(leader),
                text(row, "backend_database"),
                text(row, "backend_user"),
                text(row, "backend_application"),
                text(row, "backend_client"),
                text(row, "backend_client_hostname"),
                text(row, "backend_type"),
                text(row, "backend_state"),
                instant(row, "backend_start"),
                instant(row, "backend_xact_start"),
                instant(row, "backend_query_start"),
                instant(row, "backend_state_change"),
                text(row, "backend_wait_event"),
                text(row, "backend_query"),
                text(row, "backend_xid"),
                text(row, "backend_xmin"),
                Optional.empty(),
                instant(row, "backend_seen_at").orElseGet(Instant::now));
    }

    /** The prepared transaction in a row that was selected with {@link Sql#PREPARED_COLUMNS}. */
    public static Backend prepared(ResultSet row) throws SQLException {
        return new Backend(
                0,
                Optional.empty(),
                text(row, "prepared_database"),
                text(row, "prepared_owner"),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                instant(row, "prepared_at"),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                text(row, "prepared_xid"),
                Optional.empty(),
                text(row, "prepared_gid"),
                instant(row, "prepared_seen_at").orElseGet(Instant::now));
    }

    /** A session of which nothing but its process id is known. */
    static Backend unknown(int pid, Instant seenAt) {
        return new Backend(
                pid,
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                seenAt);
    }

    static Optional<String> text(ResultSet row, String column) throws SQLException {
        return Optional.ofNullable(row.getString(column));
    }

    static Optional<Instant> instant(ResultSet row, String column) throws SQLException {
        return Optional.ofNullable(row.getObject(column, OffsetDateTime.class)).map(OffsetDateTime::toInstant);
    }
}
