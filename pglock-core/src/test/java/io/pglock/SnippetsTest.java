// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.testkit.PostgresTest;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What the pages on advisory locks, table locks and timeouts show, run. */
@PostgresTest
class SnippetsTest {

    private final Connection connection;
    private final List<String> done = new ArrayList<>();

    SnippetsTest(Connection connection) {
        this.connection = connection;
    }

    @BeforeEach
    void createTables() throws SQLException {
        Held.execute(
                connection,
                "create table if not exists orders (id int); create schema if not exists billing;"
                        + " create table if not exists billing.invoices (id int); create table if not exists \"Order lines\" ()");
    }

    @AfterEach
    void end() throws SQLException {
        Held.end(connection);
    }

    private void report() {
        done.add("report");
    }

    private void execute(String sql) throws SQLException {
        Held.execute(connection, sql);
    }

    @Test
    void acquireASessionLock() {
        // docs: advisory-acquire
        PgLock pg = PgLock.on(connection);
        try (LockHandle lock =
                pg.advisory("nightly-report").timeout(Duration.ofSeconds(2)).acquire()) {
            report();
        } // LockTimeoutException when somebody else has it for longer than 2s
        // end
        assertThat(done).containsExactly("report");
    }

    @Test
    void returnRaiseOrSkip() {
        PgLock pg = PgLock.on(connection);
        // docs: advisory-forms
        AdvisoryLock lock = pg.advisory("nightly-report").timeout(Duration.ofSeconds(2));

        lock.run(() -> report()); // raise
        boolean ran = lock.tryRun(() -> report()); // skip
        Optional<LockHandle> handle = lock.tryAcquire(); // return
        handle.ifPresent(LockHandle::close);
        // end
        assertThat(ran).isTrue();
        assertThat(handle).isPresent();
        assertThat(done).hasSize(2);
    }

    @Test
    void lockForATransaction() throws SQLException {
        PgLock pg = PgLock.on(connection);
        // docs: advisory-xact
        connection.setAutoCommit(false);
        pg.advisory("account:17").acquireXact();
        execute("update orders set id = id + 1");
        connection.commit(); // releases the lock
        // end
        assertThat(Held.advisory(connection)).isEmpty();
    }

    @Test
    void nameKeys() {
        // docs: advisory-keys
        LockKey named = LockKey.named("nightly-report"); // -8663603374018903193, as in django-pglock
        LockKey number = LockKey.of(42);
        LockKey pair = LockKey.of(7, 42);
        // end
        assertThat(List.of(named, number, pair))
                .extracting(LockKey::toString)
                .containsExactly("nightly-report (-8663603374018903193)", "42", "(7, 42)");
    }

    @Test
    void lockTables() throws SQLException {
        PgLock pg = PgLock.on(connection);
        // docs: table-acquire
        connection.setAutoCommit(false);
        pg.table("orders", "billing.invoices")
                .mode(LockMode.SHARE_ROW_EXCLUSIVE)
                .timeout(Duration.ofSeconds(2))
                .acquire();
        execute("alter table orders add column if not exists invoice int");
        connection.commit(); // releases the locks
        // end
        assertThat(Held.tables(connection)).isEmpty();
    }

    @Test
    void tryTables() throws SQLException {
        PgLock pg = PgLock.on(connection);
        connection.setAutoCommit(false);
        // docs: table-try
        boolean locked = pg.table("orders").noWait().tryAcquire();
        pg.table("\"Order lines\"").mode(LockMode.SHARE).only().acquire();
        pg.table(TableName.of("Order lines")).mode(LockMode.SHARE).acquire(); // the same, exactly as it is
        // end
        assertThat(locked).isTrue();
    }

    @Test
    void setTimeouts() throws SQLException {
        PgLock pg = PgLock.on(connection);
        // docs: timeouts
        try (LockTimeout lockTimeout = pg.lockTimeout(Duration.ofSeconds(2));
                StatementTimeout statementTimeout = pg.statementTimeout(Duration.ofMinutes(5))) {
            execute("alter table orders add column if not exists note text");
            try (StatementTimeout none = pg.noStatementTimeout()) {
                execute("update orders set note = ''");
            } // 5 minutes again
        } // and what was there before
        // end
        assertThat(Held.setting(connection, "lock_timeout")).isEqualTo("0");
        assertThat(Held.setting(connection, "statement_timeout")).isEqualTo("0");
    }
}
