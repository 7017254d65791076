// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import java.util.List;
import java.util.stream.Collectors;

/**
 * A lock that somebody waits for, with everybody for whom it waits: exactly those that {@code pg_blocking_pids} names and, in
 * the queue for a row, whoever holds the row. There {@code pg_blocking_pids} names only those ahead, who hold nothing but their
 * places. The holder is added where it is certain to be in the way: where this one wants the row at least as strongly as the
 * first in line, who waits for that holder. Immutable and thread-safe.
 *
 * {@snippet :
 * for (BlockedLock wait : PgLock.on(connection).locks().blocked()) {
 *     log.warn(wait.describe());
 * }
 * }
 *
 * @param waiting the lock that is waited for
 * @param blockers who is in the way; hard ones first
 */
public record BlockedLock(LockInfo waiting, List<Blocker> blockers) {

    /** Copies the list. */
    public BlockedLock {
        blockers = List.copyOf(blockers);
    }

    /** Those who hold a conflicting lock or the row, and not those who are merely queued ahead. */
    public List<Blocker> hardBlockers() {
        return blockers.stream().filter(Blocker::hard).toList();
    }

    /** In words: who waits for what, and for whom. */
    public String describe() {
        return waiting.describe()
                + (blockers.isEmpty()
                        ? ""
                        : "; blocked by "
                                + blockers.stream().map(Blocker::describe).collect(Collectors.joining("; ")));
    }
}
