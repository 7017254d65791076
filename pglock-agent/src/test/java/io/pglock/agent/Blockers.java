// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent;

import static io.pglock.agent.Readings.elsewhere;
import static io.pglock.agent.Readings.execute;
import static io.pglock.agent.Readings.sqlState;
import static io.pglock.agent.Readings.value;

import com.zaxxer.hikari.HikariDataSource;
import io.pglock.LockPolicy;
import io.pglock.annotation.WithLockTimeout;
import io.pglock.annotation.WithPriority;
import java.lang.management.ManagementFactory;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import javax.management.MBeanServer;
import javax.management.ObjectName;
import org.postgresql.PGConnection;

/** An application that is blocked, by sessions of its own making, with a pool that has one connection. */
final class Blockers {

    private static final String AT_ONCE = "prioritizeAfter=100ms prioritizeGrace=300ms pollInterval=20ms";

    private final Readings readings;
    private final HikariDataSource pool = new HikariDataSource();

    private Blockers(Readings readings) {
        this.readings = readings;
        pool.setJdbcUrl(readings.url("&ApplicationName=pool"));
        pool.setUsername(readings.user());
        pool.setPassword(readings.password());
        pool.setMaximumPoolSize(1);
        pool.setMinimumIdle(0);
    }

    public static void main(String... arguments) throws Exception {
        Readings readings = Readings.of(arguments);
        try (Connection connection = readings.connect()) {
            execute(connection, "create table if not exists orders (id int)");
            execute(connection, "create table if not exists parts (id int)");
            execute(connection, "truncate parts");
        }
        Blockers all = new Blockers(readings);
        MBeanServer server = ManagementFactory.getPlatformMBeanServer(); // so that the agent shows itself there
        if (arguments.length == 3) {
            all.untilTheLast();
        }
        readings.reading("gives way", all::givesWay);
        all.pool.close();
        if (arguments.length == 3) {
            readings.reading("signals", () -> all.signals(server));
        }
        readings.line("armed", Readings.armed());
    }

    private void untilTheLast() {
        readings.reading("terminate", this::terminate);
        readings.reading("terminate from inside", this::terminateFromInside);
        readings.reading("cancel", this::cancel);
        readings.reading("report", this::report);
        readings.reading("given away", this::givenAway);
        readings.reading("tried again", this::triedAgain);
        readings.reading("not tried again", this::notTriedAgain);
        readings.reading("deadlock", this::deadlock);
    }

    // ---- its methods ------------------------------------------------------------------------------------------------

    @WithLockTimeout("5s")
    @WithPriority(value = LockPolicy.Priority.TERMINATE, settings = AT_ONCE)
    private void terminating(Readings.Work work) throws Exception {
        work.run();
    }

    @WithLockTimeout("5s")
    @WithPriority(value = LockPolicy.Priority.CANCEL, settings = AT_ONCE)
    private void cancelling(Readings.Work work) throws Exception {
        work.run();
    }

    @WithLockTimeout("700ms")
    @WithPriority(value = LockPolicy.Priority.REPORT, settings = AT_ONCE)
    private void reporting(Readings.Work work) throws Exception {
        work.run();
    }

    /** One that watches nobody itself. */
    @WithLockTimeout("300ms")
    private void within(Readings.Work work) throws Exception {
        work.run();
    }

    @FunctionalInterface
    private interface Attempt {
        void run(String argument) throws Exception;
    }

    @WithLockTimeout(value = "300ms", settings = "retryDeadline=20s retryDelay=50ms")
    private void patient(String argument, Attempt attempt) throws Exception {
        String given = argument;
        argument = "changed";
        attempt.run(given + argument.replace("changed", ""));
    }

    @WithLockTimeout(value = "10s", settings = "retryDeadline=20s retryDelay=50ms")
    @WithPriority(value = LockPolicy.Priority.REPORT, settings = "maxBlockedTime=50ms pollInterval=20ms")
    private void considerate(Readings.Work work) throws Exception {
        work.run();
    }

    // ---- who is in the way ------------------------------------------------------------------------------------------

    private Connection session(String name, String... sql) throws SQLException {
        Connection session = readings.connect("&ApplicationName=" + name);
        session.setAutoCommit(false);
        for (String each : sql) {
            execute(session, each);
        }
        return session;
    }

    private static String isAlive(Connection session) {
        try {
            return value(session, "select 'alive'");
        } catch (SQLException e) {
            return e.getSQLState();
        }
    }

    /** Of a session that goes on by itself. Watched by a thread that is in no method. */
    private CompletableFuture<String> start(Connection session, String sql) throws Exception {
        int pid = session.unwrap(PGConnection.class).getBackendPID();
        CompletableFuture<String> ended = elsewhere(() -> sqlState(() -> execute(session, sql)));
        elsewhere(() -> {
                    try (Connection observer = readings.connect()) {
                        await(
                                observer,
                                "select state = 'active' and query = '" + sql.replace("'", "''")
                                        + "' and (wait_event_type is not null) from pg_stat_activity where pid = "
                                        + pid);
                        return "";
                    }
                })
                .get(30, TimeUnit.SECONDS);
        return ended;
    }

