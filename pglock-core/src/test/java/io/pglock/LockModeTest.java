// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** That the conflicts are those of PostgreSQL is in {@link TableLockTest#isKeptOutByExactlyTheModesThatConflict}. */
class LockModeTest {

    @ParameterizedTest
    @CsvSource({
        "ACCESS_SHARE, ACCESS SHARE, AccessShareLock, 1",
        "ROW_SHARE, ROW SHARE, RowShareLock, 2",
        "ROW_EXCLUSIVE, ROW EXCLUSIVE, RowExclusiveLock, 4",
        "SHARE_UPDATE_EXCLUSIVE, SHARE UPDATE EXCLUSIVE, ShareUpdateExclusiveLock, 5",
        "SHARE, SHARE, ShareLock, 5",
        "SHARE_ROW_EXCLUSIVE, SHARE ROW EXCLUSIVE, ShareRowExclusiveLock, 6",
        "EXCLUSIVE, EXCLUSIVE, ExclusiveLock, 7",
        "ACCESS_EXCLUSIVE, ACCESS EXCLUSIVE, AccessExclusiveLock, 8",
    })
    void isSpeltAsPostgresDoes(LockMode mode, String sql, String pgLocks, int conflicts) {
        assertThat(mode.sql()).isEqualTo(sql);
        assertThat(mode.pgLocksName()).isEqualTo(pgLocks);
        assertThat(LockMode.ofPgLocks(pgLocks)).contains(mode);
        assertThat(mode.conflicts()).hasSize(conflicts);
    }

    @ParameterizedTest
    @EnumSource(LockMode.class)
    void conflictsSymmetrically(LockMode mode) {
        for (LockMode other : LockMode.values()) {
            assertThat(mode.conflictsWith(other)).as(mode + " and " + other).isEqualTo(other.conflictsWith(mode));
        }
    }

    @Test
    void doesNotKnowTheLockThatNeverBlocks() {
        assertThat(LockMode.ofPgLocks("SIReadLock")).isEmpty();
        assertThat(LockMode.ofPgLocks("nonsense")).isEmpty();
    }
}
