// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import io.pglock.LockKey;
import io.pglock.LockNotSupportedException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.postgresql.core.BaseConnection;

/**
 * The session of a client: opened, checked, set up, and given back as it was found, or cut. One round trip for each batch. Used
 * by the client's thread only. Not API.
 */
final class LockLink {

    /** A lock that the session holds, as pg_locks has it. */
    record Found(LockKey key, boolean shared) {}

    private final Connection connection;
    private final PgSession session;
    private final BaseConnection physical;
    private final PgSession.Facts facts;
    private final SessionSettings settings;
    private final String slots;
    private final Before before;
    private final OwnSessions.Registration registration;
    private long lastAnswer = System.nanoTime();

    private LockLink(PgSession session, Setup setup) {
        this.connection = session.connection();
        this.session = session;
        this.physical = session.physical();
        this.facts = setup.facts();
        this.settings = setup.settings();
        this.slots = setup.slots();
        this.before = setup.before();
        this.registration = OwnSessions.register(facts);
    }

    /** What it is given back with. */
    private record Before(boolean autoCommit, int networkTimeout) {}

    private record Setup(PgSession.Facts facts, SessionSettings settings, String slots, Before before) {}

    /**
     * Makes a connection ready, or gives it back.
     *
     * @param source where it comes from, and another one to tell a pooler by
     * @param name what the operator is to see it as; empty for the application's own
     * @param answersWithin how long an answer may take before the network counts as dead
     * @throws LockNotSupportedException through a transaction pooler, on a standby, or for a session that is in use
     */
    static LockLink open(ConnectionSource source, String name, Duration answersWithin) throws SQLException {
        Connection connection = source.connect();
        PgSession session;
        try {
            session = PgSession.of(connection);
        } catch (RuntimeException | Error e) {
            giveBack(connection);
            throw e;
        }
        if (session.inTransaction()) {
            if (session.isWrapped()) { // else it is in use elsewhere
                giveBack(connection);
            }
            throw new LockNotSupportedException(
                    "The DataSource hands out a session that is inside a transaction, and so is in"
                            + " use. A LockClient needs one of its own: give it a DataSource that opens connections, or a pool.");
        }
        Before before;
        try {
            before = new Before(connection.getAutoCommit(), session.physical().getNetworkTimeout());
            // what a pool hands out may be dead since before it was lent
            session.physical().setNetworkTimeout(Runnable::run, (int) answersWithin.toMillis());
        } catch (SQLException | RuntimeException | Error e) {
            giveBack(connection);
            throw e;
        }
        String slots;
        try {
            connection.setAutoCommit(true);
            session.requirePrimary("LockClient");
            if (session.isBehindPooler()) {
                PoolerCheck.requireSessionMode(session, source);
            }
            slots = requireUnused(session);
        } catch (SQLException | RuntimeException | Error e) {
            giveBack(session, before);
            throw e;
        }
        try {
            SessionSettings settings = SessionSettings.apply(session, name);
            return new LockLink(session, new Setup(session.facts(), settings, slots, before));
        } catch (SQLException | RuntimeException | Error e) {
            PgSession.cut(connection);
            throw e;
        }
    }

    private static void giveBack(PgSession session, Before before) {
        try (Connection connection = session.connection()) {
            connection.setAutoCommit(before.autoCommit());
            session.physical().setNetworkTimeout(Runnable::run, before.networkTimeout());
        } catch (SQLException e) {
            // it is broken, and is told why already
        }
    }

    private static void giveBack(Connection connection) {
        try {
            connection.close();
        } catch (SQLException e) {
            // it is broken, and is told why already
        }
    }

    /** A session with locks that a former borrower has left would get them again, and nobody else could. */
    private static String requireUnused(PgSession session) throws SQLException {
        return Pipeline.query(session, Sql.LOCK_CLIENT_FACTS, Pipeline.NOTHING, row -> {
                    if (row.getBoolean(3)) {
                        throw new LockNotSupportedException(
                                "The DataSource hands out a session that holds advisory locks already: somebody gave it back"
                                        + " to its pool without releasing them. Give LockClient a DataSource of its own.");
                    }
                    int each = row.getInt(1);
                    int sessions = row.getInt(2);
                    return "The server has room for about " + (long) each * sessions
                            + " locks of everybody: max_locks_per_transaction (" + each
                            + ") times max_connections and max_prepared_transactions (" + sessions + ").";
                })
                .get(0);
    }

    int pid() {
        return facts.pid();
    }

    PgSession session() {
        return session;
    }

    /** How many locks the server has room for, as a sentence. */
    String slots() {
        return slots;
    }

    /** When the server was last heard of, as {@link System#nanoTime()} counts. */
    long lastAnswer() {
        return lastAnswer;
    }

    /** Whether that exception means that nothing is held any more. */
    boolean isLost(SQLException e) {
        return session.isLost(e);
    }

    /** Sends the batch, and has its answers dealt with; nothing of them where this throws. */
    void run(LockBatch todo) throws SQLException {
        if (todo.hasStatement()) {
            todo.answer(ask(todo));
        }
        for (LockBatch.Several next = todo.nextSeveral(); next != null; next = todo.nextSeveral()) {
            todo.answerSeveral(next.isFree().getAsBoolean()
                    && lockAll(next.request(), next.keys().get()));
        }
    }

