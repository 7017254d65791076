// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import io.pglock.internal.Text;
import java.time.Duration;
import java.util.Optional;

/**
 * Somebody who was in the way of a session guarded by {@link Prioritize}, as the watch saw it last. Immutable and
 * thread-safe.
 *
 * @param backend the session, or the prepared transaction
 * @param hard whether it held a lock that conflicts with what the guarded session waited for; {@code false}: it merely
 *     waited ahead of it in the queue, and is never signalled
 * @param waitsFor what the guarded session waited for, as {@code AccessExclusiveLock on orders}
 * @param waited how long the guarded session had waited for that lock
 * @param spared why this session is never signalled, whatever was asked for; empty where it may be
 * @see <a href="https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-INFO-SESSION">pg_blocking_pids</a>
 */
public record SeenBlocker(Backend backend, boolean hard, String waitsFor, Duration waited, Optional<String> spared) {

    /**
     * What an operator wants to read: {@code waited 1.2s for AccessExclusiveLock on orders, blocked by pid 4711 (web, idle in
     * transaction for 42s: "SELECT ...")}.
     */
    public String describe() {
        return "waited " + Text.age(waited) + " for " + waitsFor + ", blocked by " + backend.describe()
                + (hard ? "" : ", which waits ahead in the queue")
                + spared.map(why -> " (never signalled: " + why + ")").orElse("");
    }
}
