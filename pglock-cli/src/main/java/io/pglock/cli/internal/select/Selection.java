// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.select;

import io.pglock.Backend;
import io.pglock.BlockedLock;
import io.pglock.Blocker;
import io.pglock.LockInfo;
import io.pglock.LockQuery;
import io.pglock.LockSnapshot;
import io.pglock.LockTree;
import io.pglock.PgLockException;
import io.pglock.TableName;
import io.pglock.cli.internal.Stop;
import io.pglock.cli.internal.keys.KeyNames;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.BiPredicate;
import java.util.function.Supplier;
import java.util.stream.Stream;

/** Which locks are asked for, and in which order. Immutable and thread-safe. Not API. */
public final class Selection {

    /** What is said where the answer depends on what the role may not see. */
    public static final String UNANSWERED =
            "whether anybody waits of whom the filters are true, this role may not see; pg_read_all_stats helps";

    private final List<Integer> pids;
    private final List<TableName> tables;
    private final List<Condition> conditions;
    private final boolean blocking;
    private final Comparator<Row> order;
    private final OptionalInt limit;
    private final KeyNames names;
    private final boolean narrowed;

    Selection(
            List<Integer> pids,
            List<TableName> tables,
            List<Condition> conditions,
            boolean blocking,
            Comparator<Row> order,
            OptionalInt limit,
            KeyNames names,
            boolean narrowed) {
        this.pids = List.copyOf(pids);
        this.tables = List.copyOf(tables);
        this.conditions = List.copyOf(conditions);
        this.blocking = blocking;
        this.order = order;
        this.limit = limit;
        this.names = names;
        this.narrowed = narrowed;
    }

    /** Whether who is in the way is asked for, a row for each. */
    public boolean isBlocking() {
        return blocking;
    }

    /** Whether somebody has said, for this call, that it is less than everything there is. */
    public boolean isNarrowed() {
        return narrowed;
    }

    /** Whether nothing at all makes it less. */
    public boolean isOfEverything() {
        return pids.isEmpty() && tables.isEmpty() && conditions.isEmpty();
    }

    /** The sessions that are named. */
    public List<Integer> pids() {
        return pids;
    }

    /** What advisory keys are called. */
    public KeyNames keyNames() {
        return names;
    }

    /** The same with this limit where none was said, unless sessions are named. */
    public Selection limitedTo(int otherwise) {
        OptionalInt most = limit.isPresent() || !pids.isEmpty() ? limit : OptionalInt.of(otherwise);
        return new Selection(pids, tables, conditions, blocking, order, most, names, narrowed);
    }

    /** @throws Stop when a filter is about who is in the way, of whom a query for locks knows nothing */
    private void requireOfLocks() {
        conditions.stream()
                .map(Condition::attribute)
                .filter(Selection::isOfWaits)
                .findFirst()
                .ifPresent(attribute -> {
                    throw Stop.usage("one cannot filter by " + attribute + " here");
                });
    }

    /** @param matches judges a lock by those conditions that are of it alone */
    private LockQuery narrowed(LockQuery all, BiPredicate<List<Condition>, Row> matches) {
        LockQuery query = pids.isEmpty() ? all : all.pid(pids.toArray(Integer[]::new));
        query = tables.isEmpty() ? query : query.on(tables.toArray(TableName[]::new));
        List<Condition> ofLocks = conditions.stream()
                .filter(condition -> !isOfWaits(condition.attribute()))
                .toList();
        return ofLocks.isEmpty()
                ? query
                : query.where(lock -> matches.test(ofLocks, new Row(lock, names, List.of(), Optional.empty())));
    }

    private static List<Condition> untrue(List<Condition> conditions, Row row) {
        return conditions.stream().filter(condition -> !condition.test(row)).toList();
    }

    /** Whether all of them may be true, for all that the role may see. */
    private static boolean mayMatch(List<Condition> conditions, Row row) {
        return untrue(conditions, row).stream().allMatch(condition -> isHidden(condition.attribute(), row));
    }

