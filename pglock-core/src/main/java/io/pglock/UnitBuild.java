// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import io.pglock.internal.ConcurrentBuild;
import io.pglock.internal.ConcurrentDetach;
import io.pglock.internal.PgSession;
import io.pglock.internal.Statements;
import java.lang.System.Logger.Level;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * The statement of a unit that says {@code CONCURRENTLY}, and what it leaves behind when it fails: named when it stays, and an
 * index dropped before another attempt. As thread-safe as the connection.
 */
final class UnitBuild {

    private final PgSession session;
    private final LockGuard.Messages told;
    private Optional<ConcurrentBuild> build = Optional.empty();
    private Optional<ConcurrentDetach> detach = Optional.empty();
    private boolean concurrent;
    private boolean toldKept;

    /** @param told already says which unit it is about */
    UnitBuild(PgSession session, LockGuard.Messages told) {
        this.session = session;
        this.told = told;
    }

    /** @return what {@code IF NOT EXISTS} would wrongly take for a success; then the statement must not run */
    Optional<String> before(String sql) throws SQLException {
        concurrent = Statements.concurrently(sql) && !session.transactional();
        if (!concurrent) {
            return Optional.empty();
        }
        if (build.filter(same -> same.isOf(sql)).isEmpty()) {
            build = ConcurrentBuild.before(session, sql); // what a first attempt at it has left is not "from before"
        }
        detach = ConcurrentDetach.of(sql);
        return build.isEmpty() ? Optional.empty() : build.get().hiddenByIfNotExists();
    }

    /** It has ended, well or not; what it left behind is still known. */
    void after() {
        concurrent = false;
    }

    /** Whether it is running: then it blocks nobody by waiting, and is not cancelled for those who wait behind it. */
    boolean isConcurrent() {
        return concurrent;
    }

    /** What comes next is not another attempt at what failed. */
    void anotherPieceOfWork() {
        if (!concurrent) {
            forget();
        }
    }

    void forget() {
        build = Optional.empty();
        detach = Optional.empty();
    }

    /** What a failed build or detach has left, for the end of a message; no SQL in a transaction. */
    Optional<String> leftBehind() {
        try {
            if (build.isPresent() && !session.transactional()) {
                List<String> left = build.get().leftovers();
                return left.isEmpty() ? Optional.empty() : Optional.of(UnitMessages.invalid(left));
            }
            if (detach.isPresent() && !session.transactional()) {
                String partition = detach.get().partition();
                return detach.get().remedy(session).map(remedy -> UnitMessages.pending(partition, remedy));
            }
        } catch (SQLException e) {
            // the failure itself is the one to be seen
        }
        return Optional.empty();
    }

    /**
     * Drops what the failed attempt has left.
     *
     * @return false where that has to wait: somebody has locked the table, or may be building the index at this moment
     */
    boolean clear(UnitWatch watch, Optional<Duration> lockTimeout) throws SQLException {
        if (build.isEmpty()) {
            return true;
        }
        watch.attempt(false, lockTimeout); // whoever is in the way of this is the one to wait for
        try {
            List<String> left = build.get().leftovers();
            List<String> kept = build.get().drop();
            if (kept.isEmpty() && !left.isEmpty()) {
                told.message(
                        Level.WARNING,
                        "the failed attempt left " + String.join(", ", left) + " invalid; dropped, to be built again.");
            }
            if (!kept.isEmpty() && !toldKept) {
                toldKept = true;
                told.message(Level.WARNING, UnitMessages.mayBeBuilt(kept));
            }
            return kept.isEmpty();
        } catch (SQLException e) {
            if (UnitRetry.cause(e, false).isEmpty()) {
                throw e;
            }
            return false;
        } finally {
            watch.attemptEnded();
        }
    }
}
