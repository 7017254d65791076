// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.select;

import io.pglock.Blocker;
import io.pglock.LockInfo;
import io.pglock.cli.internal.keys.KeyNames;
import java.util.List;
import java.util.Optional;

/**
 * One row of the list: a lock, or a lock that is waited for and one of those who are in its way. Immutable. Not API.
 *
 * @param lock the lock
 * @param names what advisory keys are called
 * @param blockedBy the process ids of everybody in its way, 0 for a prepared transaction; empty for a lock that is held
 * @param blocker the one this row is about, where blockers are asked for
 */
public record Row(LockInfo lock, KeyNames names, List<Integer> blockedBy, Optional<Blocker> blocker) {

    /** Copies the list. */
    public Row {
        blockedBy = List.copyOf(blockedBy);
    }

    /** The same where advisory keys are called so. */
    Row with(KeyNames others) {
        return new Row(lock, others, blockedBy, blocker);
    }
}