    private static boolean isHidden(Attribute attribute, Row row) {
        Optional<Backend> session = attribute.isOfBlocker()
                ? row.blocker().map(Blocker::backend)
                : Optional.of(row.lock().backend());
        boolean mayBeHidden =
                attribute.isOfSession() || attribute.isOfWait() && !row.lock().granted();
        return mayBeHidden
                && attribute.of(row).isEmpty()
                && session.filter(backend -> !backend.visible()).isPresent();
    }

    /** Whether it is not of the lock alone. */
    private static boolean isOfWaits(Attribute attribute) {
        return attribute.isOfBlocker() || attribute.kind() == Kind.PIDS;
    }

    /**
     * Reads the locks.
     *
     * @param all the query for everything
     */
    public Found read(LockQuery all) {
        // only of a whole row is it known whether it was asked for: a lock that stands in nobody's way is none with
        // --blocking
        LockQuery query = narrowed(all, Selection::mayMatch);
        LockSnapshot snapshot = reading(query::snapshot);
        List<Row> possible = (blocking ? blockers(snapshot) : locks(snapshot))
                .filter(row -> mayMatch(conditions, row))
                .sorted(order)
                .toList();
        List<Row> rows = possible.stream()
                .filter(row -> untrue(conditions, row).isEmpty())
                .toList();
        List<Row> unanswered = possible.stream()
                .filter(row -> !untrue(conditions, row).isEmpty())
                .toList();
        return new Found(rows, limit.orElse(Integer.MAX_VALUE), snapshot.notes(), unanswered);
    }

    /**
     * Reads the trees in which one of these locks is waited for, or in the way.
     *
     * @param all the query for everything
     */
    public LockTree tree(LockQuery all) {
        requireOfLocks();
        LockQuery query =
                narrowed(all, (conditions, row) -> untrue(conditions, row).isEmpty());
        return reading(query::tree);
    }

    /** Whether there are trees of which the role may not see whether they are among these. */
    public boolean mayHaveTrees(LockQuery all) {
        LockQuery query =
                narrowed(all, (conditions, row) -> !untrue(conditions, row).isEmpty() && mayMatch(conditions, row));
        return !conditions.isEmpty() && !reading(query::tree).isEmpty();
    }

    /** What is said where nobody waits: of what was asked for, or at all. */
    public String nobody() {
        return isOfEverything() ? "nobody waits for a lock" : "nobody of those asked for waits for a lock";
    }

    private <T> T reading(Supplier<T> reading) {
        try {
            return reading.get();
        } catch (PgLockException e) {
            // without a cause it is the name of a table that is wrong
            throw tables.isEmpty() || e.getCause() != null ? e : Stop.usage(String.valueOf(e.getMessage()));
        }
    }

    private Stream<Row> locks(LockSnapshot snapshot) {
        Map<LockInfo, List<Integer>> blockers = new HashMap<>();
        snapshot.blocked().forEach(wait -> blockers.put(wait.waiting(), pids(wait)));
        return snapshot.locks().stream()
                .map(lock -> new Row(lock, names, blockers.getOrDefault(lock, List.of()), Optional.empty()));
    }

    private Stream<Row> blockers(LockSnapshot snapshot) {
        List<Row> rows = new ArrayList<>();
        for (BlockedLock wait : snapshot.blocked()) {
            for (Blocker blocker : wait.blockers()) {
                rows.add(new Row(wait.waiting(), names, pids(wait), Optional.of(blocker)));
            }
        }
        return rows.stream();
    }

    private static List<Integer> pids(BlockedLock wait) {
        return wait.blockers().stream()
                .map(blocker -> blocker.backend().pid())
                .distinct()
                .toList();
    }

    /** @throws Stop when it is about who is in the way and they are not asked for */
    public static void requireKnown(Attribute attribute, boolean blocking) {
        if (attribute.isOfBlocker() && !blocking) {
            throw Stop.usage(attribute + " is known with --blocking only");
        }
    }
}
