// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import io.pglock.LockPolicy;
import io.pglock.internal.Setting;
import java.time.Duration;
import java.util.Optional;

/**
 * What statements run with, in milliseconds as PostgreSQL counts them; empty where it is none of ours. Immutable.
 *
 * @param concurrentLockTimeout of a {@code CONCURRENTLY} statement outside a transaction, whatever others wait; 0 for ever
 */
public record Timeouts(
        Optional<Long> lockTimeout, Optional<Long> statementTimeout, Optional<Long> concurrentLockTimeout) {

    /** None. */
    public static final Timeouts NONE = new Timeouts(Optional.empty(), Optional.empty(), Optional.empty());

    static Timeouts of(Spec spec) {
        LockPolicy policy = LockPolicy.parse(spec.settings());
        if (!policy.enabled()) {
            return NONE;
        }
        boolean saysHowLong =
                policy.lockTimeout().isPresent() || spec.settings().containsKey(Setting.CONCURRENT_LOCK_TIMEOUT.key());
        return new Timeouts(
                policy.lockTimeout().map(Duration::toMillis),
                policy.statementTimeout().map(Duration::toMillis),
                saysHowLong
                        ? Optional.of(policy.concurrentLockTimeout()
                                .map(Duration::toMillis)
                                .orElse(0L))
                        : Optional.empty());
    }

    /** Whether a statement that does not say {@code CONCURRENTLY} gets none; for one that does, its own is the lock timeout by then. */
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
