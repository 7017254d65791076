// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import java.sql.SQLException;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A {@code DETACH PARTITION ... CONCURRENTLY}, and what it leaves behind when it fails while it waits: a partition that is
 * neither attached nor detached. Used by the connection's thread. Not API.
 *
 * @param parent of which it is a partition, as the statement names it
 * @param partition as the statement names it
 * @see <a href="https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-DETACH-PARTITION">ALTER TABLE</a>
 */
public record ConcurrentDetach(String parent, String partition) {

    private static final int SINCE = 14;

    private static final Pattern DETACH = Pattern.compile(
            "^\\s*alter\\s+table\\b\\s*(?:if\\s+exists\\b\\s*)?(?<parent>" + Statements.QUALIFIED_NAME
                    + ")\\s*(?<![\\w$])detach\\s+partition\\b\\s*(?<partition>" + Statements.QUALIFIED_NAME
                    + ")\\s*(?<![\\w$])concurrently\\b",
            Pattern.CASE_INSENSITIVE);

    /** Empty where it is another statement. */
    public static Optional<ConcurrentDetach> of(String sql) {
        Matcher detach = DETACH.matcher(Statements.withoutComments(sql));
        return detach.find()
                ? Optional.of(new ConcurrentDetach(detach.group("parent"), detach.group("partition")))
                : Optional.empty();
    }

    /** The statement that completes it, if the partition is pending; one round trip. */
    public Optional<String> remedy(PgSession session) throws SQLException {
        if (session.majorVersion() < SINCE) {
            return Optional.empty();
        }
        return Pipeline.query(
                        session,
                        Sql.PENDING_DETACH,
                        statement -> {
                            statement.setString(1, parent);
                            statement.setString(2, partition);
                        },
                        row -> Sql.finalizeDetach(row.getString(1), row.getString(2)))
                .stream()
                .findFirst();
    }
}
