// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent;

import static io.pglock.agent.Readings.elsewhere;
import static io.pglock.agent.Readings.execute;
import static io.pglock.agent.Readings.value;

import io.pglock.LockKey;
import io.pglock.LockMode;
import io.pglock.annotation.OnTimeout;
import io.pglock.annotation.WithAdvisoryLock;
import io.pglock.annotation.WithLockTimeout;
import io.pglock.annotation.WithTableLock;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.postgresql.PGConnection;

/** An application whose methods lock tables, and keys for a transaction, in each of their transactions. */
final class Locks {

    private static final String HELD = "select coalesce(string_agg(mode, ' ' order by mode desc), 'none') from pg_locks"
            + " where granted and (relation = 'orders'::regclass or locktype = 'advisory') and pid = ";

    private static final String HOLD_KEY =
            "select pg_advisory_xact_lock(" + LockKey.named("of-a-transaction").number() + ")";

    private final Readings readings;

    private Locks(Readings readings) {
        this.readings = readings;
    }

    public static void main(String... arguments) throws Exception {
        Readings readings = Readings.of(arguments);
        try (Connection connection = readings.connect()) {
            execute(connection, "create table if not exists orders (id int)");
        }
        Locks all = new Locks(readings);
        readings.reading("each transaction", all::eachTransaction);
        readings.reading("already open", all::alreadyOpen);
        readings.reading("back to before", all::backToBefore);
        readings.reading("autocommit", all::autocommit);
        readings.reading("not to be had", all::notToBeHad);
        readings.reading("in the end", all::inTheEnd);
        readings.reading("nested", all::nested);
        readings.reading("beside", all::beside);
        readings.reading("beside, back to a savepoint", all::besideOneThatWentBack);
        readings.reading("beside, of a nested method", all::besideTheOuterOne);
        readings.reading("beside, another database", all::besideOnAnotherDatabase);
        readings.line("armed", Readings.armed());
    }

    @FunctionalInterface
    private interface Body {
        String run() throws Exception;
    }

    @WithTableLock(value = "orders", mode = LockMode.SHARE_ROW_EXCLUSIVE)
    private static String table(Body body) throws Exception {
        return body.run();
    }

    @WithTableLock(value = "orders", mode = LockMode.SHARE)
    private static String shared(Body body) throws Exception {
        return body.run();
    }

    @WithAdvisoryLock(value = "of-a-transaction", xact = true)
    private static String key(Body body) throws Exception {
        return body.run();
    }

    @WithTableLock(value = "orders", timeout = "nowait")
    private static String atOnce(Body body) throws Exception {
        return body.run();
    }

    @WithTableLock(value = "orders", timeout = "300ms")
    private static String soon(Body body) throws Exception {
        return body.run();
    }

    @WithTableLock(value = "orders", timeout = "nowait", onTimeout = OnTimeout.SKIP, skipValue = "skipped")
    private static String orSkipped(Body body) throws Exception {
        return body.run();
    }

    @WithLockTimeout("300ms")
    @WithAdvisoryLock(value = "of-a-transaction", xact = true, timeout = "200ms")
    private static String keySoon(Body body) throws Exception {
        return body.run();
    }

    @WithLockTimeout(value = "200ms", settings = "retryDeadline=20s retryDelay=50ms")
    @WithTableLock("orders")
    private static String patient(Body body) throws Exception {
        return body.run();
    }

    @WithLockTimeout(value = "200ms", settings = "retryDeadline=20s retryDelay=50ms")
    @WithAdvisoryLock(value = "of-a-transaction", xact = true)
    private static String keyPatient(Body body) throws Exception {
        return body.run();
    }

    @WithLockTimeout(value = "200ms", settings = "retryDeadline=20s retryDelay=50ms")
    @WithTableLock(value = "orders", onTimeout = OnTimeout.SKIP, skipValue = "skipped")
    private static String patientOrSkipped(Body body) throws Exception {
        return body.run();
    }

