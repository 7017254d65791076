// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent;

import static io.pglock.agent.Readings.execute;
import static io.pglock.agent.Readings.left;
import static io.pglock.agent.Readings.lockTimeout;
import static io.pglock.agent.Readings.value;

import com.zaxxer.hikari.HikariDataSource;
import io.pglock.annotation.WithLockTimeout;
import java.sql.Connection;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** An application whose connections go from hand to hand while its methods run. */
final class Pools {

    private static final String OWN = "&options=-c%20lock_timeout=5s&ApplicationName=pools";

    private static final String IDLE_IN_TRANSACTION = "select count(*) from pg_stat_activity"
            + " where application_name = 'pools' and state like 'idle in transaction%'";

    private final Readings readings;

    private Pools(Readings readings) {
        this.readings = readings;
    }

    public static void main(String... arguments) throws Exception {
        Readings readings = Readings.of(arguments);
        try (Connection connection = readings.connect()) {
            execute(connection, "create table if not exists seen (id int)");
        }
        Pools all = new Pools(readings);
        readings.reading("returned inside", all::returnedInside);
        readings.reading("set inside", all::setInside);
        readings.reading("a pool without autocommit", all::withoutAutocommit);
        readings.reading("several connections", all::several);
        readings.reading("the pool's own", all::thePoolsOwn);
        readings.reading("a name of a pool's", all::aNameOfAPools);
        readings.reading("another thread at work", all::anotherThreadAtWork);
        readings.line("armed", Readings.armed());
    }

    @WithLockTimeout("1111ms")
    private static void within(Readings.Work work) throws Exception {
        work.run();
    }

    private HikariDataSource pool(int size, boolean autoCommit) {
        HikariDataSource pool = new HikariDataSource();
        pool.setJdbcUrl(readings.url(OWN));
        pool.setUsername(readings.user());
        pool.setPassword(readings.password());
        pool.setMaximumPoolSize(size);
        pool.setAutoCommit(autoCommit);
        return pool;
    }

    /** On a thread that is in no scope. */
    private static String elsewhere(HikariDataSource pool) throws Exception {
        return Readings.elsewhere(() -> {
                    try (Connection connection = pool.getConnection()) {
                        return lockTimeout(connection) + " " + value(connection, "select pg_backend_pid()");
                    }
                })
                .get(20, TimeUnit.SECONDS);
    }

    private void returnedInside() throws Exception {
        try (HikariDataSource pool = pool(1, true)) {
            within(() -> {
                String pid;
                String first;
                try (Connection connection = pool.getConnection()) {
                    first = lockTimeout(connection);
                    pid = value(connection, "select pg_backend_pid()");
                }
                String other = elsewhere(pool);
                try (Connection connection = pool.getConnection()) {
                    readings.line(
                            "returned inside",
                            first,
                            other.equals("5s " + pid) ? "5s" : other,
                            lockTimeout(connection));
                }
            });
            try (Connection connection = pool.getConnection()) {
                readings.line("returned inside, after", left(connection));
            }
        }
    }

    /** What the application sets itself is its own in that method, and not in the one that gets the connection next. */
    private void setInside() throws Exception {
        List<Object> read = new ArrayList<>();
        try (HikariDataSource pool = pool(1, true)) {
            within(() -> {
                try (Connection connection = pool.getConnection()) {
                    execute(connection, "set lock_timeout = '4444ms'");
                    within(() -> read.add(lockTimeout(connection)));
                    read.add(lockTimeout(connection));
                }
                read.add(Readings.elsewhere(() -> {
                            List<String> other = new ArrayList<>();
                            within(() -> {
                                try (Connection connection = pool.getConnection()) {
                                    other.add(lockTimeout(connection));
                                }
                            });
                            return other.get(0);
                        })
                        .get(20, TimeUnit.SECONDS));
            });
            try (Connection connection = pool.getConnection()) {
                read.add(left(connection));
            }
        }
        readings.line("set inside", read.toArray());
    }

