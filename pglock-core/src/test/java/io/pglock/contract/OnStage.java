// SPDX-License-Identifier: Apache-2.0
package io.pglock.contract;

import io.pglock.LockKey;
import java.time.Duration;

/** A part of the {@link LockContract}. */
interface OnStage {

    LockKey KEY = LockKey.named("nightly-report");
    Duration SOON = Duration.ofMillis(50);
    Duration LONG = Duration.ofSeconds(30);

    Stage stage();

    /** Whether somebody else could have it exclusively. */
    default boolean isFree(Engine.Party other) {
        return other.advisory(KEY).timeout(Duration.ZERO).tryRun(() -> {});
    }
}