    private static void await(Connection observer, String condition) throws SQLException {
        long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        while (!value(observer, condition).equals("t")) {
            if (System.nanoTime() > until) {
                throw new AssertionError("waited 20 s for " + condition);
            }
        }
    }

    private void terminate() throws Exception {
        try (Connection blocker = session("blocker", "select * from orders");
                Connection elsewhere = session("elsewhere", "select * from parts");
                Connection ahead = readings.connect("&ApplicationName=ahead")) {
            CompletableFuture<String> queued = start(ahead, "alter table orders add column if not exists x int");
            terminating(() -> {
                try (Connection connection = pool.getConnection()) {
                    execute(connection, "alter table orders add column if not exists y int");
                }
            });
            readings.line(
                    "terminate",
                    isAlive(blocker),
                    isAlive(elsewhere),
                    queued.get(20, TimeUnit.SECONDS),
                    isAlive(ahead));
        }
    }

    /** The inner one is run again, too, and says nothing of who is in its way. */
    private void terminateFromInside() throws Exception {
        try (Connection blocker = session("blocker", "select * from orders")) {
            terminating(() -> patient("", argument -> {
                try (Connection connection = pool.getConnection()) {
                    execute(connection, "alter table orders add column if not exists v int");
                }
            }));
            readings.line("terminate from inside", isAlive(blocker));
        }
    }

    private void cancel() throws Exception {
        try (Connection blocker = session("blocker", "select * from orders")) {
            CompletableFuture<String> running = start(blocker, "select pg_sleep(30)");
            cancelling(() -> {
                try (Connection connection = pool.getConnection()) {
                    connection.setAutoCommit(false);
                    execute(connection, "lock table orders");
                    connection.commit();
                }
            });
            String ended = running.get(20, TimeUnit.SECONDS);
            blocker.rollback();
            readings.line("cancel", ended, isAlive(blocker));
        }
    }

    private void report() throws Exception {
        try (Connection blocker = session("blocker", "select * from orders")) {
            String state = sqlState(() -> reporting(() -> {
                try (Connection connection = pool.getConnection()) {
                    execute(connection, "alter table orders add column if not exists z int");
                }
            }));
            readings.line("report", state, isAlive(blocker));
        }
    }

    /** While the method goes on its connection is somebody else's, and who blocks that is none of its business. */
    private void givenAway() throws Exception {
        try (Connection blocker = session("blocker", "select * from orders")) {
            terminating(() -> readings.line("given away", usedElsewhere(use()), isAlive(blocker)));
            terminating(() -> {
                List<String> pid = new ArrayList<>();
                within(() -> pid.add(use()));
                readings.line("given away by an inner method", usedElsewhere(pid.get(0)), isAlive(blocker));
            });
        }
    }

    private String use() throws SQLException {
        try (Connection connection = pool.getConnection()) {
            execute(connection, "select * from parts");
            return value(connection, "select pg_backend_pid()");
        }
    }

    private String usedElsewhere(String pid) throws Exception {
        return elsewhere(() -> {
                    try (Connection connection = pool.getConnection()) {
                        String same = value(connection, "select pg_backend_pid()");
                        execute(connection, "set lock_timeout = '1500ms'");
                        String alter = sqlState(
                                () -> execute(connection, "alter table orders add column if not exists w int"));
                        execute(connection, "reset lock_timeout");
                        return (same.equals(pid) ? "the same " : "another ") + alter;
                    }
                })
                .get(20, TimeUnit.SECONDS);
    }

    /** What the agent's status says of those that were signalled above, method by method and in all. */
    private void signals(MBeanServer server) throws Exception {
        ObjectName agent = new ObjectName("io.pglock:type=Agent");
        List<String> lines = String.valueOf(server.invoke(agent, "status", null, null))
                .lines()
                .filter(line -> line.contains(" signals"))
                .toList();
        List<Boolean> read = new ArrayList<>();
        for (String method : List.of("#terminating(", "#cancelling(", "#reporting(")) {
            read.add(lines.stream().anyMatch(line -> line.startsWith("method ") && line.contains(method)));
        }
        readings.line("signals", read, (long) server.getAttribute(agent, "Signals") > 1);
    }

    // ---- giving up, and trying again --------------------------------------------------------------------------------

