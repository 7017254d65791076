// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent;

import static io.pglock.agent.Readings.execute;
import static io.pglock.agent.Readings.value;

import io.pglock.LockPolicy;
import io.pglock.annotation.WithLockTimeout;
import io.pglock.annotation.WithPriority;
import java.sql.Connection;
import java.sql.SQLException;

/** Methods with a timeout, and connections that have a lock_timeout of five seconds of their own to run them on. */
abstract class TransactionScene {

    static final String OWN = "&options=-c%20lock_timeout=5s";

    final Readings readings;

    TransactionScene(Readings readings) {
        this.readings = readings;
    }

    // ---- methods ----------------------------------------------------------------------------------------------------

    @WithLockTimeout("1111ms")
    static void within(Readings.Work work) throws Exception {
        work.run();
    }

    @WithLockTimeout("2222ms")
    static void longer(Readings.Work work) throws Exception {
        work.run();
    }

    @WithLockTimeout(value = "none", statementTimeout = "1333ms")
    static void statements(Readings.Work work) throws Exception {
        work.run();
    }

    @WithLockTimeout("1111ms")
    @WithPriority(LockPolicy.Priority.TERMINATE)
    static void prior(Readings.Work work) throws Exception {
        work.run();
    }

    // ---- connections ------------------------------------------------------------------------------------------------

    @FunctionalInterface
    interface Case {
        void run(Connection connection) throws Exception;
    }

    void on(String name, String options, boolean autoCommit, Case work) {
        readings.reading(name, () -> {
            try (Connection connection = readings.connect(OWN + options)) {
                connection.setAutoCommit(autoCommit);
                work.run(connection);
            }
        });
    }

    void inTransaction(String name, Case work) {
        on(name, "", false, work);
    }

    static void fail(Connection connection) {
        try {
            execute(connection, "select 1 / 0");
        } catch (SQLException e) {
            return;
        }
        throw new AssertionError("divided by zero");
    }
}
