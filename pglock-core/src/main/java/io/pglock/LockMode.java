// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import java.util.Arrays;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * PostgreSQL's eight lock modes, weakest first, and which of them conflict. Immutable and thread-safe.
 *
 * {@snippet :
 * LockMode.ROW_EXCLUSIVE.conflictsWith(LockMode.SHARE); // true: writers wait for CREATE INDEX
 * }
 *
 * @see <a href="https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-TABLES">Table-Level Locks</a>
 */
public enum LockMode {
    /** Taken by {@code SELECT}. */
    ACCESS_SHARE(".......x"),
    /** Taken by {@code SELECT ... FOR UPDATE} and its kin. */
    ROW_SHARE("......xx"),
    /** Taken by {@code INSERT}, {@code UPDATE}, {@code DELETE} and {@code MERGE}. */
    ROW_EXCLUSIVE("....xxxx"),
    /** Taken by {@code VACUUM}, {@code ANALYZE}, {@code CREATE INDEX CONCURRENTLY}, {@code VALIDATE CONSTRAINT}. */
    SHARE_UPDATE_EXCLUSIVE("...xxxxx"),
    /** Taken by {@code CREATE INDEX}. */
    SHARE("..xx.xxx"),
    /** Taken by {@code CREATE TRIGGER} and the foreign-key forms of {@code ALTER TABLE}. */
    SHARE_ROW_EXCLUSIVE("..xxxxxx"),
    /** Taken by {@code REFRESH MATERIALIZED VIEW CONCURRENTLY}. */
    EXCLUSIVE(".xxxxxxx"),
    /** Taken by {@code DROP TABLE}, {@code TRUNCATE}, {@code VACUUM FULL} and most forms of {@code ALTER TABLE}. */
    ACCESS_EXCLUSIVE("xxxxxxxx");

    private final String conflicts;

    /** @param conflicts the mode's row of the manual's table "Conflicting Lock Modes", weakest mode first */
    LockMode(String conflicts) {
        this.conflicts = conflicts;
    }

    /** Whether two sessions cannot hold these two modes on one object at once. Symmetric. */
    public boolean conflictsWith(LockMode other) {
        return conflicts.charAt(other.ordinal()) == 'x';
    }

    /** The modes that conflict with this one. */
    public Set<LockMode> conflicts() {
        return Arrays.stream(values()).filter(this::conflictsWith).collect(Collectors.toUnmodifiableSet());
    }

    /** The mode as {@code LOCK TABLE} spells it: {@code SHARE ROW EXCLUSIVE}. */
    public String sql() {
        return name().replace('_', ' ');
    }

    /** The mode as {@code pg_locks.mode} spells it: {@code ShareRowExclusiveLock}. */
    public String pgLocksName() {
        return Arrays.stream(name().split("_"))
                .map(word -> word.charAt(0) + word.substring(1).toLowerCase(java.util.Locale.ROOT))
                .collect(Collectors.joining("", "", "Lock"));
    }

    /** The mode that {@code pg_locks.mode} spells so; empty for {@code SIReadLock}, which never blocks anyone. */
    public static Optional<LockMode> ofPgLocks(String pgLocksName) {
        return Arrays.stream(values())
                .filter(mode -> mode.pgLocksName().equals(pgLocksName))
                .findFirst();
    }
}
