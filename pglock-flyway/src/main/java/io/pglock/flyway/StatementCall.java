// SPDX-License-Identifier: Apache-2.0
package io.pglock.flyway;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLWarning;
import java.sql.Statement;
import org.flywaydb.core.api.logging.Log;
import org.flywaydb.core.api.logging.LogFactory;
import org.jspecify.annotations.Nullable;

/** Runs a statement of a script as Flyway does, and says of it what Flyway says. Stateless. */
final class StatementCall {

    private static final Log LOG = LogFactory.getLog(StatementCall.class);
    private static final String NO_ERROR = "00000";

    private StatementCall() {}

    /** @param aloud whether what the server has to say goes to the log; not for the second time */
    static void run(Connection connection, String sql, boolean aloud) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.setEscapeProcessing(false);
            boolean rows = statement.execute(sql);
            while (rows || statement.getUpdateCount() != -1) {
                if (rows) {
                    drain(statement);
                } else if (aloud) {
                    LOG.debug(statement.getUpdateCount() + " rows affected");
                }
                rows = statement.getMoreResults();
            }
            if (aloud) {
                tell(statement.getWarnings());
            }
        }
    }

    /** An error may come with any row. */
    private static void drain(Statement statement) throws SQLException {
        try (ResultSet results = statement.getResultSet()) {
            boolean more = results.next();
            while (more) {
                more = results.next();
            }
        }
    }

    private static void tell(@Nullable SQLWarning first) {
        for (SQLWarning warning = first; warning != null; warning = warning.getNextWarning()) {
            if (NO_ERROR.equals(warning.getSQLState())) {
                LOG.info("DB: " + warning.getMessage());
            } else {
                LOG.warn("DB: " + warning.getMessage() + " (SQL State: " + warning.getSQLState() + " - Error Code: "
                        + warning.getErrorCode() + ")");
            }
        }
    }

    /** What Flyway says of a statement that failed. */
    static String failed(String script, String sql, SQLException failure) {
        String title = "Failed to execute script " + script;
        return String.join(
                "\n",
                title,
                "-".repeat(title.length()),
                "SQL State  : " + failure.getSQLState(),
                "Error Code : " + failure.getErrorCode(),
                "Message    : " + String.valueOf(failure.getMessage()).strip(),
                "Statement  : " + sql.strip(),
                "");
    }
}
