// SPDX-License-Identifier: Apache-2.0
package io.pglock.stress;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** An operator who terminates sessions and cancels statements without looking. */
final class SessionTrouble implements Runnable {

    /** Parameter: a random number. The target list is evaluated from left to right: the first time is before the signal. */
    private static final String KILL = """
            insert into kill (pid, holder, at, signalled, done)
            select pid, application_name, clock_timestamp(), pg_terminate_backend(pid), clock_timestamp() from (
                select pid, application_name from pg_stat_activity
                where datname = current_database() and application_name ~ '^(client|own)'
                order by application_name, pid
                offset ?::int % greatest(1, (
                    select count(*)::int from pg_stat_activity
                    where datname = current_database() and application_name ~ '^(client|own)'))
                limit 1) as victim
            returning 1""";

    /** Of clients alone: whoever uses a connection of his own is to be told that his statement was cancelled. */
    private static final String CANCEL = """
            select pg_cancel_backend(pid) from pg_stat_activity
            where datname = current_database() and application_name ~ '^client' and state = 'active'""";

    /** A client whose sessions do not last waits for longer and longer before it opens another. */
    private static final long PERIOD = TimeUnit.SECONDS.toNanos(12);

    private static final long STORM = TimeUnit.SECONDS.toNanos(5);

    private final FuzzRun run;
    private final Random random;
    private int cancels;

    SessionTrouble(FuzzRun run, Random random) {
        this.run = run;
        this.random = random;
    }

    @Override
    public void run() {
        try (Connection connection = run.access().connect();
                PreparedStatement kill = connection.prepareStatement(KILL);
                PreparedStatement cancel = connection.prepareStatement(CANCEL)) {
            long start = System.nanoTime();
            while (!run.isOver()) {
                pause(Duration.ofMillis(5 + random.nextInt(60)));
                boolean quiet = (System.nanoTime() - start) % PERIOD > STORM;
                if (!quiet && random.nextInt(4) == 0) {
                    kill.setInt(1, random.nextInt(1_000_000));
                    kill.execute();
                } else {
                    cancel(cancel);
                }
            }
        } catch (SQLException e) {
            run.failed("trouble", e);
        }
    }

    private void cancel(PreparedStatement cancel) throws SQLException {
        try (ResultSet rows = cancel.executeQuery()) {
            while (rows.next()) {
                cancels++;
            }
        }
    }

    private static void pause(Duration time) {
        LockSupport.parkNanos(TimeUnit.NANOSECONDS.convert(time));
    }

    /** How many statements were cancelled, or nearly. To be asked when it has ended. */
    int cancels() {
        return cancels;
    }
}
