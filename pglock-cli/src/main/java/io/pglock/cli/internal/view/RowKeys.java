// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.view;

import io.pglock.LockTarget;
import io.pglock.LockTree;
import io.pglock.cli.internal.Sql;
import io.pglock.internal.Text;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The primary keys of the rows that are waited for, where this role may read them. It is a courtesy: whatever goes wrong, the row
 * is shown by its place in the table. Each row is read once, for as long as somebody waits for it. One thread at a time reads;
 * any may ask. Not API.
 */
public final class RowKeys {

    /** Where more are waited for, the others are shown by their place. */
    private static final int MOST = 20;

    private static final int SHOWN_VALUE_LENGTH = 40;

    private record Place(long relation, String ctid) {

        static Optional<Place> of(LockTarget target) {
            // a relation that has a name is in this database, where it can be read
            return target.relation().isEmpty()
                    ? Optional.empty()
                    : target.relationOid().flatMap(oid -> target.ctid().map(ctid -> new Place(oid, ctid)));
        }
    }

    private volatile Map<Place, Optional<String>> known = Map.of();

    /** Reads those of a tree, on a connection in autocommit, and forgets all others. */
    public void read(Connection connection, LockTree tree) {
        Set<Place> wanted = new LinkedHashSet<>();
        tree.stream()
                .flatMap(node -> node.waitingFor().stream())
                .forEach(lock -> Place.of(lock.target()).ifPresent(wanted::add));
        Map<Place, Optional<String>> found = new HashMap<>();
        for (Place place : wanted) {
            Optional<String> before = known.get(place);
            if (before != null) {
                found.put(place, before);
            } else if (found.size() < MOST) {
                found.put(place, read(connection, place));
            }
        }
        known = found;
    }

    /** The key of the row that is waited for: {@code id=42}. */
    public Optional<String> key(LockTarget target) {
        return Place.of(target).flatMap(place -> known.getOrDefault(place, Optional.empty()));
    }

    /** The second statement's; the first one only sets how long it may take. */
    private static ResultSet answer(PreparedStatement statement) throws SQLException {
        statement.execute();
        statement.getMoreResults();
        return statement.getResultSet();
    }

    private static Optional<String> read(Connection connection, Place place) {
        try (PreparedStatement ofTable = connection.prepareStatement(Sql.ROW_KEY)) {
            ofTable.setLong(1, place.relation());
            try (ResultSet table = answer(ofTable)) {
                if (!table.next()) {
                    return Optional.empty(); // no primary key, or one that this role may not read
                }
                String[] columns = (String[]) table.getArray(2).getArray();
                return read(connection, table.getString(1), place, columns);
            }
        } catch (SQLException e) {
            return Optional.empty();
        }
    }

    private static Optional<String> read(Connection connection, String query, Place place, String[] columns)
            throws SQLException {
        try (PreparedStatement ofRow = connection.prepareStatement(Sql.READ_BRIEFLY + query)) {
            ofRow.setString(1, place.ctid());
            try (ResultSet row = answer(ofRow)) {
                if (!row.next()) {
                    return Optional.empty(); // it is another's to see, or gone
                }
                StringBuilder key = new StringBuilder();
                for (int column = 0; column < columns.length; column++) {
                    @Nullable String value = row.getString(column + 1);
                    key.append(key.isEmpty() ? "" : " ")
                            .append(columns[column])
                            .append('=')
                            .append(Text.shorten(String.valueOf(value), SHOWN_VALUE_LENGTH));
                }
                return Optional.of(key.toString());
            }
        }
    }
}
