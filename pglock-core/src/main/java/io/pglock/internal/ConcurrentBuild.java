// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
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

    /** Between words there is space; a quoted name needs none around it. */
    private static final Pattern CREATE = Pattern.compile(
            "^\\s*create\\s+(?:unique\\s+)?index\\s+concurrently\\b\\s*(?<unless>if\\s+not\\s+exists\\b\\s*)?"
                    + "(?<index>(?!on\\b)" + Statements.NAME + ")?\\s*(?<![\\w$])on\\b\\s*(?:only\\b\\s*)?(?<table>"
                    + Statements.QUALIFIED_NAME
                    + ")",
            Pattern.CASE_INSENSITIVE);

    private static final Pattern REINDEX = Pattern.compile(
            "^\\s*reindex\\b\\s*(?:\\([^)]*\\)\\s*)?(?:table|index)\\b\\s*(?:concurrently\\b\\s*)?(?<name>"
                    + Statements.QUALIFIED_NAME + ")",
            Pattern.CASE_INSENSITIVE);

    /** What {@code REINDEX CONCURRENTLY} calls the new index while it builds it, and the old one before it is gone. */
    private static final Pattern OF_REINDEX = Pattern.compile(".*_cc(?:new|old)\\d*", Pattern.DOTALL);

    /** Longer names are cut. */
    private static final int NAME_BYTES = 63;

    /** An index that is not valid. */
    private record Invalid(long oid, String name, String qualifiedName, boolean maybeBeingBuilt) {}

    /**
     * What is built.
     *
     * @param of the table, or the index that is built anew
     * @param anew whether all that is there already is built anew, also in partitions
     * @param name of the index that comes of it; empty where PostgreSQL chooses one
     */
    private record Target(String of, boolean anew, Optional<Predicate<String>> name, boolean ifNotExists) {}

    private final PgSession session;
    private final String sql;
    private final Target target;
    private final Set<Long> before;

    private ConcurrentBuild(PgSession session, String sql, Target target) throws SQLException {
        this.session = session;
        this.sql = sql;
        this.target = target;
        this.before = invalid().stream().map(Invalid::oid).collect(Collectors.toSet());
    }

    /** Takes note of what is there before, in one round trip; empty where the statement builds no index concurrently. */
    public static Optional<ConcurrentBuild> before(PgSession session, String sql) throws SQLException {
        Optional<Target> target = target(sql);
        return target.isEmpty() ? Optional.empty() : Optional.of(new ConcurrentBuild(session, sql, target.get()));
    }

    private static Optional<Target> target(String sql) {
        String bare = Statements.withoutComments(sql);
        Matcher create = CREATE.matcher(bare);
        if (create.find()) {
            Optional<Predicate<String>> name = Optional.ofNullable(create.group("index"))
                    .map(ConcurrentBuild::asStored)
                    .map(Predicate::isEqual);
            return Optional.of(new Target(create.group("table"), false, name, create.group("unless") != null));
        }
        Matcher reindex = REINDEX.matcher(bare);
        return reindex.find()
                ? Optional.of(
                        new Target(reindex.group("name"), true, Optional.of(OF_REINDEX.asMatchPredicate()), false))
                : Optional.empty();
    }

    /** Of what a statement builds: the table or index that it names, then the index that comes of it. For tests. */
    static List<String> named(String sql) {
        Matcher create = CREATE.matcher(Statements.withoutComments(sql));
        if (create.find()) {
            return List.of(
                    create.group("table"),
                    Optional.ofNullable(create.group("index"))
                            .map(ConcurrentBuild::asStored)
                            .orElse(""));
        }
        return target(sql).map(target -> List.of(target.of())).orElse(List.of());
    }

    /** Whether it is about this very statement. */
    public boolean isOf(String other) {
        return sql.equals(other);
    }

    /** The invalid index on top of which {@code IF NOT EXISTS} would do nothing, and say that all is well. */
    public Optional<String> hiddenByIfNotExists() throws SQLException {
        if (!target.ifNotExists() || target.name().isEmpty()) {
            return Optional.empty();
        }
        return invalid().stream()
                .filter(index -> target.name().get().test(index.name()))
                .map(Invalid::qualifiedName)
                .findFirst();
    }

    /** As PostgreSQL stores a name: in lower case (of ASCII) unless it is quoted, and not too long. */
    private static String asStored(String name) {
        String read;
        if (name.startsWith("\"")) {
            read = name.substring(1, name.length() - 1).replace("\"\"", "\"");
        } else {
            StringBuilder folded = new StringBuilder();
            name.chars().forEach(c -> folded.append((char) (c >= 'A' && c <= 'Z' ? c + 'a' - 'A' : c)));
            read = folded.toString();
        }
        read = read.substring(0, Math.min(read.length(), NAME_BYTES)); // and so not long to cut below
        while (read.getBytes(StandardCharsets.UTF_8).length > NAME_BYTES) {
            read = read.substring(0, read.offsetByCodePoints(read.length(), -1));
        }
        return read;
    }

    /** The invalid indexes that were not there before, by name. */
    public List<String> leftovers() throws SQLException {
        return left().stream().map(Invalid::qualifiedName).toList();
    }

    private List<Invalid> left() throws SQLException {
        return invalid().stream()
                .filter(index -> !before.contains(index.oid())
                        && target.name().map(name -> name.test(index.name())).orElse(true))
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
                    statement.setString(1, target.of());
                    statement.setBoolean(2, target.anew());
                },
                row -> new Invalid(row.getLong(1), row.getString(2), row.getString(3), row.getBoolean(4)));
    }
}
