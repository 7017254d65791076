// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench.migration;

import io.pglock.bench.Server;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;

/**
 * One connection of the application, with a statement on one row every {@link #PERIOD}. Whoever ends its statement or its session
 * is noted, and it goes on. Used by its own thread; what it has seen is for others when that has ended.
 */
final class Client extends Thread {

    static final Duration PERIOD = Duration.ofMillis(20);

    private static final int ROWS = 100_000;

    /** What it does, each time. */
    enum Kind {
        READER("select total from orders where id = ?"),
        WRITER("update orders set total = total + 1 where id = ?");

        private final String sql;

        Kind(String sql) {
            this.sql = sql;
        }
    }

    /**
     * One statement, as {@link System#nanoTime()} counts.
     *
     * @param failure an SQLSTATE; empty if there was none
     */
    record Ran(long begin, long end, String failure) {

        long nanos() {
            return end - begin;
        }
    }

    private final Server server;
    private final Kind kind;
    private final Random random;
    private final List<Ran> ran = new ArrayList<>();
    private volatile boolean over;

    Client(Server server, Kind kind, int number, long seed) {
        super(kind.name().toLowerCase(Locale.ROOT) + "-" + number);
        this.server = server;
        this.kind = kind;
        this.random = new Random(seed + number);
        setDaemon(true);
    }

    Kind kind() {
        return kind;
    }

    /** When its thread has ended. */
    List<Ran> ran() {
        return ran;
    }

    /** The statement that is going on is its last one. */
    void end() {
        over = true;
    }

    @Override
    public void run() {
        while (!over) {
            try (Connection connection = server.connect(getName());
                    PreparedStatement statement = connection.prepareStatement(kind.sql)) {
                work(statement);
            } catch (SQLException e) {
                // it was ended, which has been noted: the application connects anew
            }
        }
    }

    private void work(PreparedStatement statement) throws SQLException {
        long due = System.nanoTime() + random.nextLong(PERIOD.toNanos());
        while (!over) {
            Blocker.parkUntil(due);
            if (over) {
                return;
            }
            statement.setInt(1, 1 + random.nextInt(ROWS));
            long begin = System.nanoTime();
            try {
                statement.execute();
                ran.add(new Ran(begin, System.nanoTime(), ""));
            } catch (SQLException e) {
                ran.add(new Ran(begin, System.nanoTime(), String.valueOf(e.getSQLState())));
                if (statement.getConnection().isClosed()) {
                    throw e;
                }
            }
            // what fell due meanwhile is skipped here, and counted as having waited (see Figures)
            long late = (System.nanoTime() - due) / PERIOD.toNanos();
            due += (late + 1) * PERIOD.toNanos();
        }
    }
}
