// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import io.pglock.Backend;
import io.pglock.LockNotSupportedException;
import io.pglock.PgLockException;
import io.pglock.SeenBlocker;
import io.pglock.Signal;
import io.pglock.Signalled;
import java.io.Serial;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.postgresql.core.BaseConnection;

/**
 * The session through which a watch looks and signals. Borrowed, checked, and given back as it was found. Used by the watch's
 * thread only, except {@link #abort(BaseConnection)}. Not API.
 */
final class SideConnection implements AutoCloseable {

    /** What the watch's session runs with, in the order of {@link Sql#watchSettingNames}. */
    private static final List<String> SETTINGS = List.of("pglock", "500ms", "5s", "off");

    /** This connection is not one to watch through, and the next one from the same place will not be either. */
    static final class Unusable extends Exception {

        @Serial
        private static final long serialVersionUID = 1L;

        Unusable(String why) {
            super(why);
        }
    }

    private final PgSession session;
    private final PgSession.Facts facts;
    private final boolean autoCommit;
    private final List<String> settings;
    private final Duration deadlockTimeout;
    private final OwnSessions.Registration registration;
    private final Set<Integer> marked = new HashSet<>();
    private final Map<BlockerKey, OwnSockets.Answer> ofThisJvm = Findings.rememberingWhatIsUsed();
    private final String look;
    private final Runnable givingBack;

    private SideConnection(
            PgSession session, PgSession.Facts facts, boolean autoCommit, Found found, Runnable givingBack) {
        this.session = session;
        this.givingBack = givingBack;
        this.facts = facts;
        this.autoCommit = autoCommit;
        this.settings = found.settings();
        this.deadlockTimeout = found.deadlockTimeout();
        this.registration = OwnSessions.register(facts);
        this.look = Sql.watchLook(session.majorVersion());
    }

    /**
     * What is to be {@linkplain #of made ready}, without a round trip; else it is given back.
     *
     * @throws Unusable when it must not be used; if it is a guarded session itself, or the driver's own connection in a
     *     transaction that somebody else has begun, no SQL was run on it and it was not closed
     */
    static PgSession borrowed(Connection connection, Collection<Guarded> guarded) throws SQLException, Unusable {
        PgSession session;
        try {
            session = PgSession.of(connection);
        } catch (PgLockException e) {
            connection.close();
            if (e instanceof LockNotSupportedException) {
                throw new Unusable(String.valueOf(e.getMessage()));
            }
            throw e;
        }
        boolean itself = guarded.stream().anyMatch(each -> each.isBehind(session.physical()));
        if (itself || session.inTransaction()) {
            if (!itself && session.isWrapped()) {
                connection.close(); // a pool's: whoever has begun that, as for a test query, it wants it back
            }
            throw new Unusable(
                    "the DataSource hands out a session that is in use, the guarded one itself or one inside a"
                            + " transaction. Give it a DataSource that opens connections of its own");
        }
        return session;
    }

    /**
     * Makes a session ready to watch through, or gives it back.
     *
     * @param givingBack run right before that: then it is somebody else's, and not to be {@linkplain #abort(BaseConnection) cut off}
     */
    static SideConnection of(PgSession session, Runnable givingBack) throws SQLException, Unusable {
        Connection connection = session.connection();
        boolean autoCommit = true;
        boolean ready = false;
        try {
            autoCommit = connection.getAutoCommit();
            if (!autoCommit) {
                connection.setAutoCommit(true);
            }
            PgSession.Facts facts = session.facts();
            session.requireDirect("The side connection");
            SideConnection side = new SideConnection(session, facts, autoCommit, prepare(session), givingBack);
            ready = true;
            return side;
        } catch (LockNotSupportedException e) {
            throw new Unusable(String.valueOf(e.getMessage()));
        } finally {
            if (!ready) {
                giveBack(connection, autoCommit, givingBack);
            }
        }
    }

    private static void giveBack(Connection connection, boolean autoCommit, Runnable givingBack) throws SQLException {
        try (connection) {
            givingBack.run();
            if (!autoCommit && !connection.isClosed()) {
                connection.setAutoCommit(false);
            }
        }
    }

    /** What the session had before. */
    private record Found(List<String> settings, Duration deadlockTimeout) {}