    private String ask(LockBatch todo) throws SQLException {
        if (todo.entries().size() == 1 && todo.tokens().isEmpty()) {
            return askOne(todo.entries().get(0));
        }
        return todo.isBasic() ? askBasic(todo) : askAll(todo);
    }

    private String askOne(LockBatch.Entry entry) throws SQLException {
        LockKey key = entry.key();
        try (PreparedStatement statement = physical.prepareStatement(Sql.lockOneKey(entry.op(), key.isPair()))) {
            statement.setLong(1, key.number());
            statement.setInt(2, LockBatch.announcement(key));
            try (ResultSet row = statement.executeQuery()) {
                row.next();
                requireSameSession(row.getInt(2));
                return row.getBoolean(1) ? "1" : "0";
            }
        }
    }

    private String askBasic(LockBatch todo) throws SQLException {
        try (PreparedStatement statement = physical.prepareStatement(Sql.LOCK_BASIC_BATCH)) {
            statement.setArray(1, physical.createArrayOf("int4", todo.operations()));
            statement.setArray(2, physical.createArrayOf("int8", todo.numbers()));
            try (ResultSet row = statement.executeQuery()) {
                row.next();
                return answers(row);
            }
        }
    }

    private String askAll(LockBatch todo) throws SQLException {
        try (PreparedStatement statement =
                physical.prepareStatement(todo.looksAtTheQueue() ? Sql.LOCK_BATCH_LOOKING : Sql.LOCK_BATCH)) {
            statement.setBoolean(1, !todo.tokens().isEmpty());
            statement.setArray(2, physical.createArrayOf("int4", todo.operations()));
            statement.setArray(3, physical.createArrayOf("int8", todo.numbers()));
            statement.setArray(4, physical.createArrayOf("int4", todo.announcements()));
            try (ResultSet row = statement.executeQuery()) {
                row.next();
                String answers = answers(row);
                long token = row.getLong(3);
                todo.tokens().forEach(each -> each.reply().complete(token));
                return answers;
            }
        }
    }

    private String answers(ResultSet row) throws SQLException {
        requireSameSession(row.getInt(2));
        return Optional.ofNullable(row.getString(1)).orElse(""); // of nothing there is no string
    }

    private boolean lockAll(LockRequest request, List<LockKey> keys) throws SQLException {
        if (keys.isEmpty()) {
            return true;
        }
        Long[] numbers = keys.stream().map(LockKey::number).toArray(Long[]::new);
        Boolean[] pairs = keys.stream().map(LockKey::isPair).toArray(Boolean[]::new);
        try (PreparedStatement statement = physical.prepareStatement(Sql.lockAll(request.isShared()))) {
            statement.setArray(1, physical.createArrayOf("int8", numbers));
            statement.setArray(2, physical.createArrayOf("bool", pairs));
            try (ResultSet row = statement.executeQuery()) {
                row.next();
                requireSameSession(row.getInt(3));
                return row.getBoolean(1);
            }
        }
    }

    /** The last line of defence against a pooler that has not shown itself. */
    private void requireSameSession(int pid) throws SQLException {
        lastAnswer = System.nanoTime();
        if (pid != facts.pid()) {
            throw new SQLException(
                    "a pooler has moved this connection from backend " + facts.pid() + " to " + pid
                            + "; locks do not go along. Connect directly to the server",
                    SqlState.CONNECTION_FAILURE);
        }
    }

    /** What the session holds. */
    Set<Found> found() throws SQLException {
        Collection<Found> found = Pipeline.query(
                session,
                Sql.LOCKS_OF_SESSION,
                Pipeline.NOTHING,
                row -> new Found(LockKey.ofPgLocks(row.getLong(1), row.getLong(2), row.getInt(3)), row.getBoolean(4)));
        lastAnswer = System.nanoTime();
        return new HashSet<>(found);
    }

    /** Whether the server has said goodbye, or the socket is closed: without a round trip. */
    void listen() throws SQLException {
        // without a timeout the driver does not read as far as a closed socket
        physical.getNotifications(1);
    }

    /** Whether the server still answers. */
    void ping() throws SQLException {
        try {
            askBasic(new LockBatch());
        } catch (SQLException e) {
            if (isLost(e)) {
                throw e;
            }
            lastAnswer = System.nanoTime(); // "cancelled" is an answer too
        }
    }

    /** Gives it back as it was found, holding nothing; where that fails, no other borrower gets to see it. */
    void close() {
        registration.close();
        try {
            Pipeline.run(session, Sql.UNLOCK_ALL, Pipeline.NOTHING);
            settings.restore();
            physical.setNetworkTimeout(Runnable::run, before.networkTimeout());
            if (!before.autoCommit()) {
                connection.setAutoCommit(false);
            }
            connection.close();
        } catch (SQLException e) {
            PgSession.cut(connection);
        }
    }

    /** Whatever the server still does for it, nothing more is read from it. */
    void cut() {
        registration.close();
        PgSession.cut(connection);
    }

    @Override
    public String toString() {
        return "pid " + facts.pid();
    }
}
