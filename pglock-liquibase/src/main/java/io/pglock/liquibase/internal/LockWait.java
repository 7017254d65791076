// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase.internal;

import java.time.Duration;
import java.util.Optional;

/**
 * How long a change waits for its lock. Immutable. Not API.
 *
 * @param noWait not at all
 * @param timeout the longest wait; empty where {@code lock_timeout} stays as it is
 */
public record LockWait(boolean noWait, Optional<Duration> timeout) {

    static final LockWait NOT_AT_ALL = new LockWait(true, Optional.empty());

    static LockWait upTo(Optional<Duration> timeout) {
        return new LockWait(false, timeout);
    }
}
