// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import io.pglock.LockPolicy;
import java.time.Duration;
import java.util.Optional;

/**
 * What statements run with, in milliseconds as PostgreSQL counts them; empty where it is none of ours. Immutable.
 *
 * @param concurrentLockTimeout of a {@code CONCURRENTLY} statement outside a transaction; 0 for ever
 */
public record Timeouts(
        Optional<Long> lockTimeout, Optional<Long> statementTimeout, Optional<Long> concurrentLockTimeout) {

    /** None. */
    public static final Timeouts NONE = new Timeouts(Optional.empty(), Optional.empty(), Optional.empty());

    static Timeouts of(LockPolicy policy) {
        if (!policy.enabled()) {
            return NONE;
        }
        Optional<Long> lockTimeout = policy.lockTimeout().map(Duration::toMillis);
        return new Timeouts(
                lockTimeout,
                policy.statementTimeout().map(Duration::toMillis),
                lockTimeout.map(ours ->
                        policy.concurrentLockTimeout().map(Duration::toMillis).orElse(0L)));
    }

    /** Whether nothing is wanted. */
    public boolean isNothing() {
        return lockTimeout.isEmpty() && statementTimeout.isEmpty();
    }

    /** These, and those where these say nothing. */
    public Timeouts or(Timeouts outer) {
        return new Timeouts(
                lockTimeout.or(outer::lockTimeout),
                statementTimeout.or(outer::statementTimeout),
                concurrentLockTimeout.or(outer::concurrentLockTimeout));
    }
}
