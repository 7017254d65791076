// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** The release of what was acquired at once, one key or several: done when all are. Used by the client's thread, except {@link
 * #await}. Not API. */
final class LockRelease {

    private final CompletableFuture<Optional<Hold.Loss>> end = new CompletableFuture<>();
    private int left;

    LockRelease(int keys) {
        this.left = keys;
    }

    void done() {
        left--;
        if (left == 0) {
            end.complete(Optional.empty());
        }
    }

    void lost(Hold.Loss why) {
        end.complete(Optional.of(why));
    }

    /** Whether it was lost before it was released; an interrupt does not end this, and keeps its flag. */
    Optional<Hold.Loss> await() {
        return end.join();
    }
}
