// SPDX-License-Identifier: Apache-2.0
package io.pglock;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.testkit.Database;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever the driver was told to do with statements, savepoints and rows. */
@PostgresTest
class DriverSettingsTest {

    private static final Duration SOON = Duration.ofMillis(5);
    private static final LockKey TAKEN = LockKey.of(1);
    private static final LockKey FREE = LockKey.of(2, 3);

    /** More often than prepareThreshold, so that statements become server-prepared on the way. */
    private static final int ROUNDS = 6;

    @ParameterizedTest
    @ValueSource(
            strings = {
                "autosave=never",
                "autosave=always",
                "autosave=conservative",
                "preferQueryMode=simple",
                "preferQueryMode=simple&autosave=always",
                "autosave=always&cleanupSavepoints=true",
                "preferQueryMode=simple&autosave=always&cleanupSavepoints=true",
                "preferQueryMode=extendedForPrepared",
                "preferQueryMode=extendedCacheEverything",
                "prepareThreshold=0",
                "prepareThreshold=-1",
                "prepareThreshold=1",
                "preparedStatementCacheQueries=0",
                "defaultRowFetchSize=1",
                "stringtype=unspecified",
                "reWriteBatchedInserts=true"
            })
    void makeNoDifference(String setting, Database database, Scenario scenario) throws SQLException {
        Session web = scenario.session("web");
        web.execute(
                "create table if not exists orders (id int)",
                "create table if not exists items (id int)",
                "select pg_advisory_lock(1)",
                "begin",
                "lock table orders");
        String url = database.url() + (database.url().contains("?") ? "&" : "?") + setting;
        try (Connection connection = DriverManager.getConnection(url, database.user(), database.password())) {
            PgLock pg = PgLock.on(connection);
            for (int round = 0; round < ROUNDS; round++) {
                session(pg, connection);
                connection.setAutoCommit(false);
                Held.execute(connection, "set local lock_timeout = '77ms'");
                session(pg, connection);
                transaction(pg, connection);
                connection.rollback();
                connection.setAutoCommit(true);
                assertThat(Held.advisory(connection)).isEmpty();
                assertThat(Held.setting(connection, "lock_timeout")).isEqualTo("0");
            }
        }
    }

    private static void session(PgLock pg, Connection connection) throws SQLException {
        String before = Held.setting(connection, "lock_timeout");
        assertThat(pg.advisory(TAKEN).timeout(SOON).tryAcquire()).isEmpty();
        assertThat(pg.advisory(TAKEN).timeout(Duration.ZERO).tryAcquire()).isEmpty();
        try (LockTimeout timeout = pg.lockTimeout(SOON);
                LockHandle one = pg.advisory(FREE).acquire();
                LockHandle two = pg.advisory(FREE).timeout(SOON).acquire();
                LockHandle three =
                        pg.advisory(FREE).shared().timeout(Duration.ZERO).acquire()) {
            assertThat(Held.advisory(connection)).containsExactly("ExclusiveLock", "ShareLock");
            assertThat(Held.setting(connection, "lock_timeout")).isEqualTo("5ms");
        }
        assertThat(Held.setting(connection, "lock_timeout")).isEqualTo(before);
    }

    private static void transaction(PgLock pg, Connection connection) throws SQLException {
        assertThat(pg.advisory(TAKEN).timeout(SOON).tryAcquireXact()).isFalse();
        assertThat(pg.table("orders").timeout(SOON).tryAcquire()).isFalse();
        assertThat(pg.table("orders").noWait().tryAcquire()).isFalse();
        pg.advisory(FREE).timeout(SOON).acquireXact();
        pg.table("items").timeout(SOON).acquire();
        assertThat(Held.setting(connection, "lock_timeout")).isEqualTo("77ms");
        assertThat(Held.setting(connection, "statement_timeout")).isEqualTo("0");
    }
}
