// SPDX-License-Identifier: Apache-2.0
package io.pglock.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.LockGuard;
import io.pglock.LockPolicy;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;
import javax.sql.DataSource;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What {@code docs/from-set-lock-timeout.md} shows, run against somebody who is in the way for a while. */
@PostgresTest
class FromSetLockTimeoutTest {

    private final Connection connection;
    private final DataSource dataSource;
    private final Session web;

    FromSetLockTimeoutTest(Connection connection, DataSource dataSource, Scenario scenario) {
        this.connection = connection;
        this.dataSource = dataSource;
        this.web = scenario.session("web");
    }

    @BeforeEach
    void somebodyHasReadTheTable() {
        web.execute("drop table if exists orders", "create table orders (id int)");
        web.begin();
        web.execute("select * from orders");
    }

    @Test
    void aLoopByHand() throws SQLException {
        // docs: set-lock-timeout-before
        connection.setAutoCommit(false);
        for (int attempt = 1; ; attempt++) {
            try (Statement statement = connection.createStatement()) {
                statement.execute("set local lock_timeout = '500ms'");
                statement.execute("alter table orders add column note text");
                connection.commit();
                break;
            } catch (SQLException e) {
                connection.rollback();
                if (!"55P03".equals(e.getSQLState()) || attempt == 20) {
                    throw e;
                }
                pause();
            }
        }
        // end
        connection.setAutoCommit(true);
        assertThat(web.execute("select note from orders")).isEmpty();
    }

    private void pause() {
        web.commit();
    }

    @Test
    void theGuard(Scenario scenario) throws Exception {
        Thread later = new Thread(() -> {
            scenario.await(
                    "the alter table to wait",
                    () -> scenario.session("test")
                            .value("select count(*) from pg_locks where not granted and relation = 'orders'::regclass")
                            .equals("1"));
            web.commit();
        });
        later.start();
        // docs: set-lock-timeout-after
        connection.setAutoCommit(false);
        LockPolicy policy = LockPolicy.parse(Map.of("lockTimeout", "2s", "retryDeadline", "10m"));
        try (Statement statement = connection.createStatement();
                LockGuard guard =
                        LockGuard.open("add a note", connection, dataSource, policy, LockGuard.Messages.SYSTEM)) {
            guard.run(() -> statement.execute("alter table orders add column note text"), connection::rollback);
        }
        connection.commit();
        // end
        connection.setAutoCommit(true);
        later.join(10_000);
        assertThat(web.execute("select note from orders")).isEmpty();
    }
}
