// SPDX-License-Identifier: Apache-2.0
package io.pglock.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class ReplicaTest {
    @Test
    void replaysWhatThePrimaryWritesAndTakesOverWhenItIsPromoted() throws SQLException {
        try (PostgresServer primary = PostgresServer.startEmbedded(Map.of("deadlock_timeout", "60s"))) {
            Database before = primary.createDatabase();
            write(before, "create table t as select 1 as n");
            try (PostgresServer standby = primary.startReplica()) {
                write(before, "insert into t values (2)");
                Database after = primary.createDatabase();
                write(after, "create table t as select 3 as n");

                assertThat(standby.port()).isNotEqualTo(primary.port());
                assertThat(standby.majorVersion()).isEqualTo(primary.majorVersion());
                awaitRows(after.on(standby), "3");
                awaitRows(before.on(standby), "1", "2");
                assertThatThrownBy(() -> write(before.on(standby), "insert into t values (9)"))
                        .isInstanceOfSatisfying(
                                SQLException.class,
                                e -> assertThat(e.getSQLState()).isEqualTo("25006"));

                try (Connection reader = before.on(standby).connect()) {
                    primary.stop();
                    standby.promote();

                    // A session outlives the promotion: only what it may do has changed.
                    Rows.execute(reader, "insert into t values (4)");
                    assertThat(Rows.read(reader, "show deadlock_timeout")).containsExactly("1min");
                }
                awaitRows(before.on(standby), "1", "2", "4");
                standby.restart();
                awaitRows(before.on(standby), "1", "2", "4");
            }
        }
    }

    @Test
    void findsAPrimaryAgainThatWasGone() throws SQLException {
        try (PostgresServer primary = PostgresServer.startEmbedded(Map.of());
                Database database = primary.createDatabase();
                PostgresServer standby = primary.startReplica()) {
            write(database, "create table t as select 1 as n");
            awaitRows(database.on(standby), "1");

            primary.restart();
            write(database, "insert into t values (2)");

            awaitRows(database.on(standby), "1", "2");
        }
    }

    @Test
    void aPrimaryIsWrittenToWhileItIsCopied() throws Exception {
        try (PostgresServer primary = PostgresServer.startEmbedded(Map.of());
                Database database = primary.createDatabase()) {
            write(database, "create table t as select 0 as n where false");
            Thread writing = new Thread(() -> insertUntilInterrupted(database));
            writing.start();
            try (PostgresServer standby = primary.startReplica()) {
                writing.interrupt();
                writing.join();
                List<String> written = read(database, "select count(*), sum(n) from t");

                Await.until(
                        "the standby to have replayed " + written,
                        () -> read(database.on(standby), "select count(*), sum(n) from t")
                                .equals(written),
                        () -> read(database.on(standby), "select count(*), sum(n) from t")
                                .toString());
                standby.promote();
                assertThat(read(database.on(standby), "select count(*) from t"))
                        .isEqualTo(read(database, "select count(*) from t"))
                        .doesNotContain("0");
            }
        }
    }

    @Test
    void aSharedServerGetsNone() {
        PostgresServer shared = PostgresServer.shared();

        assertThatThrownBy(shared::startReplica).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(shared::promote).isInstanceOf(IllegalStateException.class);
    }

    private static void insertUntilInterrupted(Database database) {
        try (Connection connection = database.connect()) {
            while (!Thread.currentThread().isInterrupted()) {
                Rows.execute(connection, "insert into t select generate_series(1, 100)");
            }
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void awaitRows(Database database, String... expected) {
        Await.until(
                "the rows to be there",
                () -> isThere(database)
                        && read(database, "select n from t order by n").equals(List.of(expected)),
                database::toString);
    }

    private static boolean isThere(Database database) throws SQLException {
        return !read(
                                database.server().maintenance(),
                                "select 1 from pg_database where datname = '" + database.name() + "'")
                        .isEmpty()
                && !read(database, "select 1 from pg_class where relname = 't'").isEmpty();
    }

    private static List<String> read(Database database, String sql) throws SQLException {
        try (Connection connection = database.connect()) {
            return Rows.read(connection, sql);
        }
    }

    private static void write(Database database, String sql) throws SQLException {
        try (Connection connection = database.connect()) {
            Rows.execute(connection, sql);
        }
    }
}
