// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.trace;

import io.pglock.LockMode;
import io.pglock.cli.internal.Sql;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** What relations there are: those from before the files, and what became of them. As thread-safe as the connection. */
final class Catalog {

    /** A lock of the traced session, by the relation's OID. */
    record Lock(long relation, LockMode mode) {}

    /** What has changed. */
    record Change(List<Relation> rewritten, List<Relation> created, List<Relation> dropped) {}

    private final Connection connection;
    private final Map<Long, Relation> known = new LinkedHashMap<>();
    private final Set<Long> original = new HashSet<>();
    private final Set<Long> gone = new HashSet<>();

    /** As it is now. */
    Catalog(Connection connection) throws SQLException {
        this.connection = connection;
        readAll().forEach(relation -> known.put(relation.oid(), relation));
        original.addAll(known.keySet());
    }

    /** The locks of the session, by relation; takes note of the relations that it has locked. */
    Set<Lock> locks(Change change) throws SQLException {
        Set<Lock> locks = new HashSet<>();
        Map<Long, Optional<Relation>> seen = new LinkedHashMap<>();
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(Sql.TRACE_LOCKS)) {
            while (row.next()) {
                long oid = row.getLong(1);
                seen.put(oid, Relation.of(row));
                LockMode.ofPgLocks(row.getString(7)).ifPresent(mode -> locks.add(new Lock(oid, mode)));
            }
        }
        seen.forEach((oid, relation) -> compare(oid, relation, change));
        locks.removeIf(lock -> !known.containsKey(lock.relation())); // made and dropped by one statement
        return locks;
    }

    /** Everything is looked at, not only what is locked: after a statement that has committed. */
    void readAgain(Change change) throws SQLException {
        Map<Long, Optional<Relation>> now = new LinkedHashMap<>();
        known.keySet().forEach(oid -> now.put(oid, Optional.empty()));
        readAll().forEach(relation -> now.put(relation.oid(), Optional.of(relation)));
        now.forEach((oid, relation) -> compare(oid, relation, change));
    }

    private void compare(long oid, Optional<Relation> now, Change change) {
        Relation before = known.get(oid);
        now.ifPresent(relation -> known.put(oid, relation));
        if (before == null) {
            now.filter(relation -> !relation.schema().equals("pg_catalog")).ifPresent(change.created()::add);
        } else if (now.isEmpty()) {
            if (gone.add(oid)) {
                change.dropped().add(before);
            }
        } else if (original.contains(oid)
                && before.file().isPresent()
                && now.get().file().isPresent()
                && !before.file().equals(now.get().file())) {
            change.rewritten().add(now.get());
        }
    }

    private List<Relation> readAll() throws SQLException {
        List<Relation> relations = new ArrayList<>();
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(Sql.TRACE_RELATIONS)) {
            while (row.next()) {
                Relation.of(row).ifPresent(relations::add);
            }
        }
        return relations;
    }

    /** As it was seen last. */
    Optional<Relation> relation(long oid) {
        return Optional.ofNullable(known.get(oid));
    }

    /** Whether it was there before the files. */
    boolean isOriginal(long oid) {
        return original.contains(oid)
                || relation(oid).filter(it -> it.schema().equals("pg_catalog")).isPresent();
    }
}
