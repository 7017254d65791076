// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pglock.testkit.Database;
import io.pglock.testkit.PgBouncer;
import io.pglock.testkit.PostgresServer;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.TcpProxy;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import javax.sql.DataSource;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

/** Right or refused: a lock that would not mean what it says is refused before any SQL takes it. */
@PostgresTest
class RefusalTest {

    private static void assertRefused(ThrowingCallable call, String... says) {
        assertThatExceptionOfType(LockNotSupportedException.class)
                .isThrownBy(call)
                .satisfies(e -> assertThat(e.getMessage()).contains(says));
    }

    // django-pglock defect 26: session locks and settings through a transaction pooler
    @Test
    void refusesSessionLocksAndSettingsThroughAPoolerAndOffersTheTransaction(Database database, PostgresServer server)
            throws SQLException {
        try (TcpProxy pooler = TcpProxy.to(server.host(), server.port()).rewriteBackendKey();
                Connection connection = pooler.dataSource(database).getConnection()) {
            assertThatAPoolerIsSeen(connection);
        }
    }

    @Test
    void refusesSessionLocksAndSettingsThroughAPgBouncer(Database database) throws SQLException {
        try (PgBouncer bouncer = PgBouncer.startOrSkip(database, "transaction");
                Connection connection = bouncer.dataSource().getConnection()) {
            assertThatAPoolerIsSeen(connection);
        }
    }

    private static void assertThatAPoolerIsSeen(Connection connection) throws SQLException {
        PgLock pg = PgLock.on(connection);
        assertRefused(() -> pg.advisory("job").acquire(), "job (", "acquireXact()", "connect directly");
        assertRefused(() -> pg.advisory("job").timeout(Duration.ZERO).tryAcquire(), "pooler");
        assertRefused(() -> pg.advisory("job").run(() -> {}), "pooler");
        assertRefused(() -> pg.lockTimeout(Duration.ofSeconds(1)), "lock_timeout", "pooler");
        assertRefused(() -> pg.statementTimeout(Duration.ofSeconds(1)), "statement_timeout", "pooler");

        connection.setAutoCommit(false);
        assertRefused(() -> pg.advisory("job").acquire(), "pooler");
        assertThat(io.pglock.internal.PgSession.of(connection).inTransaction()).isFalse();
        Held.execute(connection, "create temp table jobs (id int) on commit drop");
        try (LockTimeout timeout = pg.lockTimeout(Duration.ofSeconds(1))) {
            assertThat(Held.setting(connection, "lock_timeout")).isEqualTo("1s");
        }
        pg.advisory("job").timeout(Duration.ofSeconds(1)).acquireXact();
        pg.table("jobs").timeout(Duration.ofSeconds(1)).acquire();
        assertThat(Held.advisory(connection)).containsExactly("ExclusiveLock");
        connection.rollback();
    }

    /** It is inert, and there is nothing that could be refused. */
    @Test
    void aPolicyThatIsNotEnabledRunsThroughAPooler(Database database, DataSource side) throws SQLException {
        LockPolicy off = LockPolicy.parse(Map.of("enabled", "false"));
        try (PgBouncer bouncer = PgBouncer.startOrSkip(database, "session");
                Connection connection = bouncer.dataSource().getConnection();
                LockGuard guard = LockGuard.open("V7__index.sql", connection, side, off, LockGuard.Messages.SYSTEM)) {
            guard.beforeStatement("create index concurrently i on t (a)");
            assertThat(Held.setting(connection, "lock_timeout")).isEqualTo("0");
            guard.afterStatement();
        }
    }

    @Test
    void refusesLocksOnAStandbyWhereTheyExcludeNobodyOnThePrimary() throws SQLException {
        try (PostgresServer standby = PostgresServer.startStandby();
                Connection connection = standby.maintenance().connect()) {
            PgLock pg = PgLock.on(connection);

            assertRefused(() -> pg.advisory("job").acquire(), "job (", "hot standby", "primary");
            connection.setAutoCommit(false);
            assertRefused(() -> pg.advisory("job").tryAcquireXact(), "hot standby");
            assertRefused(() -> pg.table("pg_class").mode(LockMode.ACCESS_SHARE).acquire(), "pg_class", "hot standby");
            try (LockTimeout timeout = pg.lockTimeout(Duration.ofSeconds(1))) {
                assertThat(Held.setting(connection, "lock_timeout")).isEqualTo("1s");
            }
            connection.rollback();
        }
    }

    @Test
    void refusesWhatIsNotPostgres() throws SQLException {
        try (Connection h2 = DriverManager.getConnection("jdbc:h2:mem:")) {
            assertRefused(() -> PgLock.on(h2), "Not a PostgreSQL connection", "H2");
        }
    }

    @Test
    void refusesAClosedConnection(Connection mine) throws SQLException {
        PgLock before = PgLock.on(mine);
        mine.close();

        assertThatExceptionOfType(PgLockException.class)
                .isThrownBy(() -> PgLock.on(mine))
                .withMessageContaining("closed");
        assertThatExceptionOfType(PgLockException.class)
                .isThrownBy(() -> before.advisory("job").acquire())
                .withMessageContaining("job (")
                .withMessageContaining("closed");
        assertThatExceptionOfType(PgLockException.class)
                .isThrownBy(() -> before.table("orders").acquire())
                .withMessageContaining("closed");
        assertThatExceptionOfType(PgLockException.class).isThrownBy(() -> before.lockTimeout(Duration.ofSeconds(1)));
    }

    @Test
    void refusesATransactionThatHasFailed(Connection mine) throws SQLException {
        mine.setAutoCommit(false);
        PgLock pg = PgLock.on(mine);
        assertThatThrownBy(() -> Held.execute(mine, "select 1/0")).isInstanceOf(SQLException.class);

        assertThatExceptionOfType(PgLockException.class)
                .isThrownBy(() -> pg.advisory("job").acquire())
                .withMessageContaining("job (")
                .withMessageContaining("Roll it back first");
        assertThatExceptionOfType(PgLockException.class)
                .isThrownBy(() -> pg.advisory("job").tryAcquireXact())
                .withMessageContaining("Roll it back first");
        assertThatExceptionOfType(PgLockException.class)
                .isThrownBy(() -> pg.table("orders").tryAcquire())
                .withMessageContaining("orders: ACCESS EXCLUSIVE lock")
                .withMessageContaining("Roll it back first");
        Held.end(mine);
    }
}
