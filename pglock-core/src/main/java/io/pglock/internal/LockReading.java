// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import io.pglock.Backend;
import io.pglock.PgLockException;
import io.pglock.TableName;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The lock table as it was at one moment. It is read on the caller's session, bounded in time, and leaves that session as it
 * was; inside a transaction, it leaves no lock in it either. Not API.
 *
 * @param rows the locks
 * @param knowsWaitStart whether this version says since when somebody waits
 * @param seenAt when, by the server's clock
 * @param notes what could not be seen, and why
 */
public record LockReading(List<LockRow> rows, boolean knowsWaitStart, Instant seenAt, List<String> notes) {

    /** The inquiry's statement_timeout. A cancel that comes sooner is not ours. */
    private static final Duration LONGEST = Duration.ofSeconds(5);

    private static final int WITH_WAIT_START = 14;

    /**
     * @param tables those that must be known by their names
     * @throws PgLockException when the session cannot be asked, or the tables cannot be told because a catalog is locked
     */
    public static LockReading of(PgSession session, List<TableName> tables) {
        session.requireUsable("pg_locks");
        try {
            return session.withoutTransaction(() -> {
                long began = System.nanoTime();
                try {
                    return reading(session, true, Optional.empty());
                } catch (SQLException e) {
                    if (!isCatalogLocked(e, began)) {
                        throw e;
                    }
                    if (!tables.isEmpty()) {
                        throw unknown(tables, e);
                    }
                    return reading(
                            session,
                            false,
                            Optional.of("A system catalog is locked (" + e.getMessage()
                                    + "): OIDs are shown instead of names."));
                }
            });
        } catch (SQLException e) {
            throw Failures.exception("pg_locks", e);
        }
    }

    private static LockReading reading(PgSession session, boolean catalogs, Optional<String> note) throws SQLException {
        int major = session.majorVersion();
        List<LockRow> rows = inquire(session, Sql.locks(major, catalogs), Pipeline.NOTHING, LockRow::read);
        Instant seenAt = rows.stream()
                .flatMap(row -> row.backend().stream())
                .map(Backend::seenAt)
                .findFirst()
                .orElseGet(Instant::now);
        return new LockReading(rows, major >= WITH_WAIT_START, seenAt, notes(rows, note));
    }

    private static boolean isCatalogLocked(SQLException e, long began) {
        return SqlState.is(e, SqlState.LOCK_NOT_AVAILABLE)
                || (SqlState.is(e, SqlState.QUERY_CANCELED) && System.nanoTime() - began >= LONGEST.toNanos());
    }

    private static List<String> notes(List<LockRow> rows, Optional<String> note) {
        List<String> notes = new ArrayList<>();
        note.ifPresent(notes::add);
        long hidden = rows.stream()
                .flatMap(row -> row.backend().stream())
                .filter(backend -> !backend.visible())
                .count();
        if (hidden > 0) {
            String role = Text.identifier(rows.get(0).askedBy());
            notes.add("State and query of " + hidden + (hidden == 1 ? " session are" : " sessions are")
                    + " hidden from this role. To see them: GRANT pg_read_all_stats TO " + role + ".");
        }
        return List.copyOf(notes);
    }

    /**
     * The OIDs of relations, as this session finds them.
     *
     * @throws PgLockException when one does not exist, or cannot be looked up because a catalog is locked
     */
    public static Set<Long> oids(PgSession session, List<TableName> tables) {
        session.requireUsable("pg_class");
        try {
            return session.withoutTransaction(() -> new LinkedHashSet<>(inquire(
                    session,
                    Sql.RESOLVE_TABLES,
                    statement -> statement.setArray(
                            1,
                            session.connection()
                                    .createArrayOf(
                                            "text",
                                            tables.stream().map(TableName::sql).toArray())),
                    row -> {
                        long oid = row.getLong(1);
                        if (row.wasNull()) {
                            throw missing(tables.get(row.getRow() - 1), row.getString(2), row.getString(3));
                        }
                        return oid;
                    })));
        } catch (SQLException e) {
            throw SqlState.is(e, SqlState.LOCK_NOT_AVAILABLE)
                    ? unknown(tables, e)
                    : Failures.exception(names(tables), e);
        }
    }

    private static PgLockException unknown(List<TableName> tables, SQLException e) {
        return new PgLockException(
                names(tables)
                        + ": cannot be looked up, because a system catalog is locked. Ask without on(...), which shows OIDs then. "
                        + e.getMessage(),
                e);
    }

    private static String names(List<TableName> tables) {
        return tables.stream().map(TableName::toString).collect(Collectors.joining(", "));
    }

    private static PgLockException missing(TableName table, String searchPath, String database) {
        return new PgLockException(table + ": there is no such relation in database " + database
                + (table.schema().isPresent()
                        ? "."
                        : " on the search_path (" + searchPath + "). Write it with its schema: schema.name."));
    }

    private static <T> List<T> inquire(
            PgSession session, String query, Pipeline.Binding parameters, Pipeline.Reading<T> reading)
            throws SQLException {
        boolean guarded = session.inTransaction();
        try {
            return Pipeline.query(session, Sql.inquiry(session.majorVersion(), guarded, query), parameters, reading);
        } catch (SQLException e) {
            if (guarded) {
                Failures.makeUpFor(e, () -> Failures.rollBackToSavepoint(session));
            }
            throw e;
        }
    }
}
