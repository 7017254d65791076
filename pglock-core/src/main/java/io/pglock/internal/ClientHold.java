// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import io.pglock.LockKey;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Executor;

/** What a {@link io.pglock.LockClient} holds for an owner, once. Thread-safe. Not API. */
public final class ClientHold extends Hold {

    private final List<LockKey> keys;
    private final boolean shared;
    private final Owner owner;
    private final Duration waited;
    private final long since = System.nanoTime();

    ClientHold(LockRequest request, Executor executor) {
        super(executor);
        this.keys = request.keys();
        this.shared = request.isShared();
        this.owner = request.ownedBy();
        this.waited = request.age();
    }

    /** How long it took to get it. */
    public Duration waited() {
        return waited;
    }

    /** How long ago that was. */
    public Duration age() {
        return Duration.ofNanos(System.nanoTime() - since);
    }

    /** In the order in which they were acquired. */
    public List<LockKey> keys() {
        return keys;
    }

    public boolean isShared() {
        return shared;
    }

    /** For whom; he may acquire the same again. */
    public Object owner() {
        return owner.who();
    }

    Owner ownedBy() {
        return owner;
    }
}
