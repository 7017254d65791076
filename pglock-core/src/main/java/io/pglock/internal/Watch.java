// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.ToLongFunction;
import java.util.stream.Collectors;
import javax.sql.DataSource;
import org.postgresql.core.BaseConnection;

/**
 * Looks after all guarded sessions of one DataSource, from one daemon thread through one side connection: one statement for
 * each look, and none while every guarded session is younger than its poll interval. Whatever goes wrong here becomes a
 * warning to the scopes, never a failure of their work. Not API.
 *
 * <p>It lives from the first scope to the last one; {@link Watches} makes another one for the next. So a thread that hangs in
 * {@link DataSource#getConnection} can be left to die alone.
 */
final class Watch implements Runnable {

    private static final AtomicInteger COUNT = new AtomicInteger();

    private static final Duration FIRST_RETRY = Duration.ofMillis(200);
    private static final Duration LONGEST_RETRY = Duration.ofSeconds(10);

    /** A look at a huge lock table must not become a load: at most a fifth of the time is spent looking. */
    private static final int REST_PER_LOOK = 4;

    /** The longest statement of the side connection, and then some; while one connects there is nothing to wait for. */
    private static final Duration END_OF_LOOK = Duration.ofSeconds(6);

    private final DataSource dataSource;

    /** Written under the lock of {@link Watches}; there is none before the first look is due. */
    private volatile Optional<Thread> thread = Optional.empty();

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();

    /** Under the lock. */
    private final Set<Guarded> guarded = new LinkedHashSet<>();

    private boolean over;

    private final Connecting connecting = new Connecting();

    /** From the first statement on it to the last, so that what hangs there can be cut off; under a lock of its own. */
    private Optional<BaseConnection> inUse = Optional.empty();

    private final ReentrantLock cutting = new ReentrantLock();

    /** The thread's own, as is what follows. */
    private Optional<SideConnection> side = Optional.empty();

    private Optional<String> refusal = Optional.empty();

    private long notBefore = System.nanoTime();
    private long lookBegan;
    private boolean hasLooked;

    /** A session's first look takes many times as long as the next: that is no load that would have to be rested from. */
    private boolean warm;

    private Duration retry = FIRST_RETRY;
    private int outages;

    Watch(DataSource dataSource) {
        this.dataSource = dataSource;
    }

    DataSource dataSource() {
        return dataSource;
    }

    /** {@link Watches} calls this and {@link #remove} one at a time, and neither after the last one was removed. */
    void add(Guarded session) {
        session.servedBy(this::cutOff);
        lock.lock();
        try {
            guarded.add(session);
            changed.signal();
        } finally {
            lock.unlock();
        }
    }

    /** {@link Watches} calls this until it has begun, at the first look at the latest, and not after the last one was removed. */
    void begin() {
        thread = Optional.of(Daemon.start(this, "pglock-watch-" + COUNT.incrementAndGet()));
    }

    /** There is no thread for it; told once to every scope. */
    void cannotBegin(OutOfMemoryError noThread) {
        all().forEach(session -> session.unavailable(
                "no thread", "no thread to be had: " + noThread.getMessage(), Optional.of(noThread)));
    }

    boolean hasBegun() {
        return thread.isPresent();
    }

    /** Whether it was the last one: then this watch is over. */
    boolean remove(Guarded session) {
        lock.lock();
        try {
            if (!guarded.remove(session) || !guarded.isEmpty()) {
                return false;
            }
            over = true;
            changed.signal();
            connecting.end();
            return true;
        } finally {
            lock.unlock();
        }
    }

    void awaitEnd() {
        Optional<Thread> ending = thread.filter(running -> running != Thread.currentThread());
        if (ending.isEmpty()) {
            return;
        }
        if (!Patience.join(ending.get(), connecting.isGoingOn() ? Connecting.LONGEST_END : END_OF_LOOK)) {
            cutOff();
        }
    }

    /** Ends a statement that hangs. */
    void cutOff() {
        cutting.lock();
        try {
            inUse.ifPresent(SideConnection::abort);
        } finally {
            cutting.unlock();
        }
    }

    private void inUse(Optional<BaseConnection> connection) {
        cutting.lock();
        try {
            inUse = connection;
        } finally {
            cutting.unlock();
        }
    }

    @Override
    public void run() {
        try {
            while (awaitNextLook()) {
                look();
            }
        } finally {
            dropSide();
        }
    }

    /** Waits until looking is worth it; false when the last scope has been closed. */
    private boolean awaitNextLook() {
        lock.lock();
        try {
            while (!over) {
                long wait = nextLookAt() - System.nanoTime();
                if (wait <= 0) {
                    return true;
                }
                changed.awaitNanos(wait);
            }
        } catch (InterruptedException e) {
            return !over; // nobody interrupts but to end a connecting; looking once too often does no harm
        } finally {
            lock.unlock();
        }
        return false;
    }

    private long nextLookAt() {
        long next = earliest(session -> hasLooked
                ? later(session.firstLookAt(), lookBegan + session.every().toNanos())
                : session.firstLookAt());
        return later(next, notBefore);
    }

    /** Of those that are guarded. */
    long firstLookAt() {
        return earliest(Guarded::firstLookAt);
    }

    private long earliest(ToLongFunction<Guarded> at) {
        lock.lock();
        try {
            return guarded.stream()
                    .mapToLong(at)
                    .reduce((a, b) -> a - b < 0 ? a : b)
                    .orElseThrow();
        } finally {
            lock.unlock();
        }
    }

    private static long later(long a, long b) {
        return a - b > 0 ? a : b;
    }

