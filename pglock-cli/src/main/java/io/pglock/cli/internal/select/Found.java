// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.select;

import io.pglock.BlockedLock;
import io.pglock.Blocker;
import io.pglock.LockInfo;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a {@link Selection} found at one moment. Immutable. Not API.
 *
 * @param all the rows, in order
 * @param limit how many of them are wanted at most
 * @param notes what could not be seen, and why
 * @param unanswered of whom a filter asks what this role may not see: they are not among the rows, and might be
 */
public record Found(List<Row> all, int limit, List<String> notes, List<Row> unanswered) {

    /** Copies the lists. */
    public Found {
        all = List.copyOf(all);
        notes = List.copyOf(notes);
        unanswered = List.copyOf(unanswered);
    }

    /** Those that are wanted. */
    public List<Row> rows() {
        return all.subList(0, Math.min(limit, all.size()));
    }

    /** Whether there are more than are wanted. */
    public boolean isCut() {
        return all.size() > limit;
    }

    /** Whether any of them, wanted or not, waits for a lock. */
    public boolean isBlocked() {
        return isBlocked(all);
    }

    /** Whether anybody who waits for a lock might be one of them, for all that the role may see. */
    public boolean mayBeBlocked() {
        return isBlocked(unanswered);
    }

    private static boolean isBlocked(List<Row> rows) {
        return rows.stream().anyMatch(row -> !row.lock().granted());
    }

    /** The locks that are wanted, each once, in the order of the rows. */
    public List<LockInfo> locks() {
        return rows().stream().map(Row::lock).distinct().toList();
    }

    /** Where blockers were asked for: each wait once, with those of its blockers that are in the rows. */
    public List<BlockedLock> waits() {
        Map<LockInfo, List<Blocker>> blockers = new LinkedHashMap<>();
        rows().forEach(row -> row.blocker()
                .ifPresent(blocker -> blockers.computeIfAbsent(row.lock(), lock -> new ArrayList<>())
                        .add(blocker)));
        return blockers.entrySet().stream()
                .map(wait -> new BlockedLock(wait.getKey(), wait.getValue()))
                .toList();
    }
}
