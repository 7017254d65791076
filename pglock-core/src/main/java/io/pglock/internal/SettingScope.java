// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import io.pglock.PgLockException;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Timeout settings changed for a while. What was there before is kept in the session, next to the setting and with the same
 * reach (see {@link Sql.TimeoutSetting}): it commits, rolls back and ends exactly as the setting itself does, so the two cannot
 * disagree, whatever the caller does with its transactions. As thread-safe as the connection. Not API.
 */
public final class SettingScope {

    /** Begins at random: two copies of pglock in one JVM (two class loaders) may share a session. */
    private static final AtomicLong LAST_ID =
            new AtomicLong(ThreadLocalRandom.current().nextLong(1L << 40));

    /** @param millis 0 for no timeout */
    public record Change(Sql.TimeoutSetting sql, int millis) {

        @Override
        public String toString() {
            return sql.name() + " = " + millis + "ms";
        }
    }

    private final PgSession session;
    private final List<Change> changes;
    private final boolean local;
    private final String id;

    /** Restored once, or told why not. */
    private boolean settled;

    private SettingScope(PgSession session, List<Change> changes, boolean local) {
        this.session = session;
        this.changes = changes;
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
        return open(session, List.of(new Change(sql, millis)), "");
    }

    /**
     * Several settings, and what is to follow them, in one round trip.
     *
     * @param thenLocally a statement that is run only where the settings are local to a transaction; or empty
     */
    public static SettingScope open(PgSession session, List<Change> changes, String thenLocally) {
        String what = changes.stream().map(Change::toString).collect(Collectors.joining(", "));
        try {
            session.requireUsable(what);
            boolean local = session.transactional();
            if (!local && !changes.isEmpty()) {
                session.requireDirect(what);
            }
            SettingScope scope = new SettingScope(session, changes, local);
            List<String> statements = new ArrayList<>(
                    changes.stream().map(change -> change.sql().open()).toList());
            if (local && !thenLocally.isEmpty()) {
                statements.add(thenLocally);
            }
            if (!statements.isEmpty()) {
                Pipeline.run(session, String.join("; ", statements), scope::bindOpening);
            }
            return scope;
        } catch (SQLException e) {
            throw new PgLockException(what + ": " + e.getMessage(), e);
        }
    }

    private void bindOpening(PreparedStatement statement) throws SQLException {
        int parameter = 1;
        for (Change change : changes) {
            statement.setString(parameter++, id);
            statement.setBoolean(parameter++, local);
            statement.setString(parameter++, Integer.toString(change.millis()));
            statement.setBoolean(parameter++, local);
        }
    }

    /** Whether the settings are local to a transaction. */
    public boolean isLocal() {
        return local;
    }

    /**
     * Restores what was there before {@link #open}; without effect where that has happened already. Nothing is done, and
     * nothing needs to be, where the session is gone and where the transaction of a local setting has ended or has failed. One
     * that has failed inside a setting of the session is rolled back.
     *
     * @throws PgLockException when the server refuses; and once, when the connection was closed first but the session lives on
     */
    public void close() {
        close("");
    }

    /**
     * Whether the transaction is still the one that the local settings were made in, and not undone beyond them; where it is not,
     * they have gone with it.
     */
    public boolean isInForce() throws SQLException {
        if (!local || changes.isEmpty()) {
            return !local || session.inTransaction();
        }
        return session.inTransaction()
                && Pipeline.query(
                                session,
                                changes.get(0).sql().isInForce(),
                                statement -> statement.setString(1, id),
                                row -> row.getBoolean(1))
                        .get(0);
    }

    /** As {@link #isInForce}, and false where there is no setting of which the server could be asked. */
    public boolean isProvenInForce() throws SQLException {
        return !changes.isEmpty() && isInForce();
    }

    /**
     * @param firstLocally a savepoint to release before, in the same round trip, where a local setting is restored; or empty. No
     *     harm is done if there is no such savepoint any more
     */
    public void close(String firstLocally) {
        try {
            if (session.connection().isClosed()) {
                requireGone();
                return;
            }
            if (local) {
                if (session.inTransaction() && !session.inFailedTransaction()) {
                    closeLocal(firstLocally);
                }
                return;
            }
            closeSession();
            settled = true;
        } catch (SQLException e) {
            // the setting went with the session; the error of the work in this scope is the one to be seen
            if (!session.isLost(e)) {
                throw new PgLockException(changes + ": not restored: " + e.getMessage(), e);
            }
        }
    }

    /** The pool may have lent the session to somebody else by now: it is not to be touched any more. */
    private void requireGone() throws SQLException {
        if (local || settled || changes.isEmpty() || session.physical().isClosed()) {
            return;
        }
        settled = true;
        throw new PgLockException(changes
                + ": not restored, the connection was closed first. If a pool keeps the session, it keeps this too: close"
                + " the scope first.");
    }

    /** A cancel that was meant for the work may arrive as late as this: nobody is to find its settings in the session. */
    private void closeSession() throws SQLException {
        session.rollBackFailed();
        boolean inTransaction = session.inTransaction();
        try {
            restoreForSession("");
        } catch (SQLException e) {
            if (session.isLost(e)) {
                throw e;
            }
            boolean restored = Failures.makeUpFor(e, () -> {
                session.rollBackFailed();
                restoreForSession(session.inTransaction() ? "" : Sql.UNTIMED);
            });
            if (!restored) {
                throw e;
            }
            if (inTransaction) {
                throw new PgLockException(
                        changes
                                + ": restored, and the transaction in which that was to be was rolled back, for it had failed: "
                                + e.getMessage(),
                        e);
            }
        }
    }

    private void restoreForSession(String first) throws SQLException {
        session.withoutTransaction(() -> {
            restore(first, Sql.TimeoutSetting::closeSession);
            return true;
        });
    }

    private void closeLocal(String release) throws SQLException {
        if (release.isEmpty()) {
            restore("", Sql.TimeoutSetting::closeLocal);
            return;
        }
        try {
            restore(Sql.trying(release), Sql.TimeoutSetting::closeLocal);
        } catch (SQLException e) {
            if (!SqlState.is(e, SqlState.INVALID_SAVEPOINT)) {
                throw e;
            }
            Failures.rollBackToSavepoint(session); // another transaction, or the work has used savepoints of its own
            restore("", Sql.TimeoutSetting::closeLocal);
        }
    }

    /** The newest first. */
    private void restore(String first, Function<Sql.TimeoutSetting, String> closing) throws SQLException {
        List<String> statements = new ArrayList<>();
        if (!first.isEmpty()) {
            statements.add(first);
        }
        for (int i = changes.size() - 1; i >= 0; i--) {
            statements.add(closing.apply(changes.get(i).sql()));
        }
        if (statements.isEmpty()) {
            return;
        }
        Pipeline.run(session, String.join("; ", statements), statement -> {
            for (int parameter = 1; parameter <= changes.size(); parameter++) {
                statement.setString(parameter, id);
            }
        });
    }
}
