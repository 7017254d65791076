// SPDX-License-Identifier: Apache-2.0
package io.pglock.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.LockHandle;
import io.pglock.LockKey;
import io.pglock.LockMode;
import io.pglock.LockTimeout;
import io.pglock.LockTree;
import io.pglock.PgLock;
import io.pglock.PriorityScope;
import io.pglock.testkit.PostgresTest;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;

/** What {@code docs/from-django-pglock.md} shows, run. */
@PostgresTest
class FromDjangoTest {

    private int reports;

    @Test
    void advisoryLocks(Connection connection) throws SQLException {
        // docs: django-advisory
        PgLock pg = PgLock.on(connection);

        // with pglock.advisory("nightly-report"):
        try (LockHandle lock = pg.advisory("nightly-report").acquire()) {
            report();
        }

        // with pglock.advisory("nightly-report", timeout=2, side_effect=pglock.Raise):
        pg.advisory("nightly-report").timeout(Duration.ofSeconds(2)).run(() -> report());

        // @pglock.advisory("nightly-report", timeout=0, side_effect=pglock.Skip)
        boolean ran = pg.advisory("nightly-report").timeout(Duration.ZERO).tryRun(() -> report());

        // with transaction.atomic(): pglock.advisory("account:17", xact=True).acquire()
        connection.setAutoCommit(false);
        pg.advisory("account:17").acquireXact();
        connection.commit();
        // end
        connection.setAutoCommit(true);
        assertThat(ran).isTrue();
        assertThat(reports).isEqualTo(3);
        assertThat(LockKey.named("nightly-report")).isEqualTo(LockKey.of(-8663603374018903193L));
    }

    @Test
    void tableLocksTimeoutsAndPriority(Connection connection, DataSource dataSource) throws SQLException {
        execute(connection, "create table orders (id int)");
        // docs: django-table
        PgLock pg = PgLock.on(connection);
        connection.setAutoCommit(false);
        // pglock.model("shop.Order", mode=pglock.SHARE_ROW_EXCLUSIVE, timeout=2, side_effect=pglock.Raise)
        pg.table("orders")
                .mode(LockMode.SHARE_ROW_EXCLUSIVE)
                .timeout(Duration.ofSeconds(2))
                .acquire();
        connection.commit();

        // with pglock.timeout(seconds=2), pglock.prioritize():
        try (LockTimeout timeout = pg.lockTimeout(Duration.ofSeconds(2));
                PriorityScope priority = pg.prioritize(dataSource).terminate().start()) {
            execute(connection, "alter table orders add column note text");
        }
        connection.commit();
        // end
        connection.setAutoCommit(true);

        // docs: django-query
        // BlockedPGLock.objects.on(Order).terminate_blocking_activity()
        PgLock.on(connection)
                .locks()
                .on("orders")
                .terminateBlockers()
                .forEach(done -> System.out.println(done.detail()));

        LockTree tree = PgLock.on(connection).locks().on("orders").tree();
        // end
        assertThat(tree.roots()).isEmpty();
    }

    private void report() {
        reports++;
    }

    private static void execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}
