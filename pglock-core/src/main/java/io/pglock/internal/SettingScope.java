// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import io.pglock.PgLockException;
import java.sql.SQLException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A timeout setting changed for a while. What was there before is kept in the session, next to the setting and with the same
 * reach (see {@link Sql.TimeoutSetting}): it commits, rolls back and ends exactly as the setting itself does, so the two cannot
 * disagree, whatever the caller does with its transactions. As thread-safe as the connection. Not API.
 */
public final class SettingScope {

    /** Begins at random: two copies of pglock in one JVM (two class loaders) may share a session. */
    private static final AtomicLong LAST_ID =
            new AtomicLong(ThreadLocalRandom.current().nextLong(1L << 40));

    private final PgSession session;
    private final Sql.TimeoutSetting sql;
    private final boolean local;
    private final String id;

    private SettingScope(PgSession session, Sql.TimeoutSetting sql, boolean local) {
        this.session = session;
        this.sql = sql;
        this.local = local;
        this.id = (local ? Sql.TimeoutSetting.LOCAL_ID : Sql.TimeoutSetting.SESSION_ID)
                + Long.toString(LAST_ID.incrementAndGet(), Character.MAX_RADIX);
    }

    /**
     * Inside a transaction, or where the next statement begins one, the setting is local to it; else it is the session's.
     *
     * @param millis 0 for no timeout
     */
    public static SettingScope open(PgSession session, Sql.TimeoutSetting sql, int millis) {
        String what = sql.name() + " = " + millis + "ms";
        try {
            session.requireUsable(what);
            boolean local = session.transactional();
            if (!local) {
                session.requireDirect(what);
            }
            SettingScope scope = new SettingScope(session, sql, local);
            Pipeline.run(session, sql.open(), statement -> {
                statement.setString(1, scope.id);
                statement.setBoolean(2, local);
                statement.setString(3, Integer.toString(millis));
                statement.setBoolean(4, local);
            });
            return scope;
        } catch (SQLException e) {
            throw new PgLockException(what + ": " + e.getMessage(), e);
        }
    }

    /**
     * Restores what was there before {@link #open}; without effect where that has happened already. Nothing is done, and
     * nothing needs to be, on a closed connection and where the transaction of a local setting has ended or has failed. One
     * that has failed inside a setting of the session is rolled back.
     */
    public void close() {
        try {
            if (session.connection().isClosed()) {
                return;
            }
            if (local) {
                if (session.inTransaction() && !session.inFailedTransaction()) {
                    Pipeline.run(session, sql.closeLocal(), statement -> statement.setString(1, id));
                }
                return;
            }
            session.rollBackFailed();
            session.withoutTransaction(() -> {
                Pipeline.run(session, sql.closeSession(), statement -> statement.setString(1, id));
                return true;
            });
        } catch (SQLException e) {
            // the setting went with the session; the error of the work in this scope is the one to be seen
            if (!SqlState.isConnectionLost(e)) {
                throw new PgLockException(sql.name() + ": not restored: " + e.getMessage(), e);
            }
        }
    }
}