    private Connection connection() throws SQLException {
        Connection connection = readings.connect();
        connection.setAutoCommit(false);
        return connection;
    }

    private static String held(Connection observer, Connection connection) throws Exception {
        return held(observer, Integer.parseInt(value(connection, "select pg_backend_pid()")));
    }

    /** As seen by a thread that is in no method: in one, the observer would have to lock, too. */
    private static String held(Connection observer, int pid) throws Exception {
        return elsewhere(() -> value(observer, HELD + pid)).get(20, TimeUnit.SECONDS);
    }

    private void eachTransaction() throws Exception {
        try (Connection connection = connection();
                Connection observer = readings.connect()) {
            List<String> read = new ArrayList<>();
            table(() -> {
                connection.setReadOnly(false);
                read.add(held(observer, connection));
                connection.commit();
                read.add(held(observer, connection.unwrap(PGConnection.class).getBackendPID()));
                read.add(held(observer, connection));
                connection.rollback();
                return "";
            });
            read.add(held(observer, connection));
            connection.rollback();
            readings.line("each transaction", read);
            read.clear();
            key(() -> {
                read.add(held(observer, connection));
                connection.commit();
                read.add(held(observer, connection));
                connection.rollback();
                return "";
            });
            readings.line("each transaction, a key", read);
        }
    }

    private void alreadyOpen() throws Exception {
        try (Connection connection = connection();
                Connection observer = readings.connect()) {
            execute(connection, "select 'open' from pg_class");
            readings.line("already open", table(() -> held(observer, connection)), held(observer, connection));
            connection.rollback();
        }
    }

    /** A rollback undoes the lock, also where a transaction goes on. */
    private void backToBefore() throws Exception {
        try (Connection connection = connection();
                Connection observer = readings.connect()) {
            boolean chains = connection.getMetaData().getDatabaseMajorVersion() >= 12;
            for (String back : List.of("rollback to savepoint before", chains ? "rollback and chain" : "rollback")) {
                execute(connection, "savepoint before");
                List<String> read = new ArrayList<>();
                table(() -> key(() -> {
                    read.add(held(observer, connection));
                    execute(connection, back);
                    read.add(held(observer, connection));
                    return "";
                }));
                connection.rollback();
                readings.line("back to before", read);
            }
        }
    }

    private void autocommit() throws Exception {
        try (Connection connection = readings.connect()) {
            try {
                table(() -> value(connection, "select count(*) from orders"));
            } catch (RuntimeException e) {
                readings.line("autocommit", e.getClass().getName(), e.getMessage());
            }
            try {
                orSkipped(() -> value(connection, "select count(*) from orders"));
            } catch (RuntimeException e) {
                readings.line("autocommit, not skipped", e.getClass().getName());
            }
            readings.line("autocommit, next", value(connection, "select count(*) from orders"));
        }
    }

    private String outcome(Body body) throws Exception {
        long begun = System.nanoTime();
        try {
            return body.run();
        } catch (io.pglock.LockTimeoutException e) {
            return "LockTimeoutException, caused by "
                    + (e.getCause() instanceof SQLException cause ? cause.getSQLState() : e.getCause())
                    + ((System.nanoTime() - begun) / 1_000_000 < 4_000 ? "" : " late");
        }
    }

    private void notToBeHad() throws Exception {
        try (Connection connection = connection();
                Connection other = connection()) {
            execute(other, "lock table orders in access share mode");
            boolean[] ran = {false};
            Body body = () -> {
                value(connection, "select count(*) from orders");
                ran[0] = true;
                return "ran";
            };
            List<String> read = new ArrayList<>();
            for (Body each : List.<Body>of(() -> atOnce(body), () -> soon(body), () -> orSkipped(body))) {
                read.add(outcome(each));
                connection.rollback();
            }
            other.rollback();
            execute(other, HOLD_KEY);
            read.add(outcome(() -> keySoon(body)));
            connection.rollback();
            other.rollback();
            readings.line("not to be had", read, ran[0]);
            readings.line("to be had", outcome(() -> orSkipped(body)), outcome(() -> keySoon(body)));
            connection.rollback();
        }
    }

