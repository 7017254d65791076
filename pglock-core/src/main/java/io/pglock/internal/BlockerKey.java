// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import io.pglock.Backend;
import java.time.Instant;
import java.util.Optional;

/** A blocker's identity: the same backend, in the same transaction. Not API. */
public record BlockerKey(
        int pid, Optional<Instant> backendStart, Optional<Instant> xactStart, Optional<String> preparedGid) {

    public static BlockerKey of(Backend backend) {
        return new BlockerKey(backend.pid(), backend.backendStart(), backend.xactStart(), backend.preparedGid());
    }

    /** Whatever transaction it is in. */
    static BlockerKey ofSession(Backend backend) {
        return new BlockerKey(backend.pid(), backend.backendStart(), Optional.empty(), Optional.empty());
    }
}
