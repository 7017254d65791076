// SPDX-License-Identifier: Apache-2.0
package io.pglock.proof;

import io.pglock.PgLock;
import io.pglock.PriorityScope;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;
import org.postgresql.PGConnection;

/**
 * A session of the mess, with a thread of its own, that notes when it is cancelled or terminated. To be used by one thread,
 * beside its own.
 */
final class Actor implements AutoCloseable {

    private static final String CANCELLED = "57014";
    private static final String TERMINATED = "57P01";

    /** When they do what; {@code overtaken} when all who react to a signal have done so. */
    record Cues(
            CountDownLatch ready,
            CountDownLatch waiting,
            CountDownLatch signal,
            CountDownLatch overtaken,
            CountDownLatch over) {
        static Cues of(Mess mess) {
            long overtaking =
                    mess.parts().stream().filter(Mess.Part::isOvertaking).count();
            return new Cues(
                    new CountDownLatch(mess.parts().size()),
                    new CountDownLatch(1),
                    new CountDownLatch(1),
                    new CountDownLatch((int) overtaking),
                    new CountDownLatch(1));
        }
    }

    private final DataSource dataSource;
    private final String parallel;
    private final ExecutorService thread;
    private volatile Optional<Connection> connection = Optional.empty();
    private volatile int pid;
    private volatile boolean ending;
    private final AtomicInteger cancelled = new AtomicInteger();
    private volatile boolean terminated;
    private volatile Optional<PriorityScope> scope = Optional.empty();

    /** @param parallel the name of the setting that makes every query run in parallel */
    Actor(DataSource dataSource, String parallel, String name) {
        this.dataSource = dataSource;
        this.parallel = parallel;
        this.thread = Executors.newSingleThreadExecutor(work -> {
            Thread own = new Thread(work, name);
            own.setDaemon(true);
            return own;
        });
    }

    int pid() {
        return pid;
    }

    /** How often a statement of its was cancelled in this round, and not by the test, and whether its session was terminated. */
    Scene.Victim victim(Mess.Part part) {
        return new Scene.Victim(pid, part.guarded(), cancelled.get(), terminated);
    }

    /** Ready to play a part. */
    void enter(Mess.Part part) throws SQLException {
        if (connection.isEmpty()) {
            Connection opened = dataSource.getConnection();
            pid = opened.unwrap(PGConnection.class).getBackendPID();
            connection = Optional.of(opened);
        }
        ending = false;
        cancelled.set(0);
        terminated = false;
        try (Statement statement = connection.orElseThrow().createStatement()) {
            statement.execute("set application_name = '" + part.application() + "'");
        }
    }

    /** Its session is guarded until it leaves, by a scope that never looks. */
    void guard() {
        scope = Optional.of(PgLock.on(connection.orElseThrow())
                .prioritize(dataSource)
                .every(Duration.ofHours(1))
                .start());
    }

    Future<?> play(Mess.Part part, Cues cues) {
        return thread.submit(() -> {
            try {
                List<String> prelude = new ArrayList<>(part.prelude());
                String last = prelude.remove(prelude.size() - 1);
                for (String sql : prelude) {
                    execute(sql, part.rollsBack());
                }
                cues.ready().countDown();
                execute(last, part.rollsBack());
                if (!part.tail().isEmpty()) {
                    cues.waiting().await();
                    (part.overtakes() ? cues.signal() : cues.over())
                            .await(part.tailAfter().toNanos(), TimeUnit.NANOSECONDS);
                    for (String sql : part.tail()) {
                        execute(sql, part.rollsBack());
                    }
                }
            } finally {
                cues.ready().countDown();
                if (part.isOvertaking()) {
                    cues.overtaken().countDown();
                }
            }
            return null;
        });
    }

    private void execute(String sql, boolean rollsBack) {
        if (ending || terminated) {
            return;
        }
        try {
            run(sql.equals("parallel") ? "set local " + parallel + " = on" : sql);
        } catch (SQLException e) {
            noted(e);
            if (rollsBack && !ending && !terminated) {
                execute("rollback", false);
            }
        }
    }

    private void run(String sql) throws SQLException {
        try (Statement statement = connection.orElseThrow().createStatement()) {
            statement.execute(sql);
        }
    }

    private void noted(SQLException e) {
        String state = String.valueOf(e.getSQLState());
        if (state.equals(TERMINATED) || state.startsWith("08")) {
            terminated = true;
        } else if (state.equals(CANCELLED) && !ending) {
            cancelled.incrementAndGet();
        }
    }

    /** From now on it does nothing more by itself, and a cancel is the test's. */
    void ending() {
        ending = true;
    }

    /** Lets go of everything. To be called when what it played has ended. */
    Future<?> leave() {
        return thread.submit(() -> {
            scope.ifPresent(PriorityScope::close);
            scope = Optional.empty();
            boolean clean = false;
            while (!clean && !terminated) {
                try {
                    run("rollback");
                    run("select pg_advisory_unlock_all()");
                    clean = true;
                } catch (SQLException e) {
                    noted(e); // a cancel of the test's that came late
                }
            }
            if (terminated) {
                drop();
            }
            return null;
        });
    }

    private void drop() throws SQLException {
        if (connection.isPresent()) {
            connection.get().close();
        }
        connection = Optional.empty();
    }

    @Override
    public void close() throws SQLException {
        thread.shutdownNow();
        drop();
    }
}