    private void look() {
        lookBegan = System.nanoTime();
        hasLooked = true;
        List<Guarded> due = due(lookBegan);
        Duration pause =
                due.stream().map(Guarded::every).min(Duration::compareTo).orElse(FIRST_RETRY);
        try {
            List<Guarded> served = serve(due);
            for (Guarded session : served) {
                session.accepted();
            }
            retry = FIRST_RETRY;
            long took = warm ? System.nanoTime() - lookBegan : 0;
            warm = side.isPresent();
            notBefore = lookBegan + (1 + REST_PER_LOOK) * took;
        } catch (SideConnection.Unusable e) {
            refusal = Optional.of(String.valueOf(e.getMessage()));
            due.forEach(session -> session.refuse(refusal.get()));
            notBefore = lookBegan + pause.toNanos();
        } catch (SQLException | RuntimeException | Error e) {
            if (!isOver()) { // whoever has interrupted its connecting wants no word of it
                notBefore = System.nanoTime() + outage(due, e).toNanos();
            }
        }
    }

    private boolean isOver() {
        lock.lock();
        try {
            return over;
        } finally {
            lock.unlock();
        }
    }

    /** Those that are worth a look by now; scopes that nobody closed, though their connection is gone, end here. */
    private List<Guarded> due(long now) {
        List<Guarded> all = all();
        all.stream().filter(Guarded::isOver).forEach(session -> Watches.leave(this, session));
        return all.stream()
                .filter(session -> !session.isOver() && session.firstLookAt() - now <= 0)
                .collect(Collectors.toCollection(ArrayList::new));
    }

    private List<Guarded> all() {
        lock.lock();
        try {
            return new ArrayList<>(guarded);
        } finally {
            lock.unlock();
        }
    }

    /** One look, and what follows from it; returns whom it served. */
    private List<Guarded> serve(List<Guarded> due) throws SQLException, SideConnection.Unusable {
        due.removeIf(Guarded::isRefused);
        boolean worthConnecting = due.stream().anyMatch(session -> session.isOutside() || !session.isApart());
        if (side.isEmpty() && !worthConnecting) {
            return List.of();
        }
        if (refusal.isPresent()) {
            throw new SideConnection.Unusable(refusal.get());
        }
        Optional<SideConnection> connected = connected();
        if (connected.isEmpty()) {
            return List.of();
        }
        SideConnection through = connected.get();
        lookBegan = System.nanoTime(); // connecting is no load that would have to be rested from
        for (Guarded session : due) {
            if (through.isSessionOf(session)) {
                session.refuse("the DataSource handed out the guarded session itself");
            } else if (!through.serverStart().equals(session.serverStart())) {
                session.refuse("the DataSource connects to another server");
            }
        }
        due.removeIf(Guarded::isRefused);
        List<Guarded> present =
                due.stream().filter(session -> !session.isApart()).toList();
        Set<Integer> absent = through.mark(starts(present));
        present.stream()
                .filter(session -> absent.contains(session.pid()) && !session.isApart())
                .forEach(session -> session.refuse("the DataSource's server has no such session"));
        due.removeIf(Guarded::isRefused);
        if (due.isEmpty()) {
            return due;
        }
        List<Guarded> outside = due.stream().filter(Guarded::isOutside).toList();
        List<Guarded> inside = present.stream()
                .filter(session -> !session.isRefused() && !outside.contains(session))
                .toList();
        if (!inside.isEmpty()) {
            List<Sighting> seen = through.look(starts(inside));
            for (Guarded session : inside) {
                session.saw(
                        seen.stream()
                                .filter(each -> each.waiter() == session.pid())
                                .toList(),
                        through);
            }
        }
        for (Guarded session : outside) {
            session.lookFromOutside(through);
        }
        return due;
    }

    /** By pid. */
    private static Map<Integer, Long> starts(Collection<Guarded> sessions) {
        return sessions.stream().collect(Collectors.toMap(Guarded::pid, Guarded::start, Math::max));
    }

    /** The side connection, opened if need be; empty when the last scope was closed meanwhile. */
    private Optional<SideConnection> connected() throws SQLException, SideConnection.Unusable {
        if (side.isPresent()) {
            return side;
        }
        Optional<Connection> fresh = connecting.connect(dataSource::getConnection, Connection::close);
        if (fresh.isEmpty()) {
            return Optional.empty();
        }
        Connection connection = fresh.get();
        PgSession session = SideConnection.borrowed(connection, all());
        inUse(Optional.of(session.physical()));
        if (isOver()) { // since it connected; from here on it could be cut off
            inUse(Optional.empty());
            connection.close();
            return Optional.empty();
        }
        side = Optional.of(SideConnection.of(session, () -> inUse(Optional.empty())));
        return side;
    }

    /** Told once to every scope for each outage, and tried again, ever more rarely. */
    private Duration outage(List<Guarded> due, Throwable failure) {
        if (retry.equals(FIRST_RETRY)) {
            outages++;
        }
        boolean lost = side.isEmpty()
                || !(failure instanceof SQLException sql)
                || side.get().isLost(sql);
        if (lost) {
            dropSide();
        }
        String why =
                (lost ? "no side connection: " : "its statement failed: ") + failure.getMessage() + ", trying again";
        String occasion = Thread.currentThread().getName() + ", outage " + outages; // a unit may have several watches
        due.forEach(session -> session.unavailable(occasion, why, Optional.of(failure)));
        Duration pause = retry;
        retry = Durations.shorter(retry.multipliedBy(2), LONGEST_RETRY);
        return pause;
    }

    private void dropSide() {
        warm = false;
        try {
            side.ifPresent(SideConnection::close);
        } finally {
            side = Optional.empty();
        }
    }
}
