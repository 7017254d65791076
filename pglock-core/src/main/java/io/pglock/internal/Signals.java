// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import io.pglock.Backend;
import io.pglock.Signal;
import io.pglock.Signalled;
import io.pglock.Signalled.Outcome;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Types;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Optional;

/**
 * Sends signals to sessions that were seen before, and makes sure in the statement that sends one that it still is the same
 * session in the same transaction. Stateless. Not API.
 *
 * <p>Every method returns what came of it, and throws {@link SQLException} only where the statement failed for another
 * reason than a missing right. A transaction that is open on the connection stays usable either way.
 */
public final class Signals {

    /** Its transactions cannot be told apart, so a signal might hit one that is in nobody's way. */
    static final String NOT_TRACKED_IN_WORDS =
            "its track_activities is off, so nobody can tell whether it still is the same transaction";

    /** A signal would make the server call that done which its standby does not have: what is lost then was acknowledged. */
    static final String COMMITTING_IN_WORDS = "it has committed and waits for a standby";

    /** To end it would take from its application what it holds besides, under which other connections may be at work. */
    static final String LOCK_CLIENT_IN_WORDS = "it is the session of a LockClient, with all locks of that application";

    /** What the statement found, in the words of {@link Sql}'s verdicts. */
    private enum Verdict {
        SEND(Outcome.SENT, ""),
        ENDED(Outcome.GONE, "it has ended"),
        OTHER_TRANSACTION(Outcome.GONE, "the transaction in which it was seen has ended"),
        NOT_BLOCKING(Outcome.GONE, "it blocks no more"),
        AT_WORK(Outcome.GONE, "it has begun to work"),
        IDLE(Outcome.NO_EFFECT, "it runs no statement that could be cancelled; only a terminate ends its transaction"),
        SELF(Outcome.SPARED, "it is the session that asks"),
        NOT_A_CLIENT(Outcome.SPARED, "it is not a client's session"),
        NOT_TRACKED(Outcome.SPARED, NOT_TRACKED_IN_WORDS),
        PROTECTED(Outcome.SPARED, "it is protected"),
        OWN(Outcome.SPARED, "it belongs to this JVM's own work"),
        GUARDED(Outcome.SPARED, "it is another migration that pglock guards"),
        FLYWAY_HISTORY(Outcome.SPARED, "it holds Flyway's history lock"),
        FLYWAY_WAITING(Outcome.SPARED, "it is another Flyway that waits for the migration lock"),
        LOCK_CLIENT(Outcome.SPARED, LOCK_CLIENT_IN_WORDS),
        COMMITTING(Outcome.SPARED, COMMITTING_IN_WORDS);

        private final Outcome outcome;
        private final String why;

        Verdict(Outcome outcome, String why) {
            this.outcome = outcome;
            this.why = why;
        }
    }

    /** Fills in a statement's parameters. */
    @FunctionalInterface
    private interface Parameters {
        void set(PreparedStatement statement) throws SQLException;
    }

    private Signals() {}

    /**
     * Signals this session if it still is the session, in the transaction, that was seen, a client's, and not the asking one.
     * Somebody has named it: where its transactions cannot be told apart, in whichever it is.
     */
    public static Signalled toSession(Connection side, Signal how, Backend seen) throws SQLException {
        return toSame(side, how, seen, true);
    }

    /**
     * As {@link #toSession}, and never one whose transactions cannot be told apart, nor one that has committed: it is meant for a
     * lock that it held in a transaction.
     */
    static Signalled toOwner(Connection side, Signal how, Backend seen) throws SQLException {
        return toSame(side, how, seen, false);
    }

    private static Signalled toSame(Connection side, Signal how, Backend seen, boolean named) throws SQLException {
        return send(side, how, seen, Sql.signalSession(how), statement -> {
            identity(statement, seen);
            statement.setBoolean(4, named);
            statement.setString(5, seen.state().orElse(""));
        });
    }

    /**
     * Signals this session if all of {@link #toOwner} holds and it still holds a lock that {@code waiterPid} waits for, in a
     * conflicting mode; and never another migration, a Flyway history connection, the session of a {@link
     * io.pglock.LockClient}, or whom {@code spared} names.
     */
    public static Signalled toBlocker(Connection side, Signal how, Backend seen, int waiterPid, Spared spared)
            throws SQLException {
        return toBlocker(side, how, seen, Optional.empty(), waiterPid, spared);
    }

    /** As {@link #toBlocker(Connection, Signal, Backend, int, Spared)}, and only if it has done nothing since then. */
    static Signalled toBlocker(
            Connection side, Signal how, Backend seen, Optional<Instant> idleSince, int waiterPid, Spared spared)
            throws SQLException {
        int major = PgSession.of(side).majorVersion();
        return send(side, how, seen, Sql.signalBlocker(major, how), statement -> {
            identity(statement, seen);
            spared(statement, side, spared);
            statement.setInt(6, waiterPid);
            setInstant(statement, 7, idleSince);
        });
    }

