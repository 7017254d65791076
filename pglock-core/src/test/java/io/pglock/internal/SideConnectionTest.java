// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.pglock.Held;
import io.pglock.testkit.Await;
import io.pglock.testkit.Database;
import io.pglock.testkit.PostgresServer;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What stays in the session of a side connection. */
@Timeout(60)
class SideConnectionTest {

    private static final Map<String, String> SMALL =
            Map.of("max_locks_per_transaction", "10", "max_connections", "10", "max_wal_senders", "0");

    private static final String MARKS = "select objid from pg_locks where locktype = 'advisory' and classid = "
            + Sql.GUARDED_CLASS + " and objsubid = 2";

    private static HikariDataSource pool(Database database) {
        HikariConfig config = new HikariConfig();
        config.setDataSource(database.dataSource("pool"));
        config.setMaximumPoolSize(1);
        return new HikariDataSource(config);
    }

    /** Takes locks until the server has room for one more. */
    private static void fill(Connection connection) throws SQLException {
        int taken = 0;
        try (PreparedStatement lock = connection.prepareStatement("select pg_advisory_lock(?)")) {
            while (true) {
                lock.setLong(1, taken);
                lock.execute();
                taken++;
            }
        } catch (SQLException e) {
            assertThat(e.getSQLState()).isEqualTo("53200");
        }
        assertThat(Held.column(connection, "select pg_advisory_unlock(" + (taken - 1) + ")"))
                .containsExactly("t");
    }

    private static void add(Map<Integer, Long> sessions, Connection connection) throws SQLException {
        PgSession.Facts facts = PgSession.of(connection).facts();
        sessions.put(facts.pid(), facts.start());
    }

    @Test
    void aPoolDoesNotGetBackMarksOfWhichNobodyKnows() throws Exception {
        try (PostgresServer server = PostgresServer.startEmbedded(SMALL);
                Database database = server.createDatabase();
                HikariDataSource pool = pool(database);
                Connection first = database.connect();
                Connection second = database.connect()) {
            SideConnection side = SideConnection.of(PgSession.of(pool.getConnection()), () -> {});
            Map<Integer, Long> sessions = new LinkedHashMap<>();
            add(sessions, first);
            add(sessions, second);
            fill(first);

            SQLException failure = catchThrowableOfType(SQLException.class, () -> side.mark(sessions));

            assertThat(failure.getSQLState()).isEqualTo("53200");
            boolean lost = side.isLost(failure);
            side.close();
            Await.until(
                    Duration.ofSeconds(30),
                    "the marks to be gone",
                    () -> Held.column(first, MARKS).isEmpty(),
                    server::toString);
            assertThat(lost).isTrue();
        }
    }
}
