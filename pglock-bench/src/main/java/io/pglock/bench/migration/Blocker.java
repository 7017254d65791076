// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench.migration;

import io.pglock.bench.Server;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/**
 * Somebody who keeps a transaction open in which the table was read: a report that runs for long, or a session that sits idle now
 * and then. Used by its own thread; what it has done is for others when that has ended.
 */
final class Blocker extends Thread {

    /**
     * One transaction.
     *
     * @param after the start
     * @param lasts from the read to the commit
     */
    record Turn(Duration after, Duration lasts) {}

    /**
     * A transaction that has been, as {@link System#nanoTime()} counts.
     *
     * @param end when it let go of the table
     * @param failure an SQLSTATE; empty if it was committed
     */
    record Held(long begin, long end, String failure) {}

    private final Server server;
    private final boolean idle;
    private final long start;
    private final List<Turn> turns;
    private final List<Held> held = new ArrayList<>();
    private volatile boolean over;

    /**
     * @param idle does nothing in its transaction; else it runs one statement all the time
     * @param start of all, as {@link System#nanoTime()} counts
     */
    Blocker(Server server, String name, boolean idle, long start, List<Turn> turns) {
        super(name);
        this.server = server;
        this.idle = idle;
        this.start = start;
        this.turns = List.copyOf(turns);
        setDaemon(true);
    }

    /** When its thread has ended. */
    List<Held> held() {
        return held;
    }

    /** It begins no more transactions. */
    void end() {
        over = true;
    }

    @Override
    public void run() {
        for (Turn turn : turns) {
            parkUntil(start + turn.after().toNanos());
            if (over) {
                return;
            }
            transaction(turn.lasts());
        }
    }

    private void transaction(Duration lasts) {
        long begin = System.nanoTime();
        String failure = "";
        try (Connection connection = server.connect(getName());
                Statement statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            statement.execute("select sum(total) from orders where id <= 1000");
            begin = System.nanoTime();
            if (idle) {
                parkUntil(begin + lasts.toNanos());
            } else {
                statement.execute("select pg_sleep(" + lasts.toMillis() / 1e3 + ")");
            }
            connection.commit();
        } catch (SQLException e) {
            failure = String.valueOf(e.getSQLState());
        }
        held.add(new Held(begin, System.nanoTime(), failure));
    }

    /** @param due as {@link System#nanoTime()} counts */
    static void parkUntil(long due) {
        for (long now = System.nanoTime(); due > now; now = System.nanoTime()) {
            LockSupport.parkNanos(due - now);
        }
    }
}
