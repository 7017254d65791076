// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent;

import static io.pglock.agent.Readings.execute;
import static io.pglock.agent.Readings.value;

import com.zaxxer.hikari.HikariDataSource;
import io.pglock.LockLostException;
import io.pglock.LockPolicy;
import io.pglock.annotation.OnTimeout;
import io.pglock.annotation.WithAdvisoryLock;
import io.pglock.annotation.WithLockTimeout;
import io.pglock.annotation.WithPriority;
import io.pglock.testkit.TcpProxy;
import java.net.URI;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.sql.Savepoint;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.Stream;

/**
 * An application in which everything happens at once: methods inside of methods, with and without transactions, that fail, go
 * back to savepoints, give their connection away before they end, are skipped, and whose sessions are killed, those of their
 * locks too; pools that renew their connections. Arguments: the database, for how many milliseconds, and whether it is "with"
 * the agent or "without"; with a number after that, until so many guarded calls were made, and with {@link StressTrouble}.
 */
final class Stress {

    private static final String NAME = "stress";
    private static final String OWN = "5s";
    private static final String MORE = "&options=-c%20lock_timeout=" + OWN + "&ApplicationName=" + NAME;
    private static final int THREADS = 12;

    /** The sessions that have the methods' locks: what is lost is told, and taken again by the next. */
    private static final String KILL_LOCKS = "select count(pg_terminate_backend(pid)) from"
            + " (select distinct pid from pg_locks where locktype = 'advisory' and database ="
            + " (select oid from pg_database where datname = current_database())) as of_locks";

    private final Readings readings;
    private final HikariDataSource[] pools = new HikariDataSource[2];
    private final LongAdder calls = new LongAdder();
    private final LongAdder hits = new LongAdder();
    private final LongAdder checks = new LongAdder();
    private final LongAdder wrong = new LongAdder();
    private final LongAdder errors = new LongAdder();
    private final LongAdder kills = new LongAdder();
    private final LongAdder lost = new LongAdder();
    private final LongAdder renewals = new LongAdder();
    private final LongAdder runsAlone = new LongAdder();
    private final LongAdder overtaken = new LongAdder();
    private final LongAdder notAlone = new LongAdder();
    private final LongAdder lockKills = new LongAdder();
    private final AtomicReference<Alone> alone = new AtomicReference<>();

    private Stress(Readings readings) {
        this.readings = readings;
        for (int i = 0; i < pools.length; i++) {
            HikariDataSource pool = new HikariDataSource();
            pool.setJdbcUrl(readings.url(MORE));
            pool.setUsername(readings.user());
            pool.setPassword(readings.password());
            pool.setMaximumPoolSize(3);
            pool.setMaxLifetime(30_000); // the least that the pool takes
            pool.setAutoCommit(i == 0);
            pools[i] = pool;
        }
    }

    public static void main(String... arguments) throws Exception {
        Readings direct = Readings.of(arguments);
        Duration howLong = Duration.ofMillis(Long.parseLong(arguments[3]));
        if (arguments.length == 5) {
            run(direct, howLong, arguments[4], Optional.empty(), 0);
            return;
        }
        URI server = URI.create(direct.url().substring("jdbc:".length()));
        try (TcpProxy network = TcpProxy.to(server.getHost(), server.getPort())) {
            String through = direct.url().replace(server.getAuthority(), "localhost:" + network.port());
            Readings readings = new Readings(through, direct.user(), direct.password());
            run(readings, howLong, arguments[4], Optional.of(network), Long.parseLong(arguments[5]));
        }
    }

    private static void run(Readings readings, Duration howLong, String agent, Optional<TcpProxy> network, long atLeast)
            throws Exception {
        // as the pools do: so there is one database, and it is known where to lock before a method has used any
        readings.connect(MORE).close();
        Stress stress = new Stress(readings);
        stress.run(System.nanoTime() + howLong.toNanos(), atLeast, network);
        try (Connection observer = readings.connect(MORE)) {
            execute(observer, "set application_name = 'observer'");
            readings.line(
                    "idle in transaction",
                    value(
                            observer,
                            "select count(*) from pg_stat_activity where application_name = '" + NAME
                                    + "' and state like 'idle in transaction%'"));
            stress.leftInThePools(); // what is left to be put back is put back with the next statement
            readings.line("armed", agent.equals("with") ? Readings.armed() : "nothing");
            readings.line("wrong in the pools", stress.leftInThePools());
            for (HikariDataSource pool : stress.pools) {
                pool.close();
            }
            Leftovers.print(
                    readings,
                    observer,
                    NAME,
                    () -> stress.within(() -> {
                        try (Connection connection = readings.connect()) {
                            execute(connection, "select count(*) from pg_class");
                        }
                    }));
            readings.line("guarded calls", stress.calls);
            readings.line("hit from outside", stress.hits);
            readings.line("checks", stress.checks);
            readings.line("kills", stress.kills);
            readings.line("locks lost", stress.lost);
            readings.line("renewals", stress.renewals);
            readings.line("kills of locks", stress.lockKills);
            readings.line("runs alone", stress.runsAlone);
            readings.line("told that they were not alone", stress.overtaken);
            readings.line("not alone", stress.notAlone);
            readings.line("wrong", stress.wrong);
            readings.line("errors", stress.errors);
        }
    }

