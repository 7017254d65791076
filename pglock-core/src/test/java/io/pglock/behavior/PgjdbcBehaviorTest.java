// SPDX-License-Identifier: Apache-2.0
package io.pglock.behavior;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pglock.testkit.Database;
import io.pglock.testkit.PostgresServer;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.TcpProxy;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.postgresql.PGConnection;
import org.postgresql.core.BaseConnection;
import org.postgresql.core.TransactionState;

/** Facts about the driver that the design rests on. */
@PostgresTest
class PgjdbcBehaviorTest {

    private final Connection mine;
    private final BaseConnection driver;

    PgjdbcBehaviorTest(Connection mine) throws SQLException {
        this.mine = mine;
        this.driver = mine.unwrap(BaseConnection.class);
    }

    private List<String> results(String sql) throws SQLException {
        try (PreparedStatement statement = mine.prepareStatement(sql)) {
            List<String> values = new ArrayList<>();
            boolean rows = statement.execute();
            while (rows || statement.getUpdateCount() != -1) {
                if (rows) {
                    try (ResultSet result = statement.getResultSet()) {
                        result.next();
                        values.add(result.getString(1));
                    }
                }
                rows = statement.getMoreResults();
            }
            return values;
        }
    }

    /** So a local setting lasts for the round trip and needs no undoing. */
    @Test
    void sendsStatementsInOneCallAsOneTransactionInAutocommitMode() throws SQLException {
        assertThat(results("select set_config('lock_timeout', '5s', true); show lock_timeout"))
                .containsExactly("5s", "5s");
        assertThat(results("show lock_timeout")).containsExactly("0");
    }

    @Test
    void skipsWhatFollowsAFailureInOneCall() throws SQLException {
        mine.setAutoCommit(false);

        assertThatThrownBy(() -> results("savepoint a; select 1/0; select pg_advisory_lock(1)"))
                .isInstanceOf(SQLException.class);
        results("rollback to savepoint a; release savepoint a");

        assertThat(results("select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()"))
                .containsExactly("0");
        end();
    }

    @Test
    void knowsTheStateOfTheTransactionWithoutAsking() throws SQLException {
        assertThat(driver.getTransactionState()).isEqualTo(TransactionState.IDLE);
        mine.setAutoCommit(false);
        assertThat(driver.getTransactionState()).isEqualTo(TransactionState.IDLE);
        results("select 1");
        assertThat(driver.getTransactionState()).isEqualTo(TransactionState.OPEN);
        assertThatThrownBy(() -> results("select 1/0")).isInstanceOf(SQLException.class);
        assertThat(driver.getTransactionState()).isEqualTo(TransactionState.FAILED);
        end();
        try (Statement statement = mine.createStatement()) {
            statement.execute("begin");
            assertThat(driver.getTransactionState()).isEqualTo(TransactionState.OPEN);
            statement.execute("rollback");
        }
    }

    @Test
    void knowsThePidThatTheServerToldIt(Database database, PostgresServer server) throws SQLException {
        assertThat(results("select pg_backend_pid()")).containsExactly(String.valueOf(driver.getBackendPID()));
        try (TcpProxy pooler = TcpProxy.to(server.host(), server.port()).rewriteBackendKey();
                Connection pooled = pooler.dataSource(database).getConnection();
                Statement statement = pooled.createStatement();
                ResultSet row = statement.executeQuery("select pg_backend_pid()")) {
            row.next();
            assertThat(row.getInt(1))
                    .isNotEqualTo(pooled.unwrap(PGConnection.class).getBackendPID());
        }
    }

    private void end() throws SQLException {
        mine.rollback();
        mine.setAutoCommit(true);
    }
}
