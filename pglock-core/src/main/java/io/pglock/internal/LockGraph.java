// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import io.pglock.Backend;
import io.pglock.BlockedLock;
import io.pglock.Blocker;
import io.pglock.LockInfo;
import io.pglock.LockTarget;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Who waits for whom, from one reading of the lock table. The edges are those of pg_blocking_pids; an edge is hard where the
 * blocker was seen to hold a conflicting lock on the same thing. A lock on a row is no such thing: whoever has it is the first
 * in the queue, and waits for the transaction that has the row. That one is hard for those behind as well, as far as they want
 * the row no less strongly: what is in the way of a row lock is in the way of each stronger one. Immutable. Not API.
 */
public final class LockGraph {

    private static final Comparator<Blocker> HARD_FIRST = Comparator.comparing((Blocker blocker) -> !blocker.hard())
            .thenComparing(blocker -> blocker.backend().pid());

    /**
     * A session with its parallel workers, or a prepared transaction.
     *
     * @param pid the session's, not a worker's; 0 for a prepared transaction
     * @param prepared the virtual transaction of a prepared one, otherwise empty
     */
    record Who(int pid, String prepared) implements Comparable<Who> {

        private static final Comparator<Who> ORDER =
                Comparator.comparingInt(Who::pid).thenComparing(Who::prepared);

        static Who session(int pid) {
            return new Who(pid, "");
        }

        @Override
        public int compareTo(Who other) {
            return ORDER.compare(this, other);
        }
    }

    /**
     * One process that waits, and for whom.
     *
     * @param blockers those of pg_blocking_pids
     * @param firstInLine in a queue for a row, those of them who are next to have it
     * @param rowHolders who has the row for which the first in line waits, as far as it is in the way of this one as well
     */
    record Wait(
            Who waiter,
            Backend session,
            LockInfo waiting,
            Map<Who, Blocker> blockers,
            Set<Who> firstInLine,
            Map<Who, Blocker> rowHolders) {

        private List<Blocker> all() {
            Map<Who, Blocker> all = new LinkedHashMap<>(blockers);
            all.putAll(rowHolders);
            return all.values().stream().sorted(HARD_FIRST).toList();
        }
    }

    /** A row, whose it is, and how it is shown. */
    private record Seen(LockRow row, Who who, LockInfo info) {

        boolean isOnRow() {
            return row.target().type() == LockTarget.Type.TUPLE;
        }
    }

    private final LockReading reading;
    private final Map<Integer, Backend> sessions = new HashMap<>();
    private final List<Seen> locks = new ArrayList<>();
    private final Map<String, List<Seen>> grantedByTag = new HashMap<>();
    private final Map<Integer, Seen> waitingByPid = new HashMap<>();
    private final List<Wait> waits = new ArrayList<>();

    public LockGraph(LockReading reading) {
        this.reading = reading;
        for (LockRow row : reading.rows()) {
            row.backend().ifPresent(backend -> sessions.put(row.pid(), backend));
        }
        Map<Who, LockTarget> contended = contendedRows();
        for (LockRow row : reading.rows()) {
            Seen seen = seen(row, contended);
            locks.add(seen);
            if (row.granted()) {
                grantedByTag
                        .computeIfAbsent(row.tag(), tag -> new ArrayList<>())
                        .add(seen);
            } else {
                waitingByPid.put(row.pid(), seen);
            }
        }
        for (Seen lock : locks) {
            if (!lock.row().granted()) {
                waits.add(wait(lock));
            }
        }
    }

    /** All the locks but those of the asking session. */
    public List<LockInfo> locks() {
        return locks.stream().filter(lock -> !lock.row().own()).map(Seen::info).toList();
    }

    /** Everybody who waits, with everybody for whom; that may be the asking session. */
    public List<BlockedLock> blocked() {
        return waits.stream()
                .map(wait -> new BlockedLock(wait.waiting(), wait.all()))
                .toList();
    }

    List<Wait> waits() {
        return waits;
    }

    /** What could not be seen, and why. */
    public List<String> notes() {
        return reading.notes();
    }

    private Who who(LockRow row) {
        if (row.pid() == 0) {
            return new Who(0, row.virtualTransaction());
        }
        return Who.session(session(row.pid()).leaderPid().orElse(row.pid()));
    }

