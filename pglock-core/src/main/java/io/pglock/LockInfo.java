// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import io.pglock.internal.Text;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * One lock that a session holds or waits for: one row of {@code pg_locks}. Immutable and thread-safe.
 *
 * {@snippet :
 * for (LockInfo lock : PgLock.on(connection).locks().on("orders").list()) {
 *     log.info(lock.describe()); // pid 4711 (web, idle in transaction for 42s: "select ...") holds ACCESS SHARE on orders
 * }
 * }
 *
 * @param backend whose it is; a parallel worker's is the worker's, see {@link Backend#leaderPid()}
 * @param target what it is on
 * @param mode how strong it is
 * @param granted held, or waited for
 * @param fastPath held in the session's own memory, where locks that rarely conflict are cheap
 * @param waitStart when the waiting began (PostgreSQL 14+; before, when its statement began); empty for a granted lock, and for
 *     an instant after the waiting began
 * @see <a href="https://www.postgresql.org/docs/current/view-pg-locks.html">pg_locks</a>
 */
public record LockInfo(
        Backend backend,
        LockTarget target,
        LockMode mode,
        boolean granted,
        boolean fastPath,
        Optional<Instant> waitStart) {

    /** How long it had been waited for; empty for a granted lock. */
    public Optional<Duration> waited() {
        return waitStart.map(start -> Duration.between(start, backend.seenAt()));
    }

    /** In words: {@code pid 4711 (web, ...) waits for ACCESS EXCLUSIVE on orders, for 3s so far}. */
    public String describe() {
        return backend.describe() + (granted ? " holds " : " waits for ") + mode.sql() + " on " + target.describe()
                + waited().map(time -> ", for " + Text.age(time) + " so far").orElse("");
    }
}