    private void withoutAutocommit() throws Exception {
        try (HikariDataSource pool = pool(2, false);
                Connection observer = readings.connect()) {
            within(() -> {
                try (Connection connection = pool.getConnection()) {
                    execute(connection, "insert into seen values (1)");
                    connection.commit();
                }
            });
            String returned = value(observer, IDLE_IN_TRANSACTION);
            Connection kept = pool.getConnection();
            within(() -> {
                try (Connection connection = pool.getConnection()) {
                    lockTimeout(connection);
                }
                execute(kept, "insert into seen values (1)");
                kept.commit();
            });
            String ended = value(observer, IDLE_IN_TRANSACTION);
            within(() -> execute(kept, "insert into seen values (1)"));
            kept.close();
            String rolledBack = value(observer, IDLE_IN_TRANSACTION);
            try (Connection connection = pool.getConnection()) {
                readings.line("a pool without autocommit", returned, ended, rolledBack, left(connection));
            }
        }
    }

    private void several() throws Exception {
        List<Object> read = new ArrayList<>();
        try (HikariDataSource one = pool(2, true);
                HikariDataSource other = pool(2, false)) {
            within(() -> {
                try (Connection a = one.getConnection();
                        Connection b = other.getConnection();
                        Connection c = one.getConnection()) {
                    read.add(lockTimeout(a));
                    read.add(lockTimeout(b));
                    read.add(lockTimeout(c));
                }
            });
            try (Connection a = one.getConnection();
                    Connection b = other.getConnection();
                    Connection c = one.getConnection()) {
                read.add(left(a));
                read.add(left(b));
                read.add(left(c));
            }
        }
        readings.line("several connections", read.toArray());
    }

    /** HikariCP sends it in the borrower's thread for its first connection. */
    private void thePoolsOwn() throws Exception {
        List<Object> read = new ArrayList<>();
        for (boolean autoCommit : new boolean[] {false, true}) {
            try (HikariDataSource pool = new HikariDataSource()) {
                pool.setJdbcUrl(readings.url(""));
                pool.setUsername(readings.user());
                pool.setPassword(readings.password());
                pool.setMaximumPoolSize(1);
                pool.setConnectionInitSql("set lock_timeout = '5s'");
                within(() -> {
                    try (Connection connection = pool.getConnection()) {
                        connection.setAutoCommit(autoCommit);
                        read.add(lockTimeout(connection));
                        execute(connection, "set lock_timeout = '4444ms'");
                        read.add(lockTimeout(connection));
                        if (!autoCommit) {
                            connection.rollback();
                        }
                    }
                });
                try (Connection connection = pool.getConnection()) {
                    read.add(left(connection));
                }
            }
        }
        readings.line("the pool's own", read.toArray());
    }

    /** A method of the application's that is no pool's: what it sets is the application's own. */
    private void aNameOfAPools() throws Exception {
        try (Connection connection = readings.connect(OWN)) {
            within(() -> readings.line("a name of a pool's", lockTimeout(getConnection(connection))));
        }
    }

    private static Connection getConnection(Connection connection) throws Exception {
        execute(connection, "set lock_timeout = '4444ms'");
        return connection;
    }

    /** One that shares its connection, as nobody should: the end of a method does not wait for it. */
    private void anotherThreadAtWork() throws Exception {
        try (Connection connection = readings.connect(OWN);
                Connection observer = readings.connect()) {
            List<CompletableFuture<String>> other = new ArrayList<>();
            within(() -> {
                String pid = value(connection, "select pg_backend_pid()");
                other.add(Readings.elsewhere(() -> {
                    within(() -> execute(connection, "select pg_sleep(1.5)"));
                    return "";
                }));
                long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
                while (!value(
                                observer,
                                "select count(*) from pg_stat_activity where state = 'active' and query like '%sleep%'"
                                        + " and pid = " + pid)
                        .equals("1")) {
                    if (System.nanoTime() > until) {
                        throw new AssertionError("waited 20 s for the other thread's statement");
                    }
                }
            });
            boolean stillAtWork = !other.get(0).isDone();
            other.get(0).get(20, TimeUnit.SECONDS);
            readings.line("another thread at work", stillAtWork, left(connection));
        }
    }
}
