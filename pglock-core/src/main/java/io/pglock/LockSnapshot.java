// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import java.util.List;

/**
 * What a {@link LockQuery} found at one moment, from one reading of the lock table: the same locks in three shapes. Immutable and
 * thread-safe.
 *
 * @param locks what {@link LockQuery#list()} gives
 * @param blocked what {@link LockQuery#blocked()} gives
 * @param tree what {@link LockQuery#tree()} gives
 * @param notes what could not be seen, and why: a role without {@code pg_read_all_stats}, a locked system catalog
 */
public record LockSnapshot(List<LockInfo> locks, List<BlockedLock> blocked, LockTree tree, List<String> notes) {

    /** Copies the lists. */
    public LockSnapshot {
        locks = List.copyOf(locks);
        blocked = List.copyOf(blocked);
        notes = List.copyOf(notes);
    }
}