    private static Found prepare(PgSession session) throws SQLException {
        int count = Sql.watchSettingNames(session.majorVersion()).size();
        try (PreparedStatement statement =
                session.connection().prepareStatement(Sql.watchSettings(session.majorVersion()))) {
            bind(statement, SETTINGS.subList(0, count));
            try (ResultSet row = statement.executeQuery()) {
                row.next();
                List<String> before = new ArrayList<>();
                for (int column = 1; column <= count; column++) {
                    before.add(row.getString(column));
                }
                return new Found(before, Duration.ofMillis(row.getLong(count + 1)));
            }
        }
    }

    private static void bind(PreparedStatement statement, List<String> values) throws SQLException {
        for (int i = 0; i < values.size(); i++) {
            statement.setString(i + 1, values.get(i));
        }
    }

    String serverStart() {
        return facts.serverStart();
    }

    int pid() {
        return facts.pid();
    }

    boolean isSessionOf(Guarded guarded) {
        return guarded.isBehind(session.physical());
    }

    /**
     * Marks these sessions, and no others, as guarded; returns those that this server does not have.
     *
     * @param sessions pids, and when each began
     */
    Set<Integer> mark(Map<Integer, Long> sessions) throws SQLException {
        Set<Integer> over = new HashSet<>(marked);
        over.removeAll(sessions.keySet());
        unmark(over);
        Map<Integer, Long> fresh = new HashMap<>(sessions);
        fresh.keySet().removeAll(marked);
        Set<Integer> absent = new HashSet<>();
        if (!fresh.isEmpty()) {
            try (PreparedStatement statement = session.connection().prepareStatement(Sql.WATCH_MARK)) {
                bindSessions(statement, fresh);
                try (ResultSet rows = statement.executeQuery()) {
                    while (rows.next()) {
                        int pid = rows.getInt(1);
                        if (!rows.getBoolean(2)) {
                            absent.add(pid);
                        } else if (rows.getBoolean(3)) {
                            marked.add(pid);
                        }
                    }
                }
            } catch (SQLException e) {
                abort(); // it may have got some of them, nobody knows which, and they outlive the statement
                throw e;
            }
        }
        return absent;
    }

    /** Whether that failure is the end of this connection. */
    boolean isLost(SQLException failure) {
        return session.isLost(failure);
    }

    private void unmark(Set<Integer> pids) throws SQLException {
        if (pids.isEmpty()) {
            return;
        }
        try (PreparedStatement statement = session.connection().prepareStatement(Sql.WATCH_UNMARK)) {
            bindPids(statement, pids);
            statement.execute();
        }
        marked.removeAll(pids);
    }

    private void bindPids(PreparedStatement statement, Collection<Integer> pids) throws SQLException {
        statement.setArray(1, session.connection().createArrayOf("int4", pids.toArray()));
    }

    private void bindSessions(PreparedStatement statement, Map<Integer, Long> sessions) throws SQLException {
        bindPids(statement, sessions.keySet());
        statement.setArray(
                2, session.connection().createArrayOf("int8", sessions.values().toArray()));
    }

    /**
     * Who is in the way of these sessions.
     *
     * @param sessions pids, and when each began
     */
    List<Sighting> look(Map<Integer, Long> sessions) throws SQLException {
        Set<Integer> own = OwnSessions.pids(facts.serverStart());
        try (PreparedStatement statement = session.connection().prepareStatement(look)) {
            bindSessions(statement, sessions);
            try (ResultSet rows = statement.executeQuery()) {
                List<Sighting> seen = new ArrayList<>();
                while (rows.next()) {
                    seen.add(Sighting.of(rows, own, this::isOfThisJvm));
                }
                return seen;
            }
        }
    }

    /** Asked once for each session: that takes reading this process's table of sockets. */
    private OwnSockets.Answer isOfThisJvm(Backend backend) {
        BlockerKey key = BlockerKey.ofSession(backend);
        OwnSockets.Answer answer = Optional.ofNullable(ofThisJvm.get(key))
                .or(() -> backend.clientAddress().map(OwnSockets::contains))
                .orElse(OwnSockets.Answer.NOT_OURS);
        if (answer != OwnSockets.Answer.UNKNOWN) {
            ofThisJvm.put(key, answer);
        }
        return answer;
    }

