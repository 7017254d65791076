// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import io.pglock.Backend;
import java.sql.Array;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/**
 * One edge that a look found: who waits, for what, behind whom, and who waits behind that. Not API.
 *
 * @param waiter the guarded session's pid
 * @param held what the blocker holds and the waiter wants; empty where it is merely queued ahead
 * @param waited by the server's clock; empty before PostgreSQL 14
 * @param running what bounds that: for how long the statement has run that waits; empty where {@code waited} is not, and where
 *     this role may not see it
 * @param kind what the blocker is, beyond a session
 * @param spared why the blocker is never signalled
 * @param victims who waits behind the waiter
 * @param victimsWaited the longest of these waits; empty like {@code waited}, and for an instant after the wait began
 */
record Sighting(
        int waiter,
        Backend backend,
        Optional<Held> held,
        String waitsFor,
        Optional<Duration> waited,
        Optional<Duration> running,
        Kind kind,
        Optional<String> spared,
        List<Integer> victims,
        Optional<Duration> victimsWaited) {

    /** What a session waits for that commits, until a synchronous standby has it; it holds its locks meanwhile. */
    private static final String SYNC_REP = "IPC:SyncRep";

    /**
     * A lock and the virtual transaction in which it is held.
     *
     * @param pid 0 for a prepared transaction
     * @param within empty for an advisory lock, which a session may hold across its transactions
     * @param modes those that conflict with what the waiter wants, separated by commas: a holder that goes back to a savepoint
     *     may keep a weaker one, which is in nobody's way
     */
    record Held(int pid, String tag, String within, String modes) {

        static Held of(ResultSet row, int pid) throws SQLException {
            return new Held(
                    pid,
                    row.getString("held_tag"),
                    Optional.ofNullable(row.getString("held_within")).orElse(""),
                    row.getString("held_modes"));
        }

        /** Whether both are the same lock of the same holder, which its transaction tells where there is one. */
        boolean isSameAs(Held other) {
            return tag.equals(other.tag) && within.equals(other.within) && (!within.isEmpty() || pid == other.pid);
        }
    }

    /** What follows from who is in the way. */
    enum Kind {
        SESSION,
        /** One that pglock works for or through. */
        REGISTERED,
        /** Another connection of this JVM. */
        OWN,
        /** Nobody can tell at the moment whether it is one. */
        PERHAPS_OWN,
        /** PostgreSQL sends it away, for a wait that is longer than {@code deadlock_timeout}. */
        AUTOVACUUM,
        /** PostgreSQL does not send it away. */
        AUTOVACUUM_AGAINST_WRAPAROUND
    }

    /**
     * @param registered the pids of {@link OwnSessions}
     * @param own whether a session is another one of this JVM's
     */
    static Sighting of(ResultSet row, Set<Integer> registered, Function<Backend, OwnSockets.Answer> own)
            throws SQLException {
        int pid = row.getInt("blocker");
        Backend backend = pid == 0 ? Rows.prepared(row) : Rows.backend(row);
        Optional<Held> held = row.getBoolean("hard") ? Optional.of(Held.of(row, pid)) : Optional.empty();
        Kind kind = kind(row, backend, registered, own);
        return new Sighting(
                row.getInt("waiter"),
                backend,
                held,
                row.getString("waits_for"),
                millis(row, "waited_ms"),
                millis(row, "running_ms"),
                kind,
                spared(row, backend, kind),
                victims(row),
                millis(row, "victims_waited_ms"));
    }

    boolean hard() {
        return held.isPresent();
    }

    /** Whether this JVM is in its own way, which no waiting may ever end. */
    boolean isSelfBlock() {
        return hard() && kind == Kind.OWN;
    }

    private static Kind kind(
            ResultSet row, Backend backend, Set<Integer> registered, Function<Backend, OwnSockets.Answer> own)
            throws SQLException {
        if (row.getBoolean("autovacuum")) {
            return backend.query()
                            .filter(query -> query.contains("(to prevent wraparound)"))
                            .isPresent()
                    ? Kind.AUTOVACUUM_AGAINST_WRAPAROUND
                    : Kind.AUTOVACUUM;
        }
        if (backend.isPreparedTransaction()) {
            return Kind.SESSION;
        }
        if (registered.contains(backend.pid())) {
            return Kind.REGISTERED;
        }
        return switch (own.apply(backend)) {
            case OURS -> Kind.OWN;
            case NOT_OURS -> Kind.SESSION;
            case UNKNOWN -> Kind.PERHAPS_OWN;
        };
    }

    private static Optional<Duration> millis(ResultSet row, String column) throws SQLException {
        long millis = row.getLong(column);
        return row.wasNull() ? Optional.empty() : Optional.of(Duration.ofMillis(Math.max(0, millis)));
    }

    private static List<Integer> victims(ResultSet row) throws SQLException {
        Array pids = row.getArray("victims");
        return pids == null ? List.of() : List.of((Integer[]) pids.getArray());
    }

    /** The same reasons as in the statement that signals, see {@link Signals}, and what to do where that can be said. */
    private static Optional<String> spared(ResultSet row, Backend backend, Kind kind) throws SQLException {
        if (backend.isPreparedTransaction()) {
            return Optional.of("a prepared transaction has no session");
        }
        if (row.getBoolean("flyway_history")) {
            return Optional.of("it holds Flyway's history lock"
                    + (kind == Kind.OWN
                            ? " for this very run; if this waits for it in vain, set flyway.postgresql.transactional.lock=false"
                            : ""));
        }
        if (row.getBoolean("flyway_waiting")) {
            return Optional.of("another Flyway that waits for the migration lock; it gives up by itself");
        }
        return switch (kind) {
            case REGISTERED -> Optional.of("it belongs to this JVM's own work");
            case OWN ->
                Optional.of(
                        "it is a connection of this JVM: commit, roll back or close it first, or run this before it is"
                                + " opened; waiting does not help if the same thread holds it");
            case PERHAPS_OWN ->
                Optional.of(
                        "perhaps a connection of this JVM: its own sockets in /proc/self cannot be read at the moment");
            case AUTOVACUUM ->
                Optional.of("an autovacuum worker: PostgreSQL sends it away once this wait is longer than"
                        + " deadlock_timeout");
            case AUTOVACUUM_AGAINST_WRAPAROUND ->
                Optional.of(
                        "an autovacuum to prevent wraparound: PostgreSQL does not send it away, and the table has to be"
                                + " vacuumed; wait until it is done");
            case SESSION -> {
                if (backend.type()
                        .filter(type -> !type.equals("client backend"))
                        .isPresent()) {
                    yield Optional.of("not a client's session");
                }
                if (backend.state().filter("disabled"::equals).isPresent()) {
                    yield Optional.of(Signals.NOT_TRACKED_IN_WORDS);
                }
                if (backend.waitEvent().filter(SYNC_REP::equals).isPresent()) {
                    yield Optional.of(Signals.COMMITTING_IN_WORDS);
                }
                if (row.getBoolean("guarded")) {
                    yield Optional.of("another migration that pglock guards");
                }
                yield row.getBoolean("lock_client") ? Optional.of(Signals.LOCK_CLIENT_IN_WORDS) : Optional.empty();
            }
        };
    }
}
