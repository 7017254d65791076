// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import io.pglock.internal.Text;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * A session as {@code pg_stat_activity} showed it at one moment, or a prepared transaction, which holds locks without
 * having a session. Immutable and thread-safe.
 *
 * <p>What a role may not see of another user's session is empty: PostgreSQL shows it to members of {@code
 * pg_read_all_stats} (so to {@code pg_monitor}) only; see {@link #visible()}. All instants are the server's clock.
 *
 * @param pid process id on the server; {@code 0} for a prepared transaction
 * @param leaderPid the session for which this parallel worker works (PostgreSQL 13+)
 * @param database the database it is connected to
 * @param user the role it authenticated as
 * @param application its {@code application_name}
 * @param clientAddress the client's address and port, {@code 10.0.0.7:51234}; empty for a Unix socket
 * @param clientHostname the client's name; empty unless the server looks it up ({@code log_hostname})
 * @param type its {@code backend_type}: {@code client backend}, {@code autovacuum worker}, ...
 * @param state {@code active}, {@code idle in transaction}, ...
 * @param backendStart when the session began; with {@code pid}, its identity
 * @param xactStart when its transaction began (for a prepared transaction: when it was prepared)
 * @param queryStart when its current or last query began
 * @param stateChange when {@code state} last changed
 * @param waitEvent what it waits for, {@code Lock:relation}
 * @param query its current or last query
 * @param xid the id of its transaction, as soon as that has changed something
 * @param xmin the oldest transaction id that its snapshot still needs: what is dead since then, no VACUUM removes
 * @param preparedGid the global id of the prepared transaction
 * @param seenAt when this was read
 * @see <a href="https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-PG-STAT-ACTIVITY-VIEW">
 *     pg_stat_activity</a>
 */
public record Backend(
        int pid,
        Optional<Integer> leaderPid,
        Optional<String> database,
        Optional<String> user,
        Optional<String> application,
        Optional<String> clientAddress,
        Optional<String> clientHostname,
        Optional<String> type,
        Optional<String> state,
        Optional<Instant> backendStart,
        Optional<Instant> xactStart,
        Optional<Instant> queryStart,
        Optional<Instant> stateChange,
        Optional<String> waitEvent,
        Optional<String> query,
        Optional<String> xid,
        Optional<String> xmin,
        Optional<String> preparedGid,
        Instant seenAt) {

    private static final int SHOWN_QUERY_LENGTH = 60;

    /** Whether this role may see the session's state and query. */
    public boolean visible() {
        return backendStart.isPresent() || isPreparedTransaction();
    }

    /** Whether this is a prepared transaction: no session to cancel, only {@code ROLLBACK PREPARED} ends it. */
    public boolean isPreparedTransaction() {
        return pid == 0;
    }

    /** How long its transaction had been open. */
    public Optional<Duration> xactAge() {
        return xactStart.map(start -> Duration.between(start, seenAt));
    }

    /** How long it had been in its {@link #state()}. */
    public Optional<Duration> stateAge() {
        return stateChange.map(change -> Duration.between(change, seenAt));
    }

    /**
     * What an operator wants to read of it: {@code pid 4711 (web, idle in transaction for 42s: "SELECT ...")}, or {@code
     * prepared transaction "xa-42" (open for 3h; ends with: ROLLBACK PREPARED 'xa-42')}.
     */
    public String describe() {
        if (isPreparedTransaction()) {
            String gid = preparedGid.orElse("?");
            return "prepared transaction \"" + Text.printable(gid) + "\" ("
                    + xactAge().map(age -> "open for " + Text.age(age) + "; ").orElse("")
                    + "ends with: ROLLBACK PREPARED " + Text.printable(Text.literal(gid)) + ")";
        }
        String name = Text.printable(
                application.filter(value -> !value.isBlank()).or(() -> user).orElse("?"));
        if (!visible()) {
            return "pid " + pid + " (" + name + ", details hidden: grant pg_read_all_stats to see them)";
        }
        String what = state.or(() -> type).orElse("?")
                + stateAge().map(age -> " for " + Text.age(age)).orElse("");
        return "pid " + pid + " (" + name + ", " + what
                + query.filter(value -> !value.isBlank())
                        .map(value -> ": \"" + Text.shorten(value, SHOWN_QUERY_LENGTH) + "\"")
                        .orElse("")
                + ")";
    }
}
