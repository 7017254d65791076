// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent;

import io.pglock.testkit.TcpProxy;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * What goes wrong from outside while {@link Stress} runs: statements are cancelled, threads interrupted, sessions ended, and the
 * network of one of its pools breaks. To be asked for its counts when it has ended.
 */
final class StressTrouble implements Runnable {

    private static final long SEED = Long.getLong("pglock.proof.seed", 1);
    private static final long LONGEST_PAUSE = TimeUnit.MILLISECONDS.toNanos(4);

    /** A cancel for one of the sessions that are at work, whatever with. */
    private static final String CANCEL = """
            select pg_cancel_backend(pid) from pg_stat_activity
            where datname = current_database() and state = 'active' and pid <> pg_backend_pid()
            order by random() limit 1""";

    private static final String END = """
            select pg_terminate_backend(pid) from pg_stat_activity
            where datname = current_database() and application_name = 'stress' and pid <> pg_backend_pid()
            order by random() limit 1""";

    private final Readings readings;
    private final String more;
    private final TcpProxy network;
    private final List<Thread> workers;
    private final Random random = new Random(SEED);
    private volatile boolean over;
    private int cancels;
    private int interrupts;
    private int ends;
    private int cuts;

    /** @param more what the application's connections have in their URL: to the agent, another one is another database */
    StressTrouble(Readings readings, String more, TcpProxy network, List<Thread> workers) {
        this.readings = readings;
        this.more = more;
        this.network = network;
        this.workers = workers;
    }

    @Override
    public void run() {
        while (!over) {
            try (Connection connection = readings.connect(more)) {
                while (!over) {
                    LockSupport.parkNanos(1 + (long) (random.nextDouble() * LONGEST_PAUSE));
                    trouble(connection);
                }
            } catch (SQLException e) {
                LockSupport.parkNanos(LONGEST_PAUSE); // its own network has been cut
            }
        }
    }

    private void trouble(Connection connection) throws SQLException {
        switch (random.nextInt(200)) {
            case 0 -> {
                network.reset();
                cuts++;
            }
            case 1, 2 -> ends += count(connection, END);
            default -> {
                if (random.nextInt(4) == 0) {
                    workers.get(random.nextInt(workers.size())).interrupt();
                    interrupts++;
                } else {
                    cancels += count(connection, CANCEL);
                }
            }
        }
    }

    private static int count(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            return rows.next() && rows.getBoolean(1) ? 1 : 0;
        }
    }

    void end() {
        over = true;
    }

    /** Whether this is what has been done here, and no error of anybody's. */
    static boolean isItsDoing(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            String state = cause instanceof SQLException sql ? String.valueOf(sql.getSQLState()) : "";
            if (state.startsWith("57") || state.startsWith("08") || state.equals("25P02")) {
                return true;
            }
            if (cause instanceof InterruptedException) {
                return true;
            }
        }
        String message = String.valueOf(failure.getMessage()); // the pool's own have no SQLSTATE
        return message.contains("nterrupted") || message.contains("is closed");
    }

    void print() {
        readings.line("cancels from outside", cancels);
        readings.line("interrupts from outside", interrupts);
        readings.line("sessions ended from outside", ends);
        readings.line("networks cut", cuts);
    }
}
