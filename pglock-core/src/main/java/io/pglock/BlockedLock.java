// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import java.util.List;
import java.util.stream.Collectors;

/**
 * A lock that somebody waits for, with everybody for whom it waits: exactly those that {@code pg_blocking_pids} names. Immutable
 * and thread-safe.
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

    /** Those who hold a conflicting lock, and not those who are merely queued ahead. */
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
