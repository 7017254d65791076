// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import io.pglock.internal.LockForest;
import io.pglock.internal.LockGraph;
import io.pglock.internal.LockReading;
import io.pglock.internal.LockSignals;
import io.pglock.internal.PgSession;
import java.sql.Connection;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * What is locked on the server, who waits for whom, and the means to cancel or terminate what was found. Without filters: all
 * locks of all databases, but those of the asking session. Every filter narrows it; of several values given to one, any will do.
 * Immutable: every filter gives a new query. As thread-safe as the connection: not.
 *
 * {@snippet :
 * LockQuery locks = PgLock.on(connection).locks();
 * locks.on("orders").list();                                            // who holds or awaits what on orders
 * System.out.println(locks.tree());                                     // who waits for whom
 * locks.on("orders").waitingLongerThan(Duration.ofSeconds(5)).terminateBlockers();
 * }
 *
 * <p>Reading takes one round trip, {@link #on} a second one, and leaves nothing in the session: it runs with {@code jit} off,
 * {@code lock_timeout} 500 ms and {@code statement_timeout} 5 s (which PostgreSQL 10 does not heed here), and inside a
 * transaction in a savepoint that is rolled back. Filters other than {@link #on} work on what was read. Any role may ask; what
 * it cannot see is empty, and is said in {@link LockSnapshot#notes()}. While a system catalog is locked, OIDs take the place of
 * names.
 *
 * @see <a href="https://www.postgresql.org/docs/current/view-pg-locks.html">pg_locks</a>
 */
public final class LockQuery {

    /** Orders of {@link #list()} and {@link #blocked()}; unknown values last, the lower pid first among equals. */
    public enum Order implements Comparator<LockInfo> {
        /** Who waits before who holds, the longest wait first. */
        LONGEST_WAIT,
        /** The oldest transaction first. */
        OLDEST_TRANSACTION,
        /** By database, schema and name of the relation. */
        RELATION,
        /** By process id. */
        PID;

        @Override
        public int compare(LockInfo one, LockInfo other) {
            int order = switch (this) {
                case LONGEST_WAIT -> compare(one.waitStart(), other.waitStart());
                case OLDEST_TRANSACTION ->
                    compare(one.backend().xactStart(), other.backend().xactStart());
                case RELATION -> compare(one.target(), other.target());
                case PID -> 0;
            };
            order = order == 0 && this != PID ? Boolean.compare(one.granted(), other.granted()) : order;
            return order == 0
                    ? Integer.compare(one.backend().pid(), other.backend().pid())
                    : order;
        }

        private static int compare(LockTarget one, LockTarget other) {
            int order = compare(one.database(), other.database());
            order = order == 0 ? compare(one.schema(), other.schema()) : order;
            return order == 0 ? compare(one.relation(), other.relation()) : order;
        }

        private static <T extends Comparable<? super T>> int compare(Optional<T> one, Optional<T> other) {
            return one.isPresent() && other.isPresent()
                    ? one.get().compareTo(other.get())
                    : Boolean.compare(one.isEmpty(), other.isEmpty());
        }
    }

    private final PgSession session;
    private final List<TableName> tables;
    private final Predicate<LockInfo> filter;
    private final boolean filtered;
    private final Comparator<LockInfo> order;
    private final int limit;

    LockQuery(PgSession session) {
        this(session, List.of(), lock -> true, false, Order.LONGEST_WAIT, Integer.MAX_VALUE);
    }

    private LockQuery(
            PgSession session,
            List<TableName> tables,
            Predicate<LockInfo> filter,
            boolean filtered,
            Comparator<LockInfo> order,
            int limit) {
        this.session = session;
        this.tables = tables;
        this.filter = filter;
        this.filtered = filtered;
        this.order = order;
        this.limit = limit;
    }

    /**
     * The same as {@code PgLock.on(connection).locks()}.
     *
     * @throws LockNotSupportedException when it is not a PostgreSQL connection
     * @throws PgLockException when it is closed
     */
    public static LockQuery on(Connection connection) {
        return new LockQuery(PgSession.of(connection));
    }

    /**
     * Locks on these relations (tables, views, indexes ...), on their rows, and waits for their rows. Each is looked up when the
     * query runs, as a statement would: in its schema, or on the {@code search_path}.
     *
     * @param relations each as one writes it in SQL, see {@link TableName#parse}
     * @throws IllegalArgumentException when one is not a name
     */
    public LockQuery on(String... relations) {
        return on(Stream.of(relations).map(TableName::parse).toArray(TableName[]::new));
    }

    /** As {@link #on(String...)}, with names that need no parsing. */
    public LockQuery on(TableName... relations) {
        List<TableName> all = new ArrayList<>(tables);
        all.addAll(List.of(relations));
        return new LockQuery(session, List.copyOf(all), filter, true, order, limit);
    }

    /** Locks on relations in these schemas of this database; exact names. */
    public LockQuery schema(String... names) {
        return whereAny(lock -> lock.target().schema(), names);
    }

    /** Locks in these databases, and those that belong to none (transactions, shared objects) of sessions connected to them. */
    public LockQuery database(String... names) {
        return whereAny(lock -> lock.target().database().or(() -> lock.backend().database()), names);
    }

    /** Locks of these modes. */
    public LockQuery mode(LockMode... modes) {
        return whereAny(lock -> Optional.of(lock.mode()), modes);
    }

    /** Locks on these kinds of things. */
    public LockQuery type(LockTarget.Type... types) {
        return whereAny(lock -> Optional.of(lock.target().type()), types);
    }

    /** Advisory locks with these keys. */
    public LockQuery advisory(LockKey... keys) {
        return whereAny(lock -> lock.target().advisoryKey(), keys);
    }

    /** Locks that are held. */
    public LockQuery granted() {
        return where(LockInfo::granted);
    }

    /** Locks that are waited for. */
    public LockQuery waiting() {
        return where(lock -> !lock.granted());
    }

    /** Locks of these sessions, and of the parallel workers that work for them; 0 is all prepared transactions. */
    public LockQuery pid(Integer... pids) {
        return whereAny(
                lock -> Optional.of(
                        lock.backend().leaderPid().orElse(lock.backend().pid())),
                pids);
    }

    /** Locks of sessions of these roles. */
    public LockQuery user(String... names) {
        return whereAny(lock -> lock.backend().user(), names);
    }

    /** Locks of sessions with these {@code application_name}s. */
    public LockQuery application(String... names) {
        return whereAny(lock -> lock.backend().application(), names);
    }

    /** Locks of sessions in these states, as {@code pg_stat_activity.state} spells them: {@code idle in transaction}. */
    public LockQuery state(String... states) {
        return whereAny(lock -> lock.backend().state(), states);
    }

    /** Locks of sessions whose transaction has been open for longer, whatever they did meanwhile. */
    public LockQuery olderThan(Duration age) {
        return whereLonger(lock -> lock.backend().xactAge(), age);
    }

    /** Locks of sessions that have been in their state for longer. */
    public LockQuery stateOlderThan(Duration age) {
        return whereLonger(lock -> lock.backend().stateAge(), age);
    }

    /** Locks that have been waited for for longer, see {@link LockInfo#waitStart()}. */
    public LockQuery waitingLongerThan(Duration time) {
        return whereLonger(LockInfo::waited, time);
    }

    /** Locks of which this is true. */
    public LockQuery where(Predicate<? super LockInfo> condition) {
        return new LockQuery(session, tables, filter.and(condition), true, order, limit);
    }

    /** In this order instead of {@link Order#LONGEST_WAIT}; does not concern {@link #tree()}. */
    public LockQuery sortedBy(Comparator<? super LockInfo> comparator) {
        return new LockQuery(session, tables, filter, filtered, comparator::compare, limit);
    }

    /**
     * At most so many, the first of the order; does not concern {@link #tree()}.
     *
     * @throws IllegalArgumentException when it is negative
     */
    public LockQuery limit(int most) {
        if (most < 0) {
            throw new IllegalArgumentException("A limit cannot be negative: " + most + ".");
        }
        return new LockQuery(session, tables, filter, filtered, order, most);
    }

    private <T> LockQuery whereAny(Function<LockInfo, Optional<T>> value, T[] wanted) {
        Set<T> any = Set.copyOf(List.of(wanted));
        return where(lock -> value.apply(lock).filter(any::contains).isPresent());
    }

    private LockQuery whereLonger(Function<LockInfo, Optional<Duration>> value, Duration time) {
        return where(
                lock -> value.apply(lock).filter(age -> age.compareTo(time) > 0).isPresent());
    }

    /**
     * The locks.
     *
     * @throws PgLockException when a table of {@link #on} does not exist, or the session cannot be asked
     */
    public List<LockInfo> list() {
        return snapshot().locks();
    }

    /**
     * The locks that are waited for, each with everybody in the way, as {@link BlockedLock} says: also whoever holds the row in
     * the queue for which one waits. Filters and order concern the lock waited for. Throws as {@link #list()}.
     */
    public List<BlockedLock> blocked() {
        return snapshot().blocked();
    }

    /** The trees in which a lock that is waited for, or one that stands in the way, matches the filters. Throws as {@link #list()}. */
    public LockTree tree() {
        return snapshot().tree();
    }

    /** All three from one reading. Throws as {@link #list()}. */
    public LockSnapshot snapshot() {
        Predicate<LockInfo> matches = filter;
        if (!tables.isEmpty()) {
            Set<Long> oids = LockReading.oids(session, tables);
            // a name is there in this database only, where the OIDs are from
            Predicate<LockInfo> onTables = lock -> lock.target().relation().isPresent()
                    && lock.target().relationOid().filter(oids::contains).isPresent();
            matches = onTables.and(filter);
        }
        LockGraph graph = new LockGraph(LockReading.of(session, tables));
        return new LockSnapshot(
                graph.locks().stream()
                        .filter(matches)
                        .sorted(order)
                        .limit(limit)
                        .toList(),
                blocked(graph, matches),
                LockForest.of(graph, matches),
                graph.notes());
    }

    private List<BlockedLock> blocked(LockGraph graph, Predicate<LockInfo> matches) {
        return graph.blocked().stream()
                .filter(wait -> matches.test(wait.waiting()))
                .sorted((one, other) -> order.compare(one.waiting(), other.waiting()))
                .limit(limit)
                .toList();
    }

    /**
     * Cancels the statements of the sessions whose locks {@link #list()} gives, as long as they are in the transaction in which
     * they were seen. What runs no statement cannot be cancelled. A session whose {@code track_activities} is off does not say
     * in which transaction it is, and is spared.
     *
     * @return what was done to each
     * @throws IllegalStateException without any filter: that would be everybody on the server
     * @throws PgLockException as {@link #list()}; a missing right is no exception but {@link Signalled.Outcome#NOT_PERMITTED}
     */
    public List<Signalled> cancel() {
        return signal(Signal.CANCEL, list());
    }

    /** Terminates the sessions whose locks {@link #list()} gives; otherwise as {@link #cancel()}. */
    public List<Signalled> terminate() {
        return signal(Signal.TERMINATE, list());
    }

    /**
     * Cancels exactly these sessions, seen before and perhaps confirmed by somebody since: each only if it still is in the
     * transaction in which it was seen. A session whose {@code track_activities} is off does not say in which it is: named
     * here, it is signalled in any.
     *
     * @return what was done to each
     * @throws PgLockException when the session cannot be asked
     */
    public List<Signalled> cancel(Collection<Backend> seen) {
        return LockSignals.toSessions(session, Signal.CANCEL, seen);
    }

    /** Terminates exactly these sessions; otherwise as {@link #cancel(Collection)}. */
    public List<Signalled> terminate(Collection<Backend> seen) {
        return LockSignals.toSessions(session, Signal.TERMINATE, seen);
    }

    /**
     * Cancels the statements of the hard blockers of what {@link #blocked()} gives, each only while it still holds a conflicting
     * lock in the transaction in which it was seen. Never reached: who is merely queued ahead, {@code pg_dump} and {@code
     * pg_basebackup}, another session of this JVM (as far as that can be told), another migration under pglock's guard, Flyway's
     * history connection, the session of a {@link LockClient}, autovacuum, the asking session. To end one of those all the same,
     * {@link #cancel(Collection)} it. A prepared transaction is reported. Without a filter this concerns everybody who waits on
     * this server.
     *
     * @return what was done to each
     * @throws PgLockException as {@link #list()}; a missing right is no exception but {@link Signalled.Outcome#NOT_PERMITTED}
     */
    public List<Signalled> cancelBlockers() {
        return LockSignals.toBlockers(session, Signal.CANCEL, blocked());
    }

    /** Terminates the hard blockers of what {@link #blocked()} gives; otherwise as {@link #cancelBlockers()}. */
    public List<Signalled> terminateBlockers() {
        return LockSignals.toBlockers(session, Signal.TERMINATE, blocked());
    }

    /**
     * Cancels the statements of the hard blockers of exactly these waits, seen before and perhaps confirmed by somebody since;
     * otherwise as {@link #cancelBlockers()}.
     *
     * @return what was done to each
     * @throws PgLockException when the session cannot be asked
     */
    public List<Signalled> cancelBlockers(Collection<BlockedLock> seen) {
        return LockSignals.toBlockers(session, Signal.CANCEL, seen);
    }

    /** Terminates the hard blockers of exactly these waits; otherwise as {@link #cancelBlockers(Collection)}. */
    public List<Signalled> terminateBlockers(Collection<BlockedLock> seen) {
        return LockSignals.toBlockers(session, Signal.TERMINATE, seen);
    }

    private List<Signalled> signal(Signal how, List<LockInfo> locks) {
        if (!filtered) {
            throw new IllegalStateException(
                    "Without a filter this would " + (how == Signal.CANCEL ? "cancel" : "terminate")
                            + " every session on the server. Say which: on(...), application(...), pid(...).");
        }
        return LockSignals.toOwners(
                session, how, locks.stream().map(LockInfo::backend).toList());
    }
}