    /** Its own lock is the first that it waits for. */
    private void inTheEnd() throws Exception {
        try (Connection connection = connection();
                Connection other = connection()) {
            readings.line("in the end", untilLeft(other, connection, Locks::patient));
            readings.line("in the end, a key", untilLeft(other, connection, Locks::keyPatient));
            readings.line("in the end, skipped", untilLeft(other, connection, Locks::patientOrSkipped));
        }
    }

    @FunctionalInterface
    private interface Method {
        String run(Body body) throws Exception;
    }

    /** The other one has both locks until a second attempt begins. */
    private String untilLeft(Connection other, Connection connection, Method method) throws Exception {
        execute(other, "lock table orders");
        execute(other, HOLD_KEY);
        int[] attempts = {0};
        String outcome = outcome(() -> method.run(() -> {
            if (++attempts[0] == 2) {
                other.rollback();
            }
            try {
                return value(connection, "select 'ran' from pg_class limit 1");
            } finally {
                connection.rollback();
            }
        }));
        other.rollback();
        return outcome + " " + attempts[0];
    }

    private void nested() throws Exception {
        try (Connection connection = connection();
                Connection observer = readings.connect()) {
            readings.line("nested", table(() -> key(() -> held(observer, connection))));
            connection.rollback();
        }
    }

    /** A second transaction, as one that requires a new one begins it: nobody sees a thread that waits for itself. */
    private void beside() throws Exception {
        for (Method method : List.<Method>of(Locks::table, Locks::key)) {
            try (Connection first = connection();
                    Connection second = connection();
                    Connection observer = readings.connect()) {
                List<String> read = new ArrayList<>();
                method.run(() -> {
                    read.add(held(observer, first));
                    read.add(held(observer, second));
                    first.commit();
                    read.add(held(observer, second));
                    read.add(held(observer, first));
                    second.rollback();
                    read.add(held(observer, first));
                    first.close();
                    read.add(held(observer, second));
                    second.rollback();
                    return "";
                });
                readings.line("beside", read);
            }
        }
    }

    /** It may still have the lock, and takes it again when it goes on. */
    private void besideOneThatWentBack() throws Exception {
        try (Connection first = connection();
                Connection second = connection();
                Connection observer = readings.connect()) {
            List<String> read = new ArrayList<>();
            table(() -> {
                read.add(held(observer, first));
                execute(first, "savepoint inside");
                execute(first, "rollback to savepoint inside");
                read.add(held(observer, second));
                read.add(held(observer, first));
                return "";
            });
            first.rollback();
            second.rollback();
            readings.line("beside, back to a savepoint", read);
        }
    }

    private void besideTheOuterOne() throws Exception {
        try (Connection first = connection();
                Connection second = connection();
                Connection observer = readings.connect()) {
            List<String> read = new ArrayList<>();
            table(() -> {
                read.add(held(observer, first));
                read.add(table(() -> held(observer, second)));
                read.add(shared(() -> held(observer, second)));
                read.add(key(() -> held(observer, second)));
                return "";
            });
            first.rollback();
            second.rollback();
            readings.line("beside, of a nested method", read);
        }
    }

    /** Whose locks are no others' affair. */
    private void besideOnAnotherDatabase() throws Exception {
        Readings elsewhere = new Readings(
                readings.url().replaceFirst("/[^/?]+(?=$|\\?)", "/postgres"), readings.user(), readings.password());
        try (Connection first = connection();
                Connection second = elsewhere.connect();
                Connection observer = readings.connect()) {
            second.setAutoCommit(false);
            List<String> read = new ArrayList<>();
            key(() -> {
                read.add(held(observer, first));
                read.add(held(observer, second));
                return "";
            });
            first.rollback();
            second.rollback();
            readings.line("beside, another database", read);
        }
    }
}
