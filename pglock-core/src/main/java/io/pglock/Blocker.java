// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import java.util.List;
import java.util.stream.Collectors;

/**
 * Somebody for whom a session waits. Either it is <em>hard</em>: it holds a lock that conflicts; or it is merely queued ahead:
 * it waits itself, for a conflicting lock, and came first. To end a queued session frees nobody, as long as the holder stays.
 * Whoever holds the lock on a row (a {@link LockTarget.Type#TUPLE}) is such a one, the first of the queue for it; hard is who
 * holds the row. Immutable and thread-safe.
 *
 * @param backend who it is
 * @param hard whether it holds a conflicting lock
 * @param holds the conflicting locks that it holds, for who holds a row that on its transaction; empty when it is merely
 *     queued ahead
 * @see <a href="https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-INFO-SESSION">pg_blocking_pids</a>
 */
public record Blocker(Backend backend, boolean hard, List<LockInfo> holds) {

    /** Copies the list. */
    public Blocker {
        holds = List.copyOf(holds);
    }

    /** In words: {@code pid 4711 (web, ...), which holds ACCESS SHARE} or {@code ..., which is queued ahead}. */
    public String describe() {
        return backend.describe() + ", which " + (hard ? "holds " + modes() : "is queued ahead");
    }

    /** The modes of the conflicting locks that it holds: {@code ROW EXCLUSIVE + SHARE}. */
    public String modes() {
        return holds.isEmpty()
                ? "a conflicting lock"
                : holds.stream()
                        .map(LockInfo::mode)
                        .distinct()
                        .sorted()
                        .map(LockMode::sql)
                        .collect(Collectors.joining(" + "));
    }
}
