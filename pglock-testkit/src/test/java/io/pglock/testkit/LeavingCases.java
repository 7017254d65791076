// SPDX-License-Identifier: Apache-2.0
package io.pglock.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;

/** Tests that leave something behind: {@link PostgresTestTest} runs them and looks at how they fail. */
@PostgresTest
class LeavingCases {
    static final CountDownLatch LATCH = new CountDownLatch(1);

    @Test
    void nothing(Connection connection, Scenario scenario, DataSource dataSource) throws SQLException {
        Rows.execute(connection, "set lock_timeout = '3s'");
        Rows.execute(connection, "reset lock_timeout");
        scenario.session("web").execute("set lock_timeout = '3s'", "begin", "select pg_advisory_lock(1)");
        scenario.session("queued").start("select pg_advisory_lock(1)");
        scenario.awaitBlocked(scenario.session("queued"));
        try (Connection own = dataSource.getConnection()) {
            Rows.execute(own, "set lock_timeout = '3s'");
        }
    }

    @Test
    void aSession(Database database) {
        database.connect("forgotten");
    }

    @Test
    void anAdvisoryLock(Connection connection) throws SQLException {
        Rows.execute(connection, "select pg_advisory_lock_shared(7, 8)");
    }

    @Test
    void aPreparedTransaction(Connection connection) throws SQLException {
        Rows.execute(connection, "begin");
        Rows.execute(connection, "create table left_behind ()");
        Rows.execute(connection, "prepare transaction 'it''s left'");
    }

    @Test
    void aSetting(Connection connection) throws SQLException {
        Rows.execute(connection, "set lock_timeout = '3s'");
    }

    @Test
    void severalSettings(Connection connection) throws SQLException {
        connection.setTransactionIsolation(Connection.TRANSACTION_SERIALIZABLE);
        connection.setAutoCommit(false);
        connection.setSchema("pg_catalog");
        Rows.execute(connection, "set application_name = 'changed'");
        Rows.execute(connection, "set statement_timeout = '4s'");
        connection.commit();
    }

    @Test
    void aTransaction(Connection connection) throws SQLException {
        connection.setAutoCommit(false);
        Rows.execute(connection, "select 1");
    }

    @Test
    void aFailedTransaction(Connection connection) throws SQLException {
        Rows.execute(connection, "begin");
        try {
            Rows.execute(connection, "select * from missing");
        } catch (SQLException e) {
            assertThat(e.getSQLState()).isEqualTo("42P01");
        }
    }

    @Test
    void aThread() {
        var thread = new Thread(LeavingCases::waitForTheEnd, "pglock-watch-1");
        thread.setDaemon(true);
        thread.start();
    }

    @Test
    @Leaves(what = Leftover.SETTING, because = "it says so")
    void aSettingOnPurpose(Connection connection) throws SQLException {
        Rows.execute(connection, "set lock_timeout = '3s'");
    }

    @Test
    void aKilledConnection(Connection connection, Scenario scenario) throws SQLException {
        int pid = Integer.parseInt(
                Rows.read(connection, "select pg_backend_pid()").get(0));
        Rows.execute(connection, "set lock_timeout = '3s'");
        Rows.read(scenario.observer(), "select pg_terminate_backend(?)", pid);
        scenario.awaitGone(pid);
    }

    private static void waitForTheEnd() {
        try {
            LATCH.await(60, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
