// SPDX-License-Identifier: Apache-2.0
package io.pglock.proof;

import io.pglock.Signal;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Optional;

/**
 * A signal, as the {@link Truth} has noted it in the statement that sent it.
 *
 * @param look the number of the look before
 * @param overtaken nothing was sent: see there
 * @param isBlocker whether it was in the way at all; all that follows is empty otherwise
 * @param steady whether it is, since before that look, what it is now
 * @param renewed whether its transaction has begun after that look
 * @param waitedMillis how long the guarded session had waited; empty before PostgreSQL 14
 * @param ageMillis how old its transaction was; outside one, how long it had been idle
 */
record Sent(
        int look,
        Signal signal,
        int pid,
        boolean checked,
        boolean overtaken,
        boolean isBlocker,
        Recorder.Seen truth,
        boolean steady,
        boolean renewed,
        Optional<Double> waitedMillis,
        double ageMillis) {

    static Sent of(ResultSet row) throws SQLException {
        double waited = row.getDouble("waited_ms");
        Optional<Double> waitedMillis = row.wasNull() ? Optional.empty() : Optional.of(waited);
        return new Sent(
                row.getInt("look"),
                Signal.valueOf(row.getString("how")),
                row.getInt("target"),
                row.getBoolean("checked"),
                row.getBoolean("overtaken"),
                row.getBoolean("is_blocker"),
                Recorder.Seen.of(row, "target"),
                row.getBoolean("steady"),
                row.getBoolean("renewed"),
                waitedMillis,
                row.getDouble("age_ms"));
    }

    /** To the same session in the same transaction. */
    boolean isTo(Recorder.Seen whom) {
        return truth.isSameAs(whom);
    }
}
