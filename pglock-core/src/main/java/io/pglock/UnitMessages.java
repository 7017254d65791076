// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import io.pglock.internal.Durations;
import io.pglock.internal.Log;
import io.pglock.internal.Text;
import io.pglock.internal.Victims;
import java.lang.System.Logger.Level;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.postgresql.util.PSQLException;

/** What a guard says of a unit between its attempts: what happened, who is in the way, what comes next. */
final class UnitMessages {

    /** What is left of a deadline is told below this; above it is as good as for ever. */
    private static final Duration WORTH_TELLING = Duration.ofDays(24);

    private UnitMessages() {}

    /** What a host throws at a message fails nothing. */
    static LockGuard.Messages harmless(LockGuard.Messages messages) {
        return (level, message) -> {
            try {
                messages.message(level, message);
            } catch (RuntimeException e) {
                Log.log(Level.WARNING, "A host took no message", e);
            }
        };
    }

    /** About this unit. */
    static LockGuard.Messages about(String unit, LockGuard.Messages messages) {
        return (level, message) -> messages.message(level, unit + ": " + message);
    }

    /**
     * {@code not locked within 2s, blocked by pid 4711 (web, ...). Trying again when it is gone, at the latest in 1.2s
     * (attempt 3, 9m 40s left).}
     *
     * @param attempt the number of the next one
     * @param atTheLatest empty where it waits for as long as they are seen
     */
    static String again(
            UnitWatch watch,
            UnitRetry.Cause cause,
            SQLException failure,
            int attempt,
            Optional<Duration> atTheLatest,
            Duration left) {
        Optional<String> blockers = watch.blockedBy();
        String what = switch (cause) {
            case LOCK_TIMEOUT -> "not locked" + within(watch.lockTimeoutThatWasOver(), failure);
            case DEADLOCK -> "ended by PostgreSQL to resolve a deadlock";
            case GAVE_WAY -> "made way for " + victims(watch.latestVictims());
        };
        String when = blockers.isPresent()
                ? (watch.blockersInTheWay() == 1 ? "when it is gone" : "when they are gone")
                        + atTheLatest
                                .map(latest -> ", at the latest in " + Text.age(latest))
                                .orElse("")
                : "in " + atTheLatest.map(Text::age).orElse("a moment");
        return what + blockers.map(who -> ", " + who).orElse("") + ". Trying again " + when + " (attempt " + attempt
                + (left.compareTo(WORTH_TELLING) < 0 ? ", " + Text.age(left) + " left" : "") + ").";
    }

    /** {@code  within 2s}, {@code  at once}: the end of "not locked". */
    static String within(Optional<Duration> lockTimeout, SQLException failure) {
        return isTimeout(failure)
                ? lockTimeout
                        .map(timeout -> " within " + Durations.text(timeout))
                        .orElse("")
                : " at once"; // NOWAIT
    }

    /** In whatever language the server writes: where in its code the error was raised. */
    private static boolean isTimeout(SQLException failure) {
        return failure instanceof PSQLException reported
                && reported.getServerErrorMessage() != null
                && "ProcessInterrupts".equals(reported.getServerErrorMessage().getRoutine());
    }

    private static String victims(Victims.Summary victims) {
        return victims.atOnce() + (victims.atOnce() == 1 ? " session" : " sessions")
                + " that had waited behind it for up to " + Text.age(victims.longest());
    }

    static String pastAutovacuum(UnitWatch watch, Duration timeout) {
        return "not locked, " + watch.blockedBy().orElse("blocked by an autovacuum worker")
                + ". The next attempt waits up to " + Text.age(timeout)
                + ": for a wait that is longer than deadlock_timeout PostgreSQL sends an autovacuum away.";
    }

    static String invalid(List<String> indexes) {
        return "Left behind, invalid: " + String.join(", ", indexes) + ". Before the next try: DROP INDEX CONCURRENTLY "
                + String.join("; DROP INDEX CONCURRENTLY ", indexes) + "."
                + (indexes.stream().anyMatch(index -> index.startsWith("pg_toast."))
                        ? " In pg_toast that takes a superuser, or the owner with USAGE on that schema."
                        : "");
    }

    static String pending(String partition, String remedy) {
        return "Left behind, neither attached nor detached: partition " + partition + ". To complete it: " + remedy
                + ".";
    }

    static String mayBeBuilt(List<String> indexes) {
        return invalid(indexes)
                + " Not dropped now: another session may be building it at this moment. Trying again later.";
    }

    static String hidden(String index) {
        return index
                + " exists and is invalid: a build of it has failed, or is going on in another session. CREATE INDEX ... IF"
                + " NOT EXISTS would do nothing and call that a success. DROP INDEX CONCURRENTLY " + index
                + ", then run this again.";
    }
}
