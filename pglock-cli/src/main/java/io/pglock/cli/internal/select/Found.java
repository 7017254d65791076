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
 * @param rows the rows, in order, no more than the limit
 * @param total how many there would be without the limit
 * @param blocked whether any of them, within the limit or not, waits for a lock
 * @param notes what could not be seen, and why
 */
public record Found(List<Row> rows, int total, boolean blocked, List<String> notes) {

    /** Copies the lists. */
    public Found {
        rows = List.copyOf(rows);
        notes = List.copyOf(notes);
    }

    /** The locks, each once, in the order of the rows. */
    public List<LockInfo> locks() {
        return rows.stream().map(Row::lock).distinct().toList();
    }

    /** Where blockers were asked for: each wait once, with those of its blockers that are in the rows. */
    public List<BlockedLock> waits() {
        Map<LockInfo, List<Blocker>> blockers = new LinkedHashMap<>();
        rows.forEach(row -> row.blocker()
                .ifPresent(blocker -> blockers.computeIfAbsent(row.lock(), lock -> new ArrayList<>())
                        .add(blocker)));
        return blockers.entrySet().stream()
                .map(wait -> new BlockedLock(wait.getKey(), wait.getValue()))
                .toList();
    }
}
