// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import io.pglock.LockDeadlockException;
import io.pglock.PgLockException;
import java.sql.SQLException;
import java.util.Optional;
import java.util.stream.Stream;

/** What a failed statement on the caller's session is made of: put right, and told under its own SQLSTATE. Not API. */
public final class Failures {

    /** A cancel that was meant for the failed statement may arrive late and hit what makes up for it. */
    static final int TRIES = 5;

    /** Nobody nests deeper, but some causes lead back to themselves. */
    private static final int DEEPEST = 50;

    private Failures() {}

    /** Something that makes up for a failure; done again when it is hit itself. */
    @FunctionalInterface
    interface Remedy {
        void run() throws SQLException;
    }

    /**
     * What goes wrong here is told along with the failure, never instead of it.
     *
     * @return whether it is made up for; a lost session makes up for everything
     */
    static boolean makeUpFor(Throwable failure, Remedy remedy) {
        for (int tries = 0; tries < TRIES; tries++) {
            try {
                remedy.run();
                return true;
            } catch (SQLException another) {
                failure.addSuppressed(another);
                if (SqlState.isConnectionLost(another)) {
                    return true;
                }
            }
        }
        return false;
    }

    /** Back to {@code savepoint pglock}, if the transaction failed after it. */
    static void rollBackToSavepoint(PgSession session) throws SQLException {
        if (!session.inFailedTransaction()) {
            return;
        }
        try {
            Pipeline.run(session, Sql.ROLLBACK_TO_SAVEPOINT, Pipeline.NOTHING);
        } catch (SQLException e) {
            if (SqlState.isConnectionLost(e)) {
                throw e;
            }
            // with prepareThreshold=-1 the driver has all of it described first, and only this is heard in a failed
            // transaction
            Pipeline.run(session, Sql.TO_SAVEPOINT, Pipeline.NOTHING);
            Pipeline.run(session, Sql.RELEASE_SAVEPOINT, Pipeline.NOTHING);
        }
    }

    /** What a driver has reported, if that is behind it: a library may have wrapped it in an exception of its own. */
    public static Optional<SQLException> sqlIn(Throwable thrown) {
        return Stream.iterate(thrown, cause -> cause != null, Throwable::getCause)
                .limit(DEEPEST)
                .filter(SQLException.class::isInstance)
                .map(SQLException.class::cast)
                .findFirst();
    }

    /** With whatever has caused it, and its SQLSTATE if it has one. */
    public static PgLockException causedBy(Throwable cause, String message) {
        if (cause instanceof SQLException sql) {
            return new PgLockException(message, sql);
        }
        PgLockException exception = new PgLockException(message);
        exception.initCause(cause);
        return exception;
    }

    /** Everything but 55P03, which is no failure. */
    static PgLockException exception(String what, SQLException failure) {
        if (SqlState.is(failure, SqlState.DEADLOCK_DETECTED)) {
            return new LockDeadlockException(
                    what
                            + ": not acquired, PostgreSQL ended a deadlock by failing this request. Roll back, release what this"
                            + " session holds, and begin again. " + failure.getMessage(),
                    failure);
        }
        return new PgLockException(what + ": " + failure.getMessage(), failure);
    }
}
