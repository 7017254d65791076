// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent;

import static io.pglock.agent.Readings.execute;
import static io.pglock.agent.Readings.sqlState;
import static io.pglock.agent.Readings.value;

import com.acme.weaving.Inside;
import io.pglock.LockNotSupportedException;
import io.pglock.LockPolicy;
import io.pglock.annotation.WithAdvisoryLock;
import io.pglock.annotation.WithLockTimeout;
import io.pglock.annotation.WithPriority;
import io.pglock.annotation.WithTableLock;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.logging.Level;
import java.util.logging.Logger;

/** An application that uses another database beside PostgreSQL, through the same driver. */
final class OtherDatabase {

    private static final String SETTING = "select current_setting('lock_timeout')";

    private static final String LOCKS =
            "select count(*) from pg_locks where locktype = 'advisory' and mode = 'ExclusiveLock' and granted and objsubid = 1";

    /** The driver is surprised at what it is told, each time. */
    private static final Logger DRIVER = Logger.getLogger("org.postgresql");

    private final Readings readings;
    private final String other;

    private OtherDatabase(Readings readings, String other) {
        this.readings = readings;
        this.other = other;
    }

    public static void main(String... arguments) throws Exception {
        DRIVER.setLevel(Level.OFF);
        Readings readings = Readings.of(arguments);
        OtherDatabase all = new OtherDatabase(readings, arguments[3]);
        readings.reading("advisory", all::advisoryBeforeAnyOther);
        try (Connection connection = readings.connect()) {
            execute(connection, "create table if not exists orders (id int)");
        }
        readings.reading("left alone", all::leftAlone);
        readings.reading("table", () -> all.refused("table", all::table));
        readings.reading("key", () -> all.refused("key", all::key));
        readings.reading("advisory", () -> all.refused("advisory, presumed elsewhere", all::advisory));
        readings.reading("advisory", all::advisoryThatIsSettled);
        readings.reading("monitored", all::monitored);
        readings.reading("tried again", all::triedAgain);
        readings.line("armed", Readings.armed());
    }

    // ---- its methods ------------------------------------------------------------------------------------------------

    @WithLockTimeout(value = "1111ms", statementTimeout = "9s")
    @WithPriority(LockPolicy.Priority.TERMINATE)
    private void within(Readings.Work work) throws Exception {
        work.run();
    }

    @WithTableLock("orders")
    private void table(Readings.Work work) throws Exception {
        work.run();
    }

    @WithAdvisoryLock(value = "nightly", xact = true)
    private void key(Readings.Work work) throws Exception {
        work.run();
    }

    @WithAdvisoryLock("nightly")
    private void advisory(Readings.Work work) throws Exception {
        work.run();
    }

    @WithLockTimeout(value = "300ms", settings = "retryDeadline=20s retryDelay=50ms")
    private void patient(Readings.Work work) throws Exception {
        work.run();
    }

    // ---- what it does -----------------------------------------------------------------------------------------------

    private Connection other() throws SQLException {
        return DriverManager.getConnection(other, readings.user(), readings.password());
    }

    private void leftAlone() throws Exception {
        try (Connection one = other();
                Connection postgres = readings.connect()) {
            within(() -> {
                String alone = value(one, SETTING);
                one.setAutoCommit(false);
                String inTransaction = value(one, SETTING);
                one.commit();
                readings.line("left alone", alone, inTransaction, value(postgres, SETTING));
            });
            within(() -> {
                execute(one, "set lock_timeout = '4444ms'");
                one.commit();
            });
            readings.line("left alone, after", value(one, SETTING), value(postgres, SETTING));
        }
    }

    @FunctionalInterface
    private interface Method {
        void run(Readings.Work work) throws Exception;
    }

    private void refused(String name, Method method) throws Exception {
        try (Connection connection = other()) {
            connection.setAutoCommit(false);
            try {
                method.run(() -> readings.line(name, "runs", value(connection, "select count(*) from pg_class")));
            } catch (LockNotSupportedException e) {
                readings.line(name, e.getMessage().replace(other, "..."));
            }
            readings.line(name + ", after", value(connection, LOCKS));
        }
    }

    /** What has been opened leads nowhere where a lock could be. */
    private void advisoryBeforeAnyOther() throws Exception {
        other().close();
        refused("advisory", this::advisory);
    }

    private void advisoryThatIsSettled() throws Exception {
        advisory(() -> {
            try (Connection postgres = readings.connect();
                    Connection one = other()) {
                readings.line("advisory, settled", value(postgres, LOCKS), value(one, SETTING));
            }
        });
    }

    /** A method whose lock is where its configuration says. */
    private void monitored() throws Exception {
        try (Connection one = other()) {
            readings.line("monitored", Inside.handed(one));
        }
    }

    /** Unless something that it did on the other one lasts. */
    private void triedAgain() throws Exception {
        readings.line("tried again", attempts(false));
        readings.line("not tried again", attempts(true));
    }

    private String attempts(boolean autoCommit) throws Exception {
        int[] attempts = {0};
        try (Connection blocker = readings.connect()) {
            blocker.setAutoCommit(false);
            execute(blocker, "lock table orders");
            String state = sqlState(() -> patient(() -> {
                if (++attempts[0] == 2) {
                    blocker.rollback();
                }
                try (Connection one = other();
                        Connection postgres = readings.connect()) {
                    one.setAutoCommit(autoCommit);
                    value(one, "select count(*) from pg_class");
                    execute(postgres, "alter table orders add column if not exists x int");
                }
            }));
            return state + " " + attempts[0];
        }
    }
}
