// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.pglock.testkit.Database;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

@PostgresTest
class WrapperTest {

    private static HikariDataSource pool(Database database, boolean autoCommit) {
        HikariConfig config = new HikariConfig();
        config.setDataSource(database.dataSource("pool"));
        config.setMaximumPoolSize(1);
        config.setAutoCommit(autoCommit);
        return new HikariDataSource(config);
    }

    @Test
    void worksThroughAPoolAndGivesTheConnectionBackAsItCame(Database database, Scenario scenario) throws SQLException {
        Session web = scenario.session("web");
        web.execute("create table orders (id int)", "begin", "lock table orders", "select pg_advisory_lock(2)");
        for (boolean autoCommit : new boolean[] {true, false}) {
            try (HikariDataSource pool = pool(database, autoCommit)) {
                try (Connection connection = pool.getConnection()) {
                    PgLock pg = PgLock.on(connection);
                    try (LockTimeout timeout = pg.lockTimeout(Duration.ofMillis(20));
                            LockHandle lock = pg.advisory("job").acquire()) {
                        assertThat(lock.isHeld()).isTrue();
                        assertThat(pg.advisory(LockKey.of(2)).tryAcquire()).isEmpty();
                    }
                    connection.setAutoCommit(false);
                    pg.advisory("job").acquireXact();
                    assertThat(pg.table("orders").timeout(Duration.ofMillis(20)).tryAcquire())
                            .isFalse();
                    assertThat(Held.advisory(connection)).containsExactly("ExclusiveLock");
                    connection.rollback();
                }
                try (Connection again = pool.getConnection()) {
                    assertThat(again.getAutoCommit()).isEqualTo(autoCommit);
                    assertThat(Held.advisory(again)).isEmpty();
                    assertThat(Held.setting(again, "lock_timeout")).isEqualTo("0");
                }
            }
        }
    }

    @Test
    void saysSoWhenAPooledConnectionIsGivenBackBeforeItsLock(Database database) throws SQLException {
        try (HikariDataSource pool = pool(database, true)) {
            LockHandle lock;
            try (Connection connection = pool.getConnection()) {
                lock = PgLock.on(connection).advisory("job").acquire();
            }

            assertThatExceptionOfType(LockLostException.class)
                    .isThrownBy(lock::close)
                    .withMessageContaining("close the lock first");
        }
    }

    @Test
    void takesNoFencingTokenFromAConnectionThatWasGivenBack(Database database) throws SQLException {
        try (HikariDataSource pool = pool(database, true)) {
            LockHandle lock;
            try (Connection connection = pool.getConnection()) {
                lock = PgLock.on(connection).advisory("job").acquire();
            }

            assertThatExceptionOfType(LockLostException.class)
                    .isThrownBy(lock::fencingToken)
                    .withMessageContaining("close the lock first");
            assertThat(lock.isHeld()).isFalse();
            assertThatExceptionOfType(LockLostException.class)
                    .isThrownBy(lock::close)
                    .withMessageContaining("close the lock first");
        }
    }

    /** The budget: one round trip to acquire (two for a table, with a timeout), one to release, whatever else there is to set and restore. */
    @Test
    void takesOneCallOfTheDriverForEach(Connection mine) throws SQLException {
        List<String> calls = new ArrayList<>();
        Connection wrapped = counting(mine, calls);
        PgLock pg = PgLock.on(wrapped);
        Held.execute(mine, "create table things (id int)");
        pg.advisory("first").run(() -> {});
        calls.clear();

        pg.advisory("job").acquire().close();
        pg.advisory("job").timeout(Duration.ZERO).acquire().close();
        pg.advisory("job").timeout(Duration.ofSeconds(2)).acquire().close();
        pg.advisory("job").noTimeout().acquire().close();
        assertThat(calls).as("in autocommit").hasSize(8);
        calls.clear();

        mine.setAutoCommit(false);
        pg.advisory("job").acquireXact();
        pg.advisory("job").timeout(Duration.ofSeconds(2)).acquireXact();
        pg.advisory("job").timeout(Duration.ofSeconds(2)).acquire().close();
        pg.advisory("job").acquire().releaseNow();
        assertThat(calls).as("in a transaction").hasSize(6);
        calls.clear();

        pg.lockTimeout(Duration.ofSeconds(2)).close();
        assertThat(calls).as("of a timeout").hasSize(2);
        calls.clear();

        pg.table("things").acquire();
        pg.table("things").timeout(Duration.ofSeconds(2)).acquire();
        assertThat(calls)
                .as("of table locks")
                .hasSize(io.pglock.internal.PgSession.of(mine).majorVersion() < 11 ? 4 : 3);
        Held.end(mine);
    }

    /** Whether the server is a standby, which is asked in a transaction without a snapshot where that can be. */
    @Test
    void aTableLockTakesMoreOnAConnectionThatIsNotKnownYet(Database database) throws SQLException {
        try (Connection owner = database.connect()) {
            Held.execute(owner, "create table parts (id int)");
        }
        assertThat(callsOfTableLocks(database, "", ""))
                .as("before the transaction")
                .containsExactly(2, 1);
        assertThat(callsOfTableLocks(database, "select", "select")).as("in it").containsExactly(2, 2);
        assertThat(callsOfTableLocks(database, "set transaction read only", "select"))
                .as("in one that is READ ONLY")
                .containsExactly(3, 1);
    }

    /** Of one in each of two transactions of a new connection that begin so. */
    private static List<Integer> callsOfTableLocks(Database database, String... beginnings) throws SQLException {
        List<Integer> counts = new ArrayList<>();
        try (Connection mine = database.connect()) {
            mine.setAutoCommit(false);
            for (String beginning : beginnings) {
                if (!beginning.isEmpty()) {
                    Held.execute(mine, beginning);
                }
                List<String> calls = new ArrayList<>();
                PgLock.on(counting(mine, calls)).table("parts").acquire();
                counts.add(calls.size());
                mine.rollback();
            }
        }
        return counts;
    }

    /** A hand-made wrapper that knows no more of java.sql.Wrapper than it must. */
    private static Connection counting(Connection connection, List<String> calls) {
        ClassLoader loader = WrapperTest.class.getClassLoader();
        return (Connection) Proxy.newProxyInstance(
                loader, new Class<?>[] {Connection.class}, (proxy, method, arguments) -> {
                    Object result = method.invoke(connection, arguments);
                    if (!(result instanceof Statement statement)) {
                        return result;
                    }
                    Class<?> type = result instanceof PreparedStatement ? PreparedStatement.class : Statement.class;
                    return Proxy.newProxyInstance(loader, new Class<?>[] {type}, (own, called, given) -> {
                        if (called.getName().startsWith("execute")) {
                            calls.add(statement.toString());
                        }
                        return called.invoke(statement, given);
                    });
                });
    }
}