    /** A session that ended meanwhile, or began to hold a lock since, is known by its pid only. */
    private Backend session(int pid) {
        Backend seen = sessions.get(pid);
        return seen == null ? Rows.unknown(pid, reading.seenAt()) : seen;
    }

    /** Who waits for the changer of a row holds a lock on the row itself meanwhile: so it is known which one it wants. */
    private Map<Who, LockTarget> contendedRows() {
        Map<Who, LockTarget> rows = new HashMap<>();
        for (LockRow row : reading.rows()) {
            if (row.granted() && row.target().type() == LockTarget.Type.TUPLE) {
                rows.put(who(row), row.target());
            }
        }
        return rows;
    }

    private Seen seen(LockRow row, Map<Who, LockTarget> contended) {
        Who who = who(row);
        Backend backend = row.prepared().orElseGet(() -> session(row.pid()));
        LockTarget target = row.target();
        LockTarget wanted = contended.get(who);
        if (!row.granted() && target.type() == LockTarget.Type.TRANSACTIONID && wanted != null) {
            target = ofRow(target, wanted);
        }
        Optional<Instant> waitStart =
                row.granted() || reading.knowsWaitStart() ? row.waitStart() : backend.queryStart();
        return new Seen(row, who, new LockInfo(backend, target, row.mode(), row.granted(), row.fastPath(), waitStart));
    }

    private static LockTarget ofRow(LockTarget transaction, LockTarget row) {
        return new LockTarget(
                transaction.type(),
                row.database(),
                row.schema(),
                row.relation(),
                row.relationKind(),
                row.relationOid(),
                row.ctid(),
                Optional.empty(),
                transaction.transaction(),
                Optional.empty());
    }

    private Wait wait(Seen waiting) {
        List<Seen> inConflict = inConflict(waiting);
        Map<Who, List<LockInfo>> holders = new LinkedHashMap<>();
        if (!waiting.isOnRow()) {
            inConflict.forEach(held -> holders.computeIfAbsent(held.who(), who -> new ArrayList<>())
                    .add(held.info()));
        }
        Map<Who, Blocker> blockers = new LinkedHashMap<>();
        for (int pid : new LinkedHashSet<>(waiting.row().blockedBy())) {
            if (pid == 0) {
                preparedAmong(holders, blockers);
            } else if (pid != waiting.who().pid()) {
                List<LockInfo> held = holders.getOrDefault(Who.session(pid), List.of());
                blockers.put(Who.session(pid), new Blocker(session(pid), !held.isEmpty(), held));
            }
        }
        List<Seen> first = waiting.isOnRow()
                ? inConflict.stream()
                        .filter(held -> blockers.containsKey(held.who()))
                        .toList()
                : List.of();
        return new Wait(
                waiting.who(),
                session(waiting.who().pid()),
                waiting.info(),
                blockers,
                first.stream().map(Seen::who).collect(Collectors.toSet()),
                rowHolders(waiting, first));
    }

    private List<Seen> inConflict(Seen waiting) {
        return grantedByTag.getOrDefault(waiting.row().tag(), List.of()).stream()
                .filter(held -> held.row().mode().conflictsWith(waiting.row().mode())
                        && !held.who().equals(waiting.who()))
                .toList();
    }

    private Map<Who, Blocker> rowHolders(Seen waiting, List<Seen> first) {
        Map<Who, Blocker> rowHolders = new LinkedHashMap<>();
        for (Seen ahead : first) {
            Seen its = waitingByPid.get(ahead.row().pid());
            if (its != null
                    && its.row().target().type() == LockTarget.Type.TRANSACTIONID
                    && waiting.row().mode().compareTo(ahead.row().mode()) >= 0) {
                wait(its).blockers().forEach((who, blocker) -> {
                    if (blocker.hard() && !who.equals(waiting.who())) {
                        rowHolders.put(who, blocker);
                    }
                });
            }
        }
        return rowHolders;
    }

    /** pg_blocking_pids says 0, once or more, for any number of prepared transactions; such a one holds, it never waits. */
    private void preparedAmong(Map<Who, List<LockInfo>> holders, Map<Who, Blocker> blockers) {
        holders.forEach((who, held) -> {
            if (who.pid() == 0) {
                blockers.put(who, new Blocker(held.get(0).backend(), true, held));
            }
        });
        if (blockers.keySet().stream().noneMatch(who -> who.pid() == 0)) {
            blockers.put(Who.session(0), new Blocker(session(0), true, List.of()));
        }
    }
}
