// SPDX-License-Identifier: Apache-2.0
package io.pglock.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.LockMode;
import io.pglock.LockTimeout;
import io.pglock.PgLock;
import io.pglock.PriorityScope;
import io.pglock.testkit.PostgresTest;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;

/** What the README shows, run. */
@PostgresTest
class ReadmeTest {

    private int reports;

    @Test
    void onYourOwnConnection(Connection connection, DataSource dataSource) throws SQLException {
        execute(connection, "create table orders (id int)");

        // docs: readme-core
        PgLock pg = PgLock.on(connection);

        // once in the whole cluster; who comes too late skips it
        boolean ran = pg.advisory("nightly-report").timeout(Duration.ZERO).tryRun(() -> report());

        // whoever blocks this migration is named in the log and, after a second, ended
        connection.setAutoCommit(false);
        try (LockTimeout timeout = pg.lockTimeout(Duration.ofSeconds(5));
                PriorityScope priority = pg.prioritize(dataSource).terminate().start()) {
            pg.table("orders").mode(LockMode.ACCESS_EXCLUSIVE).acquire();
            migrate(connection);
        }
        connection.commit();
        connection.setAutoCommit(true);

        // who waits for whom, and for how long
        System.out.println(pg.locks().tree());
        // end

        assertThat(ran).isTrue();
        assertThat(reports).isOne();
    }

    private void report() {
        reports++;
    }

    private static void migrate(Connection connection) throws SQLException {
        execute(connection, "alter table orders add column note text");
    }

    private static void execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}
