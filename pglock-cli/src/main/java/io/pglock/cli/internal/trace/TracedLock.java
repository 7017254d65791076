// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.trace;

import io.pglock.LockMode;
import java.time.Duration;
import java.util.Optional;

/**
 * A lock that a statement took and that no lock from before covers. Immutable. Not API.
 *
 * @param on what it is on
 * @param owner the table of an index, else {@code on}; empty where that is not known
 * @param isNew whether the traced files have made it: nobody else can see it
 * @param held from the beginning of the statement to the end of its transaction
 */
record TracedLock(Relation on, Optional<Relation> owner, LockMode mode, boolean isNew, Duration held) {

    /** Whether everything that conflicts with the other mode conflicts with this one. */
    static boolean covers(LockMode one, LockMode other) {
        return one.conflicts().containsAll(other.conflicts());
    }

    /** What others cannot do meanwhile, in words; empty where nobody would notice. */
    Optional<String> blocks() {
        if (isNew) {
            return Optional.empty();
        }
        String of = " of " + owner.map(Relation::name).orElse(on.name());
        return switch (mode) {
            case ACCESS_EXCLUSIVE -> Optional.of("reads and writes" + of);
            case EXCLUSIVE -> Optional.of("writes and SELECT FOR UPDATE" + of);
            case SHARE_ROW_EXCLUSIVE, SHARE -> Optional.of("writes" + of);
            case SHARE_UPDATE_EXCLUSIVE -> Optional.of("schema changes and VACUUM" + of);
            case ROW_EXCLUSIVE -> Optional.of("CREATE INDEX and schema changes" + of);
            case ROW_SHARE, ACCESS_SHARE -> Optional.empty();
        };
    }

    /** Every query locks the indexes of its tables: not worth a line. */
    boolean isWorthALine() {
        return !on.isIndex() || mode.compareTo(LockMode.ROW_EXCLUSIVE) > 0;
    }
}
