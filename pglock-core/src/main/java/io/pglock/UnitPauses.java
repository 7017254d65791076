// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import io.pglock.internal.Durations;
import io.pglock.internal.GiveWay;
import java.lang.System.Logger.Level;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Optional;

/**
 * The pauses between the attempts of one unit, outside PostgreSQL's lock queue: how long each is, and what is said of it. Used
 * by the unit's thread.
 */
final class UnitPauses {

    /** Those who have waited behind the unit get through before it comes back. */
    private static final Duration DRAINING = Duration.ofMillis(200);

    private final LockPolicy policy;
    private final LockGuard.Messages told;
    private final UnitWatch watch;
    private final UnitRetry retry;
    private boolean triedPastAutovacuum;

    /** @param told already says which unit it is about */
    UnitPauses(LockPolicy policy, LockGuard.Messages told, UnitWatch watch, UnitRetry retry) {
        this.policy = policy;
        this.told = told;
        this.watch = watch;
        this.retry = retry;
    }

    /** Asked only where an autovacuum, and nobody else, is in the way. */
    @FunctionalInterface
    interface DeadlockTimeout {
        /** Empty where it is not known, or the policy's lock timeout is not what was in force. */
        Optional<Duration> get() throws SQLException;
    }

    /**
     * Waits, with everything undone, until another attempt makes sense.
     *
     * @return the lock timeout of the next attempt, where that is not what the policy says
     */
    Optional<Duration> await(SQLException failure, UnitRetry.Cause cause, DeadlockTimeout deadlockTimeout)
            throws SQLException, InterruptedException {
        Duration left = retry.left(System.nanoTime());
        Duration delay = retry.delay();
        Optional<Duration> pastAutovacuum = longEnoughForAutovacuum(cause, deadlockTimeout);
        if (pastAutovacuum.isPresent()) {
            triedPastAutovacuum = true;
            told.message(Level.WARNING, UnitMessages.pastAutovacuum(watch, pastAutovacuum.get()));
            watch.awaitOutside(Durations.shorter(delay, DRAINING), false, left);
            return pastAutovacuum;
        }
        boolean patient = cause == UnitRetry.Cause.GAVE_WAY;
        told.message(
                patient ? Level.INFO : Level.WARNING,
                UnitMessages.again(
                        watch,
                        cause,
                        failure,
                        retry.attempt() + 1,
                        patient ? Optional.empty() : Optional.of(delay),
                        left));
        watch.awaitOutside(delay, patient, left);
        return Optional.empty();
    }

    /** A wait that is no longer than {@code deadlock_timeout} never gets past a running autovacuum: one attempt is. */
    private Optional<Duration> longEnoughForAutovacuum(UnitRetry.Cause cause, DeadlockTimeout deadlockTimeout)
            throws SQLException {
        if (triedPastAutovacuum
                || cause == UnitRetry.Cause.DEADLOCK
                || policy.lockTimeout().isEmpty()
                || !watch.onlyAutovacuumInTheWay()) {
            return Optional.empty();
        }
        Optional<Duration> found = deadlockTimeout.get();
        return policy.lockTimeout()
                .filter(timeout ->
                        found.filter(longer -> timeout.compareTo(longer) <= 0).isPresent())
                .map(timeout -> timeout.plus(found.orElseThrow()).plus(GiveWay.VACUUM_LEAVES));
    }
}