    /** {@code deadlock_timeout} of this session, and most likely of every other. */
    Duration deadlockTimeout() {
        return deadlockTimeout;
    }

    /**
     * Who holds now what a session waits for the end of outside the queue: those of these that still do, and others in the same
     * modes; empty when the session itself is gone.
     */
    Optional<Set<Sighting.Held>> holders(List<Sighting.Held> awaited, int pid) throws SQLException {
        Connection connection = session.connection();
        try (PreparedStatement statement = connection.prepareStatement(Sql.WATCH_HOLDERS)) {
            List<List<String>> locks = awaited.stream()
                    .map(held -> List.of(held.tag(), held.modes()))
                    .distinct()
                    .toList();
            statement.setArray(1, connection.createArrayOf("text", each(locks, lock -> lock.get(0))));
            statement.setArray(2, connection.createArrayOf("text", each(locks, lock -> lock.get(1))));
            statement.setInt(3, pid);
            statement.setInt(4, pid);
            try (ResultSet rows = statement.executeQuery()) {
                Set<Sighting.Held> holders = new HashSet<>();
                while (rows.next()) {
                    int holder = rows.getInt("pid");
                    if (holder < 0) {
                        return Optional.empty();
                    }
                    Sighting.Held held = Sighting.Held.of(rows, holder);
                    holders.add(
                            awaited.stream().filter(held::isSameAs).findFirst().orElse(held));
                }
                return Optional.of(holders);
            }
        }
    }

    private static <T> Object[] each(List<T> locks, Function<T, Object> what) {
        return locks.stream().map(what).toArray();
    }

    /**
     * Signals a blocker of this session if it still is one.
     *
     * @param idleSince only if it has done nothing since then
     */
    Signalled signal(Signal how, SeenBlocker blocker, Optional<Instant> idleSince, int waiter, Set<String> names)
            throws SQLException {
        return Signals.toBlocker(session.connection(), how, blocker.backend(), idleSince, waiter, spared(names));
    }

    /** Signals a blocker if it still holds what somebody waited for who has stepped aside. */
    Signalled signalHolder(Signal how, SeenBlocker blocker, Sighting.Held held, Set<String> names) throws SQLException {
        return Signals.toHolder(session.connection(), how, blocker.backend(), held, spared(names));
    }

    private Spared spared(Set<String> names) {
        return new Spared(names, OwnSessions.pids(facts.serverStart()));
    }

    /**
     * Cancels the statement of a guarded session if it waits for a lock; whether that was sent.
     *
     * @param start when it began
     * @throws SQLException also when this role may not: no rights are needed among sessions of one role
     */
    boolean giveWay(int pid, long start) throws SQLException {
        try (PreparedStatement statement = session.connection().prepareStatement(Sql.GIVE_WAY)) {
            statement.setInt(1, pid);
            statement.setLong(2, start);
            try (ResultSet row = statement.executeQuery()) {
                return row.next() && row.getBoolean(1);
            }
        }
    }

    /** Ends a statement that does not come back, by cutting the connection. From any thread. */
    private void abort() {
        abort(session.physical());
    }

    /** The same while it is being made ready, or given back. */
    static void abort(BaseConnection physical) {
        try {
            physical.abort(Runnable::run);
        } catch (SQLException e) {
            // it is beyond use either way
        }
    }

    /** Gives it back as it was found; where that fails, no other borrower gets to see it. */
    @Override
    public void close() {
        registration.close();
        try (Connection connection = session.connection()) {
            try {
                restore(connection);
            } finally {
                givingBack.run();
            }
        } catch (SQLException e) {
            // closing a broken connection: nothing is left to give back
        }
    }

    private void restore(Connection connection) throws SQLException {
        if (session.physical().isClosed()) {
            return;
        }
        try {
            unmark(Set.copyOf(marked));
            try (PreparedStatement statement = connection.prepareStatement(Sql.watchRestore(session.majorVersion()))) {
                bind(statement, settings);
                statement.execute();
            }
            if (!autoCommit) {
                connection.setAutoCommit(false);
            }
        } catch (SQLException e) {
            abort();
        }
    }
}