    private void triedAgain() throws Exception {
        List<String> read = new ArrayList<>();
        Set<String> pids = new HashSet<>();
        try (Connection blocker = session("blocker", "lock table orders")) {
            patient("as given", argument -> {
                read.add(argument);
                if (read.size() == 3) {
                    blocker.rollback();
                }
                pool.getHikariPoolMXBean().softEvictConnections();
                try (Connection connection = pool.getConnection()) {
                    connection.setAutoCommit(false);
                    pids.add(value(connection, "select pg_backend_pid()"));
                    execute(connection, "insert into parts values (7)");
                    execute(connection, "lock table orders");
                    connection.commit();
                }
            });
        }
        try (Connection connection = pool.getConnection()) {
            readings.line(
                    "tried again",
                    read,
                    pids.size(),
                    "connections,",
                    value(connection, "select count(*) from parts where id = 7"),
                    "row");
        }
    }

    private void notTriedAgain() throws Exception {
        notTriedAgain("not tried again, autocommit", true, connection -> {
            execute(connection, "insert into parts values (8)");
            execute(connection, "select * from orders");
        });
        notTriedAgain("not tried again, committed", false, connection -> {
            execute(connection, "insert into parts values (8)");
            connection.commit();
            execute(connection, "select * from orders");
        });
        notTriedAgain("not tried again, committed and chained", false, connection -> {
            boolean chains = connection.getMetaData().getDatabaseMajorVersion() >= 12;
            execute(connection, "insert into parts values (8)");
            execute(connection, chains ? "commit and chain" : "commit");
            execute(connection, "select * from orders");
        });
        notTriedAgain("not tried again, committed in one text", true, connection -> {
            execute(connection, "begin; insert into parts values (8); commit");
            execute(connection, "select * from orders");
        });
        notTriedAgain("not tried again, committed in a procedure", true, connection -> {
            boolean commits = connection.getMetaData().getDatabaseMajorVersion() >= 11;
            execute(
                    connection,
                    commits
                            ? "do $$ begin insert into parts values (8); commit; perform from orders; end $$"
                            : "insert into parts values (8); commit; select * from orders");
        });
        try (Connection open = pool.getConnection()) {
            open.setAutoCommit(false);
            notTriedAgain(
                    "not tried again, still open",
                    () -> within(() -> {
                        execute(open, "insert into parts values (8)");
                        execute(open, "select * from orders");
                    }));
            open.rollback();
        }
    }

    @FunctionalInterface
    private interface Use {
        void run(Connection connection) throws Exception;
    }

    private void notTriedAgain(String name, boolean autoCommit, Use use) throws Exception {
        notTriedAgain(name, () -> {
            try (Connection connection = pool.getConnection()) {
                connection.setAutoCommit(autoCommit);
                use.run(connection);
            }
        });
    }

    /** A second attempt would not be blocked. */
    private void notTriedAgain(String name, Readings.Work attempt) throws Exception {
        int[] attempts = {0};
        try (Connection blocker = session("blocker", "lock table orders")) {
            String state = sqlState(() -> patient("", argument -> {
                if (attempts[0]++ == 0) {
                    attempt.run();
                } else {
                    blocker.rollback();
                }
            }));
            readings.line(name, state, attempts[0], isAlive(blocker));
        }
    }

    private void deadlock() throws Exception {
        int[] attempts = {0};
        List<CompletableFuture<String>> others = new ArrayList<>();
        try (Connection other = session("other", "set deadlock_timeout = '60s'", "lock table parts")) {
            patient("", argument -> {
                attempts[0]++;
                if (attempts[0] == 2) {
                    others.get(0).get(20, TimeUnit.SECONDS);
                    elsewhere(() -> sqlState(other::rollback)).get(20, TimeUnit.SECONDS);
                }
                try (Connection connection = pool.getConnection()) {
                    connection.setAutoCommit(false);
                    execute(connection, "set local deadlock_timeout = '50ms'");
                    execute(connection, "lock table orders");
                    if (attempts[0] == 1) {
                        others.add(start(other, "lock table orders"));
                    }
                    execute(connection, "lock table parts");
                    connection.commit();
                }
            });
        }
        readings.line("deadlock", attempts[0], "attempts");
    }

    /** Who waits behind the method gets through while the one that it waits for is still in the way. */
    private void givesWay() throws Exception {
        int[] attempts = {0};
        try (Connection blocker = session("blocker", "select * from orders");
                Connection behind = readings.connect("&ApplicationName=behind")) {
            CompletableFuture<String> through = elsewhere(() -> {
                try (Connection observer = readings.connect()) {
                    await(
                            observer,
                            "select count(*) = 1 from pg_stat_activity where application_name = 'pool' and"
                                    + " wait_event_type = 'Lock'");
                }
                String read = sqlState(() -> execute(behind, "select * from orders"));
                blocker.rollback();
                return read;
            });
            considerate(() -> {
                attempts[0]++;
                try (Connection connection = pool.getConnection()) {
                    connection.setAutoCommit(false);
                    execute(connection, "lock table orders");
                    connection.commit();
                }
            });
            readings.line("gives way", through.get(20, TimeUnit.SECONDS), attempts[0] > 1);
        }
    }
}
