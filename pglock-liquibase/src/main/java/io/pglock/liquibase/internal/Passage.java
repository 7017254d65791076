// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase.internal;

import io.pglock.LockGuard;
import java.io.Serial;
import java.sql.SQLException;
import java.util.Optional;
import java.util.function.Predicate;
import liquibase.exception.DatabaseException;
import liquibase.exception.LiquibaseException;
import org.jspecify.annotations.Nullable;

/**
 * Work of Liquibase's through core's guard, which knows what drivers throw: a failure goes in as the driver's, and comes out
 * as Liquibase's own. One for each run; used by one thread.
 */
final class Passage<T extends @Nullable Object> {

    /** What Liquibase does. */
    @FunctionalInterface
    interface Work<T extends @Nullable Object> {

        /** Does it. */
        T run() throws LiquibaseException;
    }

    /** A failure that is not for core to judge, and therefore without a cause. */
    private static final class Carried extends RuntimeException {

        @Serial
        private static final long serialVersionUID = 1L;

        private final transient Exception carried;

        Carried(Exception carried) {
            this.carried = carried;
        }
    }

    private final LockGuard guard;
    private final Work<T> work;
    private final Predicate<Exception> repeatable;
    private @Nullable SQLException judged;
    private @Nullable Exception thrown;

    private Passage(LockGuard guard, Work<T> work, Predicate<Exception> repeatable) {
        this.guard = guard;
        this.work = work;
        this.repeatable = repeatable;
    }

    /**
     * {@link LockGuard#run} for it.
     *
     * @param repeatable whether it may be run again after it threw this, if the guard wants to
     */
    static <T extends @Nullable Object> T run(
            LockGuard guard, Work<T> work, LockGuard.Undo undo, Predicate<Exception> repeatable)
            throws LiquibaseException {
        Passage<T> passage = new Passage<>(guard, work, repeatable);
        try {
            return guard.run(passage::attempt, undo);
        } catch (Carried e) {
            throw asThrown(e.carried);
        } catch (SQLException e) {
            throw passage.comingOut(e);
        }
    }

    /** As {@link #run}, for a statement, or a few. */
    static void ofStatements(
            LockGuard guard, StatementRun statements, LockGuard.Undo undo, Predicate<Exception> repeatable)
            throws DatabaseException {
        try {
            Passage.run(
                    guard,
                    () -> {
                        statements.run();
                        return true;
                    },
                    undo,
                    repeatable);
        } catch (DatabaseException e) {
            throw e;
        } catch (LiquibaseException e) {
            throw new DatabaseException(e.getMessage(), e);
        }
    }

    private T attempt() throws SQLException {
        try {
            return work.run();
        } catch (LiquibaseException | RuntimeException e) {
            thrown = e;
            throw judging(e).orElseThrow(() -> new Carried(e));
        }
    }

    private Optional<SQLException> judging(Exception e) {
        Optional<SQLException> cause = SqlCauses.in(e, guard).filter(sql -> repeatable.test(e));
        judged = cause.orElse(null);
        return cause;
    }

    private LiquibaseException comingOut(SQLException e) {
        return e == judged && thrown != null ? asThrown(thrown) : new DatabaseException(e.getMessage(), e);
    }

    private static LiquibaseException asThrown(Exception e) {
        if (e instanceof RuntimeException unchecked) {
            throw unchecked;
        }
        return (LiquibaseException) e;
    }
}
