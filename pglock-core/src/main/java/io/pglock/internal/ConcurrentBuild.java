// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * A {@code CREATE INDEX CONCURRENTLY} or {@code REINDEX ... CONCURRENTLY} that is about to run, and what it leaves behind when
 * it fails: an invalid index, which nobody reads, everybody pays for, and {@code IF NOT EXISTS} takes for a success. Used by
 * the connection's thread. Not API.
 *
 * @see <a href="https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY">Building Indexes
 *     Concurrently</a>
 */
public final class ConcurrentBuild {

    private static final String NAME = "(?:\"(?:[^\"]|\"\")+\"|[\\w$\\x{80}-\\x{10ffff}]+)";
    private static final String QUALIFIED = NAME + "(?:\\s*\\.\\s*" + NAME + "){0,2}";

    private static final Pattern CREATE = Pattern.compile(
            "^\\s*create\\s+(?:unique\\s+)?index\\s+concurrently\\s+(?<unless>if\\s+not\\s+exists\\s+)?(?:(?<index>(?!on\\b)"
                    + NAME + ")\\s+)?on\\s+(?:only\\s+)?(?<table>" + QUALIFIED + ")",
            Pattern.CASE_INSENSITIVE);

    private static final Pattern REINDEX = Pattern.compile(
            "^\\s*reindex\\s*(?:\\([^)]*\\)\\s*)?(?<what>table|index)\\s+(?:concurrently\\s+)?(?<name>" + QUALIFIED + ")",
            Pattern.CASE_INSENSITIVE);

    /** An index that is not valid. */
    private record Invalid(long oid, String name, String qualifiedName, boolean maybeBeingBuilt) {}

    private final PgSession session;
    private final boolean ofIndex;
    private final String name;
    private final Set<Long> before;

    private ConcurrentBuild(PgSession session, boolean ofIndex, String name) throws SQLException {
        this.session = session;
        this.ofIndex = ofIndex;
        this.name = name;
        this.before = invalid().stream().map(Invalid::oid).collect(Collectors.toSet());
    }

    /** Takes note of what is there before, in one round trip; empty where the statement builds no index concurrently. */
    public static Optional<ConcurrentBuild> before(PgSession session, String sql) throws SQLException {
        String bare = Statements.withoutComments(sql);
        Matcher create = CREATE.matcher(bare);
        if (create.find()) {
            return Optional.of(new ConcurrentBuild(session, false, create.group("table")));
        }
        Matcher reindex = REINDEX.matcher(bare);
        return reindex.find()
                ? Optional.of(new ConcurrentBuild(
                        session, reindex.group("what").equalsIgnoreCase("index"), reindex.group("name")))
                : Optional.empty();
    }

    /** The invalid index on top of which {@code IF NOT EXISTS} would do nothing, and say that all is well. */
    public static Optional<String> hiddenByIfNotExists(PgSession session, String sql) throws SQLException {
        Matcher create = CREATE.matcher(Statements.withoutComments(sql));
        if (!create.find() || create.group("unless") == null || create.group("index") == null) {
            return Optional.empty();
        }
        String index = folded(create.group("index"));
        return new ConcurrentBuild(session, false, create.group("table"))
                .invalid().stream()
                        .filter(invalid -> invalid.name().equals(index))
                        .map(Invalid::qualifiedName)
                        .findFirst();
    }

    /** As PostgreSQL reads a name: in lower case unless it is quoted. */
    private static String folded(String name) {
        return name.startsWith("\"")
                ? name.substring(1, name.length() - 1).replace("\"\"", "\"")
                : name.toLowerCase(java.util.Locale.ROOT);
    }

    /** The invalid indexes that were not there before, by name. */
    public List<String> leftovers() throws SQLException {
        return left().stream().map(Invalid::qualifiedName).toList();
    }

    private List<Invalid> left() throws SQLException {
        return invalid().stream()
                .filter(index -> !before.contains(index.oid()))
                .toList();
    }

    /**
     * Drops what the failed build left, so that it can be built again.
     *
     * @return what could not be dropped, because somebody else may be building it at this moment
     */
    public List<String> drop() throws SQLException {
        List<Invalid> left = left();
        List<String> kept = left.stream()
                .filter(Invalid::maybeBeingBuilt)
                .map(Invalid::qualifiedName)
                .toList();
        if (kept.isEmpty()) {
            for (Invalid index : left) {
                try (Statement statement = session.connection().createStatement()) {
                    statement.execute(Sql.dropConcurrently(index.qualifiedName()));
                }
            }
        }
        return kept;
    }

    private List<Invalid> invalid() throws SQLException {
        return Pipeline.query(
                session,
                Sql.INVALID_INDEXES,
                statement -> {
                    statement.setBoolean(1, ofIndex);
                    statement.setString(2, name);
                },
                row -> new Invalid(row.getLong(1), row.getString(2), row.getString(3), row.getBoolean(4)));
    }
}
