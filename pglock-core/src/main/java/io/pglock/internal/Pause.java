// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import java.sql.SQLException;
import java.util.List;
import java.util.Optional;

/**
 * A while in which a unit's session does nothing, on purpose and holding nothing: the server does not end it for being idle.
 * Used by the connection's thread. Not API.
 *
 * @see <a href="https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-IDLE-IN-TRANSACTION-SESSION-TIMEOUT">
 *     idle_in_transaction_session_timeout, idle_session_timeout</a>
 */
public final class Pause {

    private static final int FIRST_WITH_IDLE_SESSION_TIMEOUT = 14;

    private final PgSession session;
    private final boolean inTransaction;
    private final Optional<String> held;
    private final Optional<String> idleSessionTimeout;

    private Pause(
            PgSession session, boolean inTransaction, Optional<String> held, Optional<String> idleSessionTimeout) {
        this.session = session;
        this.inTransaction = inTransaction;
        this.held = held;
        this.idleSessionTimeout = idleSessionTimeout;
    }

    /** To be called when everything is undone; in one round trip. */
    public static Pause begin(PgSession session) throws SQLException {
        if (session.inTransaction()) {
            List<Optional<String>> held = Pipeline.query(
                    session, Sql.PAUSE_BEGIN, Pipeline.NOTHING, row -> Optional.ofNullable(row.getString(1)));
            return new Pause(session, true, held.get(0), Optional.empty());
        }
        if (session.majorVersion() < FIRST_WITH_IDLE_SESSION_TIMEOUT || session.isBehindPooler()) {
            return new Pause(session, false, Optional.empty(), Optional.empty());
        }
        List<String> before = session.withoutTransaction(
                () -> Pipeline.query(session, Sql.IDLE_PAUSE_BEGIN, Pipeline.NOTHING, row -> row.getString(1)));
        return new Pause(
                session,
                false,
                Optional.empty(),
                before.stream().filter(timeout -> !timeout.equals("0")).findFirst());
    }

    /** What the transaction still holds, from before, that others may have to wait for; empty if nothing. */
    public Optional<String> held() {
        return held;
    }

    /** Everything is as it was. */
    public void end() throws SQLException {
        if (inTransaction) {
            Pipeline.run(session, Sql.PAUSE_END, Pipeline.NOTHING);
        } else if (idleSessionTimeout.isPresent()) {
            endIdle(idleSessionTimeout.get());
        }
    }

    /** A cancel that was meant for what came before may arrive as late as this. */
    private void endIdle(String timeout) throws SQLException {
        try {
            setIdle(timeout);
        } catch (SQLException e) {
            if (SqlState.isConnectionLost(e) || !Failures.makeUpFor(e, () -> setIdle(timeout))) {
                throw e;
            }
        }
    }

    private void setIdle(String timeout) throws SQLException {
        session.withoutTransaction(() -> {
            Pipeline.run(session, Sql.IDLE_PAUSE_END, statement -> statement.setString(1, timeout));
            return true;
        });
    }
}