    private void run(long until, long atLeast, Optional<TcpProxy> network) throws InterruptedException {
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < THREADS; i++) {
            Random random = new Random(i);
            Thread thread = new Thread(
                    () -> {
                        while (System.nanoTime() < until || calls.sum() < atLeast) {
                            attempt(() -> step(random, OWN, 0), network.isPresent());
                        }
                    },
                    "worker-" + i);
            thread.start();
            threads.add(thread);
        }
        Optional<StressTrouble> trouble = network.map(through -> new StressTrouble(readings, MORE, through, threads));
        Thread troubling = new Thread(() -> trouble.ifPresent(StressTrouble::run), "trouble");
        troubling.start();
        for (Thread thread : threads) {
            thread.join();
        }
        trouble.ifPresent(StressTrouble::end);
        troubling.join();
        trouble.ifPresent(StressTrouble::print);
    }

    private void attempt(Readings.Work work, boolean troubled) {
        try {
            work.run();
        } catch (KilledException | SQLTransientConnectionException e) {
            // as it happens
        } catch (LockLostException e) {
            lost.increment();
        } catch (Exception e) {
            if (troubled && StressTrouble.isItsDoing(e)) {
                hits.increment();
                return;
            }
            if (errors.sum() < 3) {
                e.printStackTrace(System.out);
            }
            errors.increment();
        } finally {
            if (troubled && Thread.interrupted()) {
                hits.increment();
            }
        }
    }

    /** Who is in the method that nobody else is in, unless its lock's session was killed. */
    private static final class Alone {
        private final Thread thread = Thread.currentThread();
        private volatile boolean overtaken;
    }

    private static final class KilledException extends Exception {
        private static final long serialVersionUID = 1;
    }

    private static final class FailedException extends RuntimeException {
        private static final long serialVersionUID = 1;
    }

    // ---- methods ----------------------------------------------------------------------------------------------------

    @WithLockTimeout("1111ms")
    private void within(Readings.Work work) throws Exception {
        work.run();
    }

    @WithLockTimeout("2222ms")
    private void longer(Readings.Work work) throws Exception {
        work.run();
    }

    @WithLockTimeout("3333ms")
    @WithAdvisoryLock(value = NAME, shared = true)
    private void locked(Readings.Work work) throws Exception {
        work.run();
    }

    @WithAdvisoryLock(value = NAME + " alone", timeout = "0s", onTimeout = OnTimeout.SKIP)
    private void orSkipped(Alone now, Readings.Work work) throws Exception {
        Alone other = alone.getAndSet(now);
        boolean own = other != null && other.thread == now.thread;
        if (other != null && !own) {
            other.overtaken = true;
        }
        try {
            work.run();
        } finally {
            alone.compareAndSet(now, own ? other : null);
        }
        runsAlone.increment();
    }

    /** Whoever is not alone in there has lost the lock, and is told so in the end. */
    private void alone(Readings.Work work) throws Exception {
        Alone now = new Alone();
        boolean told = false;
        try {
            orSkipped(now, work);
        } catch (Exception e) {
            told = Stream.concat(Stream.of(e), Stream.of(e.getSuppressed()))
                    .anyMatch(LockLostException.class::isInstance);
            throw e;
        } finally {
            if (now.overtaken) {
                (told ? overtaken : notAlone).increment();
            }
        }
    }

    @WithPriority(LockPolicy.Priority.REPORT)
    private void watched(Readings.Work work) throws Exception {
        work.run();
    }

    private void scoped(Random random, String outer, Scoped work) throws Exception {
        try {
            int kind = random.nextInt(40);
            if (kind < 25) {
                calls.increment();
            }
            switch (kind) {
                case 0 -> locked(() -> work.run("3333ms"));
                case 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 -> within(() -> work.run("1111ms"));
                case 13, 14, 15, 16, 17, 18, 19 -> longer(() -> work.run("2222ms"));
                case 20, 21, 22, 23 -> watched(() -> work.run(outer));
                case 24 -> alone(() -> work.run(outer));
                default -> work.run(outer);
            }
        } catch (FailedException e) {
            // the application's own
        }
    }

    @FunctionalInterface
    private interface Scoped {
        void run(String expected) throws Exception;
    }

    // ---- what they do -----------------------------------------------------------------------------------------------

    /** The connection comes before the method, or inside it; it goes before its end, or after. */
    private void step(Random random, String outer, int depth) throws Exception {
        if (random.nextBoolean()) {
            scoped(random, outer, expected -> {
                borrowed(random, expected, depth);
                if (random.nextInt(4) == 0) {
                    borrowed(random, expected, depth);
                }
                if (random.nextInt(20) == 0) {
                    throw new FailedException();
                }
            });
        } else {
            borrowed(random, outer, depth);
        }
    }

    private void borrowed(Random random, String expected, int depth) throws Exception {
        try (Connection connection = pools[random.nextInt(2)].getConnection()) {
            boolean autoCommit = random.nextBoolean();
            connection.setAutoCommit(autoCommit);
            int steps = 1 + random.nextInt(5);
            for (int i = 0; i < steps; i++) {
                if (random.nextInt(3) == 0) {
                    scoped(random, expected, inner -> statement(random, connection, inner));
                } else {
                    statement(random, connection, expected);
                }
            }
            if (random.nextInt(200) == 0) {
                execute(connection, "select pg_sleep(0.08)"); // so long that a watch looks at it
            }
            if (autoCommit && random.nextInt(1000) == 0) {
                lockKills.increment();
                execute(connection, KILL_LOCKS);
            }
            if (depth == 0 && random.nextInt(200) == 0) {
                kill(connection);
            }
            if (!autoCommit && random.nextInt(3) > 0) {
                end(random, connection);
                check(connection, expected);
                end(random, connection);
            }
        }
        if (random.nextInt(2000) == 0) {
            pools[random.nextInt(2)].getHikariPoolMXBean().softEvictConnections();
            renewals.increment();
        }
        if (depth < 2 && random.nextInt(5) == 0) {
            step(random, expected, depth + 1);
        }
    }

    private static void end(Random random, Connection connection) throws SQLException {
        if (random.nextBoolean()) {
            connection.commit();
        } else {
            connection.rollback();
        }
    }

    private void statement(Random random, Connection connection, String expected) throws Exception {
        check(connection, expected);
        if (connection.getAutoCommit()) {
            if (random.nextInt(10) == 0) {
                fail(connection);
            }
            return;
        }
        switch (random.nextInt(8)) {
            case 0 -> end(random, connection);
            case 1 -> {
                Savepoint savepoint = connection.setSavepoint();
                if (random.nextBoolean()) {
                    scoped(random, expected, inner -> check(connection, inner));
                }
                if (random.nextBoolean()) {
                    scoped(random, expected, inner -> {
                        check(connection, inner);
                        fail(connection);
                    });
                }
                connection.rollback(savepoint);
                check(connection, expected);
            }
            case 2 -> {
                fail(connection);
                connection.rollback();
            }
            default -> {}
        }
    }

    private void check(Connection connection, String expected) throws SQLException {
        checks.increment();
        String found = value(connection, "select current_setting('lock_timeout')");
        if (!found.equals(expected)) {
            wrong.increment();
        }
    }

    private static void fail(Connection connection) {
        try {
            execute(connection, "select 1 / 0");
        } catch (SQLException e) {
            return;
        }
        throw new AssertionError("divided by zero");
    }

    private void kill(Connection connection) throws KilledException {
        kills.increment();
        try {
            execute(connection, "select pg_terminate_backend(pg_backend_pid())");
            execute(connection, "select count(*) from pg_class");
        } catch (SQLException e) {
            throw new KilledException();
        }
        throw new AssertionError("alive");
    }

    // ---- what is left -----------------------------------------------------------------------------------------------

    /** What the server says about every connection of every pool, past an agent that has nothing left to do. */
    private long leftInThePools() throws SQLException {
        long found = 0;
        List<Connection> all = new ArrayList<>();
        for (HikariDataSource pool : pools) {
            for (int i = 0; i < 3; i++) {
                all.add(pool.getConnection());
            }
        }
        for (Connection connection : all) {
            found += isAsItWas(connection) ? 0 : 1;
            connection.close();
        }
        return found;
    }

    /** A session that was ended just now, while its connection was in the pool, has nothing left either. */
    private static boolean isAsItWas(Connection connection) throws SQLException {
        try {
            return value(connection, "select current_setting('lock_timeout')").equals(OWN);
        } catch (SQLException e) {
            if (!connection.isValid(1)) {
                return true;
            }
            throw e;
        }
    }
}
