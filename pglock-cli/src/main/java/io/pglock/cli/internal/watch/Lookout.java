// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.watch;

import io.pglock.LockQuery;
import io.pglock.cli.internal.select.Selection;
import io.pglock.cli.internal.view.TargetNames;
import java.sql.Connection;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Looks at the locks again and again, on a thread of its own: a server that answers late does not hold up the keys. All that is done
 * on the connection is done there. Thread-safe.
 */
final class Lookout implements AutoCloseable {

    private final Connection connection;
    private final LockQuery all;
    private final Selection selection;
    private final TargetNames names;
    private final ScheduledExecutorService thread = Executors.newSingleThreadScheduledExecutor(work -> {
        Thread looking = new Thread(work, "pglock-watch");
        looking.setDaemon(true);
        return looking;
    });
    private final AtomicReference<@Nullable Sight> latest = new AtomicReference<>();
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    private volatile Optional<Integer> detailsOf = Optional.empty();
    private volatile boolean paused;

    Lookout(Connection connection, Selection selection, TargetNames names) {
        this.connection = connection;
        this.all = LockQuery.on(connection);
        this.selection = selection;
        this.names = names;
    }

    void every(Duration interval) {
        ScheduledFuture<?> unused = thread.scheduleWithFixedDelay(
                () -> {
                    if (!paused) {
                        look(Optional.empty());
                    }
                },
                0,
                interval.toMillis(),
                TimeUnit.MILLISECONDS);
    }

    /**
     * Only on the thread. After a failure nothing works any more, and nothing is tried.
     *
     * @param kept what stays as it is, but for the details; empty where all is to be looked at
     */
    private void look(Optional<Sight> kept) {
        if (failure.get() != null) {
            return;
        }
        try {
            Sight seen = kept.orElseGet(() -> new Sight(selection.tree(all), Instant.now(), List.of()));
            if (kept.isEmpty()) {
                names.rows().read(connection, seen.tree());
            }
            latest.set(seen.with(detailsOf.map(pid -> all.pid(pid).list()).orElse(List.of())));
        } catch (Throwable e) { // an error as well: the executor would keep it to itself, and the picture would stand
            // still
            failure.set(e);
        }
    }

    /** What was seen last. */
    Optional<Sight> latest() {
        return Optional.ofNullable(latest.get());
    }

    /** What is said where nobody waits. */
    String nobody() {
        return selection.nobody();
    }

    /** Why it sees nothing any more. */
    Optional<Throwable> failure() {
        return Optional.ofNullable(failure.get());
    }

    void pause(boolean pause) {
        paused = pause;
    }

    boolean isPaused() {
        return paused;
    }

    /** Looks at the locks of this session as well, from now on; the rest stays as it is while it is paused. */
    void detailsOf(Optional<Integer> pid) {
        if (!pid.equals(detailsOf)) {
            detailsOf = pid;
            thread.execute(() -> look(paused ? latest() : Optional.empty()));
        }
    }

    /** Sends it, and looks again. */
    void signal(Sending sending) {
        thread.execute(() -> {
            try {
                if (failure.get() == null) {
                    sending.send(connection, selection);
                }
            } catch (Throwable e) {
                failure.set(e);
            } finally {
                sending.giveUp();
            }
            look(Optional.empty());
        });
    }

    @Override
    public void close() {
        thread.shutdownNow();
    }
}
