// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import io.pglock.internal.Json;
import io.pglock.internal.PgSession;
import io.pglock.internal.Text;
import io.pglock.internal.UnitCalls;
import io.pglock.internal.UnitCalls.Taken;
import io.pglock.internal.Victims;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** What became of one unit, as the line of JSON that {@code report} asks for. As thread-safe as the connection. */
final class UnitReport {

    private final String unit;
    private final Instant begun = Instant.now();
    private final long begunNanos = System.nanoTime();
    private final List<Map<String, Object>> attempts = new ArrayList<>();
    private final Set<Taken> locks = new LinkedHashSet<>();
    private boolean failed;

    UnitReport(String unit) {
        this.unit = unit;
    }

    /** An attempt that was followed by another. */
    void attempt(UnitRetry.Cause cause, long begunAt, long failedAt, long pausedUntil) {
        Map<String, Object> attempt = new LinkedHashMap<>();
        attempt.put("ended", cause.toString());
        attempt.put("millis", Duration.ofNanos(failedAt - begunAt).toMillis());
        attempt.put("pausedMillis", Duration.ofNanos(pausedUntil - failedAt).toMillis());
        attempts.add(attempt);
        locks.clear();
    }

    /** Whether the unit, as far as is known by now, fails in the end. */
    void failed(boolean fails) {
        failed = fails;
    }

    private Duration lasted() {
        return Duration.ofNanos(System.nanoTime() - begunNanos);
    }

    /** It has failed, for this: who was in the way, if it failed for a lock or anybody was in the latest attempt. */
    Optional<String> failed(UnitWatch watch, SQLException failure) {
        failed = true;
        boolean forALock = UnitRetry.cause(failure, watch.gaveWay()).isPresent();
        return forALock || watch.sawBlockersLately() ? withAttempts(watch.explain(failure)) : Optional.empty();
    }

    /** It has failed, and it is not known for what. */
    Optional<String> failed(UnitWatch watch) {
        failed = true;
        return withAttempts(watch.explain());
    }

    private Optional<String> withAttempts(Optional<String> explained) {
        return explained.map(text -> attempts.isEmpty()
                ? text
                : text + " Given up after " + (attempts.size() + 1) + " attempts in " + Text.age(lasted()) + ".");
    }

    /** It is over, and its watch has ended: says how it came through, and writes the line where one is wanted. */
    void end(UnitWatch watch, Optional<Path> file, LockGuard.Messages told) {
        if (!attempts.isEmpty() && !failed) {
            told.message(
                    Level.INFO, "through at attempt " + (attempts.size() + 1) + ", after " + Text.age(lasted()) + ".");
        }
        file.ifPresent(path -> append(path, watch, told));
    }

    /** Takes note of the locks of a transaction, before they are gone; what goes wrong is a warning. */
    void takeLocks(PgSession session, LockGuard.Messages told) {
        try {
            locks.addAll(UnitCalls.locksTaken(session));
        } catch (SQLException e) {
            told.message(Level.WARNING, "its locks are missing in the report: " + e.getMessage());
        }
    }

    /** Appends the line, in one write, so that units of several processes may share a file; what goes wrong is a warning. */
    private void append(Path file, UnitWatch watch, LockGuard.Messages told) {
        try (FileChannel channel = FileChannel.open(
                file, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.APPEND)) {
            ByteBuffer line = ByteBuffer.wrap((line(watch) + "\n").getBytes(StandardCharsets.UTF_8));
            while (line.hasRemaining()) { // more than once only where the disk is full, or nearly
                channel.write(line);
            }
        } catch (IOException e) {
            told.message(Level.WARNING, "no line in " + file + ": " + e);
        }
    }

    private String line(UnitWatch watch) {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("unit", unit);
        line.put("begun", begun);
        line.put("millis", lasted().toMillis());
        line.put("outcome", failed ? "failed" : "done");
        line.put("attempts", attempts.size() + 1);
        line.put("failedAttempts", attempts);
        line.put("waits", waits(watch.blockers()));
        line.put("blockers", watch.blockers().stream().map(UnitReport::blocker).toList());
        line.put("actions", watch.actions().stream().map(UnitReport::action).toList());
        line.put("victims", victims(watch.victims()));
        line.put("locks", locks.stream().map(UnitReport::lock).toList());
        return Json.of(line);
    }

    /** What the unit waited for, and for how long as the watch saw it: the longest wait for each. */
    private static List<Map<String, Object>> waits(List<SeenBlocker> blockers) {
        Map<String, Long> longest = new LinkedHashMap<>();
        blockers.forEach(seen -> longest.merge(seen.waitsFor(), seen.waited().toMillis(), Math::max));
        return longest.entrySet().stream()
                .map(entry -> {
                    Map<String, Object> wait = new LinkedHashMap<>();
                    wait.put("for", entry.getKey());
                    wait.put("millis", entry.getValue());
                    return wait;
                })
                .toList();
    }

    private static Map<String, Object> blocker(SeenBlocker seen) {
        Map<String, Object> blocker = backend(seen.backend());
        blocker.put("waitsFor", seen.waitsFor());
        blocker.put("waitedMillis", seen.waited().toMillis());
        blocker.put("holds", seen.hard());
        blocker.put("spared", seen.spared());
        return blocker;
    }

    private static Map<String, Object> action(Signalled done) {
        Map<String, Object> action = backend(done.backend());
        action.put("signal", done.signal());
        action.put("outcome", done.outcome());
        action.put("at", done.at());
        action.put("detail", done.detail());
        return action;
    }

    private static Map<String, Object> backend(Backend seen) {
        Map<String, Object> backend = new LinkedHashMap<>();
        backend.put("pid", seen.pid());
        backend.put("preparedGid", seen.preparedGid());
        backend.put("user", seen.user());
        backend.put("application", seen.application());
        backend.put("state", seen.state());
        backend.put("xactStart", seen.xactStart());
        backend.put("query", seen.query());
        return backend;
    }

    private static Map<String, Object> victims(Victims.Summary summary) {
        Map<String, Object> victims = new LinkedHashMap<>();
        victims.put("sessions", summary.sessions());
        victims.put("atOnce", summary.atOnce());
        victims.put("longestMillis", summary.longest().toMillis());
        return victims;
    }

    private static Map<String, Object> lock(Taken taken) {
        Map<String, Object> lock = new LinkedHashMap<>();
        lock.put("relation", taken.relation());
        lock.put("mode", taken.mode());
        return lock;
    }
}
