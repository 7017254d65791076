// SPDX-License-Identifier: Apache-2.0
package io.pglock.flyway;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.FutureTask;
import javax.sql.DataSource;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A pool of three: two for Flyway, and one to watch through. What a connection was lent with, it is given back with. */
class PooledMigrationTest extends FlywayScene {

    PooledMigrationTest(DataSource dataSource, Scenario scenario) {
        super(dataSource, scenario);
    }

    private void script(boolean transactional) {
        FlywayInUse.assumeStatementEvents();
        if (transactional) {
            migrations.with("V1__script.sql", SCRIPT);
        } else {
            migrations.withNonTransactional("V1__script.sql", SCRIPT);
        }
    }

    private HikariDataSource pool(String idleInTransaction) {
        HikariConfig config = new HikariConfig();
        config.setDataSource(dataSource);
        config.setMaximumPoolSize(3);
        config.setConnectionInitSql("set lock_timeout = '71s'; set statement_timeout = '72s';"
                + " set idle_in_transaction_session_timeout = '" + idleInTransaction + "'");
        return new HikariDataSource(config);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void leavesEverySettingAsItWasWhenAMigrationHadToBeTriedAgain(boolean transactional) throws SQLException {
        script(transactional);
        Session report = reader("report");
        try (HikariDataSource pool = pool("73s")) {
            FutureTask<Integer> migrating =
                    inBackground(flyway("pglock.statementTimeout", "50s").dataSource(pool));
            awaitLog("Trying again when it is gone");
            report.commit();
            assertThat(await(migrating)).isEqualTo(1);

            assertThat(settings(pool)).hasSize(3).containsOnly("71s 72s 73s");
        }
        assertThat(history()).isEqualTo("1 true");
        assertThat(value("select count(*) from items")).isEqualTo("2");
    }

    /** It holds Flyway's lock, and idles in a transaction for as long as the migration is tried again. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void outlastsATimeoutOfIdleTransactionsOnFlywaysHistoryConnection(boolean transactional) throws SQLException {
        script(transactional);
        Session report = reader("report");
        try (HikariDataSource pool = pool("1s")) {
            FutureTask<Integer> migrating =
                    inBackground(flyway("pglock.statementTimeout", "50s").dataSource(pool));
            awaitLog("Trying again when it is gone");
            scenario.await(
                    "Flyway's history connection has idled for two seconds, or is gone",
                    () -> value(
                                    "select count(*) from pg_locks join pg_stat_activity using (pid) where locktype = 'advisory'"
                                            + " and granted and datname = current_database() and state = 'idle in transaction'"
                                            + " and clock_timestamp() - state_change < interval '2s'")
                            .equals("0"));
            report.commit();
            assertThat(await(migrating)).isEqualTo(1);

            assertThat(settings(pool)).hasSize(3).containsOnly("71s 72s 1s");
        }
        assertThat(history()).isEqualTo("1 true");
        assertThat(value("select count(*) from items")).isEqualTo("2");
    }

    /** Of every connection in the pool. */
    static List<String> settings(HikariDataSource pool) throws SQLException {
        List<Connection> lent = new ArrayList<>();
        List<String> settings = new ArrayList<>();
        try {
            for (int i = 0; i < pool.getMaximumPoolSize(); i++) {
                Connection connection = pool.getConnection();
                lent.add(connection);
                try (Statement statement = connection.createStatement();
                        ResultSet row = statement.executeQuery(
                                "select concat_ws(' ', current_setting('lock_timeout'), current_setting('statement_timeout'),"
                                        + " current_setting('idle_in_transaction_session_timeout'))")) {
                    row.next();
                    settings.add(row.getString(1));
                }
            }
            return settings;
        } finally {
            for (Connection connection : lent) {
                connection.close();
            }
        }
    }
}
