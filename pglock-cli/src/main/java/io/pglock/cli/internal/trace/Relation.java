// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.trace;

import io.pglock.TableName;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Optional;

/**
 * A table, index, view or sequence as the catalog has it at a moment. Immutable. Not API.
 *
 * @param kind {@code pg_class.relkind}
 * @param file where its rows are, by number: another one means that all of them were written anew; empty for a view
 * @param indexed the table, if it is an index
 */
record Relation(long oid, String schema, String name, String kind, Optional<Long> file, Optional<Long> indexed) {

    /** From a row that begins with the columns of {@code Sql.TRACE_RELATIONS}; empty where the relation is not there any more. */
    static Optional<Relation> of(ResultSet row) throws SQLException {
        String schema = row.getString(2);
        return schema == null
                ? Optional.empty()
                : Optional.of(new Relation(
                        row.getLong(1),
                        schema.startsWith("pg_temp_") ? "pg_temp" : schema,
                        row.getString(3),
                        row.getString(4),
                        number(row, 5),
                        number(row, 6)));
    }

    private static Optional<Long> number(ResultSet row, int column) throws SQLException {
        long value = row.getLong(column);
        return row.wasNull() ? Optional.empty() : Optional.of(value);
    }

    boolean isIndex() {
        return indexed.isPresent();
    }

    boolean isTable() {
        return kind.equals("r") || kind.equals("m") || kind.equals("p") || kind.equals("f");
    }

    /** In a word. */
    String kindInWords() {
        return switch (kind) {
            case "r", "p" -> "table";
            case "i", "I" -> "index";
            case "v" -> "view";
            case "m" -> "materialized view";
            case "S" -> "sequence";
            case "f" -> "foreign table";
            case "c" -> "type";
            default -> "relation";
        };
    }

    @Override
    public String toString() {
        return TableName.of(schema, name).toString();
    }
}
