// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import io.pglock.Backend;
import io.pglock.LockKey;
import io.pglock.LockMode;
import io.pglock.LockTarget;
import java.sql.Array;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * One row of {@link Sql#locks}. Not API.
 *
 * @param pid whose lock it is; 0 for a prepared transaction
 * @param own whether it is the asking session's
 * @param tag names what is locked: equal for two locks on the same thing
 * @param virtualTransaction tells prepared transactions apart
 * @param blockedBy pg_blocking_pids of who waits; may name one twice, and 0
 * @param backend the session, in the first row of each pid
 * @param prepared the prepared transaction, in each of its rows
 * @param askedBy the role that asked
 */
record LockRow(
        int pid,
        boolean own,
        String tag,
        LockMode mode,
        boolean granted,
        boolean fastPath,
        String virtualTransaction,
        Optional<Instant> waitStart,
        List<Integer> blockedBy,
        LockTarget target,
        Optional<Backend> backend,
        Optional<Backend> prepared,
        String askedBy) {

    static LockRow read(ResultSet row) throws SQLException {
        String mode = row.getString("mode");
        return new LockRow(
                row.getInt("pid"),
                row.getBoolean("own"),
                row.getString("tag"),
                LockMode.ofPgLocks(mode).orElseThrow(() -> new SQLException("pg_locks shows an unknown mode: " + mode)),
                row.getBoolean("granted"),
                row.getBoolean("fastpath"),
                Rows.text(row, "virtualtransaction").orElse(""),
                Rows.instant(row, "waitstart"),
                pids(row.getArray("blocked_by")),
                target(row),
                row.getInt("backend_pid") == 0 ? Optional.empty() : Optional.of(Rows.backend(row)),
                row.getString("prepared_gid") == null ? Optional.empty() : Optional.of(Rows.prepared(row)),
                row.getString("asked_by"));
    }

    private static List<Integer> pids(@Nullable Array array) throws SQLException {
        return array == null ? List.of() : List.of((Integer[]) array.getArray());
    }

    private static LockTarget target(ResultSet row) throws SQLException {
        LockTarget.Type type = LockTarget.Type.ofPgLocks(row.getString("locktype"));
        return new LockTarget(
                type,
                row.getLong("database_oid") == 0 ? Optional.empty() : Rows.text(row, "database"),
                Rows.text(row, "schema"),
                Rows.text(row, "relation"),
                Rows.text(row, "relation_kind").map(LockTarget.RelationKind::ofPgClass),
                number(row, "relation_oid"),
                type == LockTarget.Type.TUPLE
                        ? Optional.of("(" + row.getInt("page") + "," + row.getInt("tuple") + ")")
                        : Optional.empty(),
                type == LockTarget.Type.ADVISORY
                        ? Optional.of(
                                LockKey.ofPgLocks(row.getLong("classid"), row.getLong("objid"), row.getInt("objsubid")))
                        : Optional.empty(),
                Rows.text(row, type == LockTarget.Type.VIRTUALXID ? "virtualxid" : "transactionid"),
                object(row, type));
    }

    private static Optional<String> object(ResultSet row, LockTarget.Type type) throws SQLException {
        return switch (type) {
            case RELATION, EXTEND, TUPLE, TRANSACTIONID, VIRTUALXID, ADVISORY -> Optional.empty();
            case PAGE -> Optional.of("page " + row.getInt("page"));
            default -> {
                Optional<String> described = Rows.text(row, "object");
                yield described.isPresent()
                        ? described
                        : Optional.of("object " + row.getLong("classid") + "/" + row.getLong("objid"));
            }
        };
    }

    private static Optional<Long> number(ResultSet row, String column) throws SQLException {
        long number = row.getLong(column);
        return row.wasNull() ? Optional.empty() : Optional.of(number);
    }
}
