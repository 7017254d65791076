// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.script;

import io.pglock.cli.internal.ExitCode;
import io.pglock.cli.internal.view.Width;
import io.pglock.internal.SqlState;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;

/**
 * A statement that failed, as whoever wrote it wants to be told. Immutable. Not API.
 *
 * @param statement which one
 * @param cause what the driver reported
 */
public record SqlFailure(SqlStatement statement, SQLException cause) {

    private static final String ACTIVE_SQL_TRANSACTION = "25001";
    private static final String CONNECTION_EXCEPTION = "08"; // the class: a pooler's word for it, for one
    private static final String INVALID_TRANSACTION_TERMINATION = "2D000";

    /** Where, what and why: the place and the server's words, then the line with a mark below it, then what else the server said. */
    public String text() {
        Optional<ServerErrorMessage> server = server();
        Optional<Integer> position = server.map(ServerErrorMessage::getPosition).filter(at -> at > 0);
        List<String> lines = new ArrayList<>();
        String what = server.map(ServerErrorMessage::getMessage).orElse(cause.getMessage());
        int line = position.map(statement::lineOf).orElse(statement.line());
        lines.add(statement.file() + ":" + line + ": " + what + " (SQLSTATE " + cause.getSQLState() + ")");
        lines.addAll(position.map(at -> marked(at, line)).orElse(List.of("  " + statement.title())));
        server.map(ServerErrorMessage::getDetail).ifPresent(detail -> lines.add("  Detail: " + detail));
        server.map(ServerErrorMessage::getHint).ifPresent(hint -> lines.add("  Hint: " + hint));
        server.map(ServerErrorMessage::getWhere).ifPresent(where -> lines.add("  Where: " + where));
        return String.join("\n", lines);
    }

    private Optional<ServerErrorMessage> server() {
        return cause instanceof PSQLException reported
                ? Optional.ofNullable(reported.getServerErrorMessage())
                : Optional.empty();
    }

    /** The line that the server means, and a mark below the character. */
    private List<String> marked(int position, int line) {
        String sql = statement.sql();
        int at = sql.offsetByCodePoints(0, Math.min(position - 1, sql.codePointCount(0, sql.length())));
        int from = sql.lastIndexOf('\n', at - 1) + 1;
        int end = sql.indexOf('\n', at);
        String head = "  " + line + " | ";
        String blank = Stream.of(sql.substring(from, at).split("\t", -1))
                .map(between -> " ".repeat(Width.of(between)))
                .collect(Collectors.joining("\t"));
        return List.of(
                head + sql.substring(from, end < 0 ? sql.length() : end).stripTrailing(),
                " ".repeat(head.length()) + blank + "^");
    }

    /** Whether it only says that it cannot be run within a transaction. */
    public boolean isRefusedInTransaction() {
        return SqlState.is(cause, ACTIVE_SQL_TRANSACTION);
    }

    /** Whether it can be run only where it commits by itself. */
    public boolean needsAutocommit() {
        return isRefusedInTransaction() || SqlState.is(cause, INVALID_TRANSACTION_TERMINATION);
    }

    /** Whether a lock was not got: in time, or without a deadlock. */
    boolean isForALock() {
        return SqlState.is(cause, SqlState.LOCK_NOT_AVAILABLE) || SqlState.is(cause, SqlState.DEADLOCK_DETECTED);
    }

    /** Whether nobody has said what came of it: the connection was lost before, and not because the server said that it ends it. */
    boolean isUnanswered() {
        boolean told =
                server().isPresent() && !String.valueOf(cause.getSQLState()).startsWith(CONNECTION_EXCEPTION);
        return SqlState.isConnectionLost(cause) && !told;
    }

    /** What the command ends with. */
    public int exitCode() {
        if (isForALock()) {
            return ExitCode.NOT_ACQUIRED;
        }
        return SqlState.isConnectionLost(cause) ? ExitCode.UNAVAILABLE : ExitCode.SQL;
    }
}
