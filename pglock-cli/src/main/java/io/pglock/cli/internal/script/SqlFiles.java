// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.script;

import io.pglock.cli.internal.Stop;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.postgresql.PGConnection;

/**
 * Files that one session runs, one after the other: what one of them sets counts in the next. Immutable. Not API.
 *
 * @param files in their order
 */
public record SqlFiles(List<SqlFile> files) {

    /** Copies the list. */
    public SqlFiles {
        files = List.copyOf(files);
    }

    /** Reads them. @throws Stop when one cannot be read, or is not UTF-8 */
    public static SqlFiles read(List<String> names) {
        return new SqlFiles(names.stream().map(SqlFile::read).toList());
    }

    /** Whether a plain string is cut there as the standard has it. On most servers it is. */
    public static boolean hasStandardStrings(Connection connection) throws SQLException {
        return !"off".equals(connection.unwrap(PGConnection.class).getParameterStatus("standard_conforming_strings"));
    }

    /**
     * Of each file the statements, in order.
     *
     * @param single whether all of them are one transaction
     * @param standardStrings {@code standard_conforming_strings} where the session begins
     * @throws io.pglock.cli.internal.Stop naming the line, when there is something in one that cannot be run
     */
    public List<List<SqlStatement>> statements(boolean single, boolean standardStrings) {
        StringSyntax strings = new StringSyntax(standardStrings, single);
        List<List<SqlStatement>> statements = new ArrayList<>();
        files.forEach(file -> statements.add(file.statements(strings)));
        return statements;
    }

    /**
     * The same before a server has been asked: as most of them have it, or else as the others do. What is a mistake on both is one.
     */
    public List<List<SqlStatement>> statements(boolean single) {
        try {
            return statements(single, true);
        } catch (Stop mistake) {
            try {
                return statements(single, false);
            } catch (Stop again) {
                throw mistake;
            }
        }
    }

    /** What takes effect together: all, or else as the files say it. The parameters are those of {@link #statements}. */
    public List<SqlUnit> units(boolean single, boolean standardStrings) {
        return units(single, statements(single, standardStrings));
    }

    /** The same before a server has been asked. */
    public List<SqlUnit> units(boolean single) {
        return units(single, statements(single));
    }

    private List<SqlUnit> units(boolean single, List<List<SqlStatement>> statements) {
        if (!single) {
            return statements.stream()
                    .flatMap(file -> SqlUnit.ofFile(file).stream())
                    .toList();
        }
        List<SqlStatement> all = statements.stream().flatMap(List::stream).toList();
        return all.isEmpty()
                ? List.of()
                : List.of(SqlUnit.single(all, files.stream().map(SqlFile::name).toList()));
    }
}
