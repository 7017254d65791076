// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase.internal;

import io.pglock.LockGuard;
import java.sql.SQLException;
import java.util.Optional;
import java.util.Set;
import liquibase.exception.PreconditionErrorException;
import liquibase.precondition.ErrorPrecondition;

/** What the driver has reported, somewhere in what Liquibase throws. Stateless. */
final class SqlCauses {

    private static final int DEEPEST = 50;

    private static final String LOCK_TIMEOUT = "55P03";
    private static final String DEADLOCK = "40P01";
    private static final String QUERY_CANCELED = "57014";

    /** Of a statement that was ended, by a timeout, by somebody or to resolve a deadlock: that says nothing about what it asked. */
    private static final Set<String> ENDED = Set.of(LOCK_TIMEOUT, DEADLOCK, QUERY_CANCELED);

    /** Of a statement that came too late: the driver has what failed before as its cause. */
    private static final String IN_FAILED_TRANSACTION = "25P02";

    private SqlCauses() {}

    static Optional<SQLException> in(Throwable thrown) {
        return in(thrown, DEEPEST);
    }

    /**
     * As {@link #in(Throwable)}; of what this guard has cancelled to give way also where Java of the changeset's has kept to itself
     * what the driver reported.
     */
    static Optional<SQLException> in(Throwable thrown, LockGuard guard) {
        return in(thrown)
                .or(() -> Optional.of(new SQLException(thrown.getMessage(), QUERY_CANCELED, thrown))
                        .filter(guard::triesAgainAfter));
    }

    private static Optional<SQLException> in(Throwable thrown, int deepest) {
        Optional<SQLException> afterwards = Optional.empty();
        Throwable cause = thrown;
        for (int depth = deepest; cause != null && depth > 0; depth--) {
            if (cause instanceof SQLException sql) {
                if (!IN_FAILED_TRANSACTION.equals(sql.getSQLState())) {
                    return Optional.of(sql);
                }
                afterwards = afterwards.or(() -> Optional.of(sql));
            }
            if (cause instanceof PreconditionErrorException errors && errors.getErrorPreconditions() != null) {
                for (ErrorPrecondition error : errors.getErrorPreconditions()) {
                    Optional<SQLException> found = in(error.getCause(), depth - 1);
                    if (found.isPresent()) {
                        return found;
                    }
                }
            }
            cause = cause.getCause();
        }
        return afterwards;
    }

    /** Whether a statement has waited for a lock for as long as it may. */
    static boolean isLockTimeout(SQLException failure) {
        return LOCK_TIMEOUT.equals(failure.getSQLState());
    }

    /** Whether a statement has failed for a lock: then what it belongs to may be run again. */
    static boolean isForLock(SQLException failure) {
        return isLockTimeout(failure) || DEADLOCK.equals(failure.getSQLState());
    }

    /** Whether a statement was ended before it had an answer. */
    static boolean isEnded(SQLException failure) {
        return failure.getSQLState() != null && ENDED.contains(failure.getSQLState());
    }
}