    /**
     * Signals this session if all of {@link #toBlocker} holds, except that nobody need be waiting: it still holds, in the same
     * transaction and in a conflicting mode, what somebody waited for who has stepped aside.
     */
    static Signalled toHolder(Connection side, Signal how, Backend seen, Sighting.Held held, Spared spared)
            throws SQLException {
        int major = PgSession.of(side).majorVersion();
        return send(side, how, seen, Sql.signalHolder(major, how), statement -> {
            identity(statement, seen);
            spared(statement, side, spared);
            statement.setString(6, held.tag());
            statement.setString(7, held.within());
            statement.setString(8, held.modes());
        });
    }

    private static void spared(PreparedStatement statement, Connection side, Spared spared) throws SQLException {
        statement.setArray(4, side.createArrayOf("text", spared.names().toArray()));
        statement.setArray(5, side.createArrayOf("int4", spared.pids().toArray()));
    }

    /** What {@link Signalled} says of a session to which nothing was sent, and why. */
    static Signalled unsent(Backend seen, Signal how, Outcome outcome, String why) {
        String what = how == Signal.CANCEL ? "not cancelled: " : "not terminated: ";
        return new Signalled(seen, how, outcome, Instant.now(), seen.describe() + " " + what + why + ".");
    }

    private static void identity(PreparedStatement statement, Backend seen) throws SQLException {
        statement.setInt(1, seen.pid());
        setInstant(statement, 2, seen.backendStart());
        setInstant(statement, 3, seen.xactStart());
    }

    private static void setInstant(PreparedStatement statement, int index, Optional<Instant> instant)
            throws SQLException {
        if (instant.isPresent()) {
            statement.setObject(index, instant.get().atOffset(ZoneOffset.UTC));
        } else {
            statement.setNull(index, Types.TIMESTAMP_WITH_TIMEZONE);
        }
    }

    private static Signalled send(Connection side, Signal how, Backend seen, String sql, Parameters parameters)
            throws SQLException {
        if (seen.isPreparedTransaction()) {
            return unsent(seen, how, Outcome.SPARED, "a prepared transaction has no session");
        }
        PgSession session = PgSession.of(side);
        session.requireUsable("signalling pid " + seen.pid());
        return session.withoutTransaction(() -> {
            if (!seen.visible()) { // without its start times nobody can tell whether it still is the same session
                String role = permissions(side, seen).role();
                return unsent(
                        seen,
                        how,
                        Outcome.NOT_PERMITTED,
                        "its details are hidden from this role, so nobody can tell whether it still is the same transaction;"
                                + " GRANT pg_read_all_stats, pg_signal_backend TO " + role);
            }
            try {
                return inSavepoint(session, () -> ask(side, how, seen, sql, parameters));
            } catch (SQLException e) {
                if (SqlState.is(e, SqlState.INSUFFICIENT_PRIVILEGE)) {
                    return unsent(
                            seen,
                            how,
                            Outcome.NOT_PERMITTED,
                            permissions(side, seen).remedy());
                }
                throw e;
            }
        });
    }

    private static Signalled ask(Connection side, Signal how, Backend seen, String sql, Parameters parameters)
            throws SQLException {
        try (PreparedStatement statement = side.prepareStatement(sql)) {
            parameters.set(statement);
            try (ResultSet row = statement.executeQuery()) {
                row.next();
                Verdict verdict = Verdict.valueOf(row.getString(1));
                if (verdict == Verdict.SEND
                        && !row.getBoolean(2)) { // null: it has let go since; false: it has ended since
                    verdict = row.wasNull() ? Verdict.NOT_BLOCKING : Verdict.ENDED;
                }
                if (verdict != Verdict.SEND) {
                    return unsent(seen, how, verdict.outcome, verdict.why);
                }
                String done = how == Signal.CANCEL ? "Cancelled the statement of " : "Terminated ";
                return new Signalled(seen, how, Outcome.SENT, Instant.now(), done + seen.describe() + ".");
            }
        }
    }

    private static <T> T inSavepoint(PgSession session, PgSession.Work<T> work) throws SQLException {
        if (!session.inTransaction()) {
            return work.run();
        }
        execute(session, Sql.SIGNAL_SAVEPOINT);
        try {
            T result = work.run();
            execute(session, Sql.SIGNAL_RELEASE);
            return result;
        } catch (SQLException e) {
            if (!SqlState.isConnectionLost(e)) {
                execute(session, Sql.SIGNAL_ROLLBACK);
            }
            throw e;
        }
    }

    private static void execute(PgSession session, String sql) throws SQLException {
        try (Statement statement = session.connection().createStatement()) {
            statement.execute(sql);
        }
    }

    /** Who asks, and whether only a superuser may signal the other. */
    private record Permissions(String role, String owner, boolean superuserOnly) {

        String remedy() {
            return superuserOnly
                    ? "it belongs to the superuser " + owner
                            + ", whom only a superuser may signal; connect pglock's side"
                            + " connection as one, or end that session yourself"
                    : "role " + role + " may not signal sessions of " + owner + "; GRANT pg_signal_backend TO " + role;
        }
    }

    private static Permissions permissions(Connection side, Backend seen) throws SQLException {
        String owner = seen.user().orElse("?");
        try (PreparedStatement statement = side.prepareStatement(Sql.WHY_NOT_PERMITTED)) {
            statement.setString(1, owner);
            try (ResultSet row = statement.executeQuery()) {
                row.next();
                return new Permissions(row.getString(1), owner, row.getBoolean(2));
            }
        }
    }
}
