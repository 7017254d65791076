// SPDX-License-Identifier: Apache-2.0
package io.pglock.flyway;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.testkit.Database;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.TcpProxy;
import java.nio.file.Path;
import java.util.Map;
import org.flywaydb.core.Flyway;
import org.h2.jdbcx.JdbcDataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@PostgresTest
class OtherDatabaseTest {

    private static final String TAKE_NOTE =
            "create table noted as select current_setting('lock_timeout') as lock_timeout,"
                    + " current_setting('statement_timeout') as statement_timeout;";

    @Test
    void isSilentOnH2(@TempDir Path folder) {
        JdbcDataSource h2 = new JdbcDataSource();
        h2.setURL("jdbc:h2:mem:silent;DB_CLOSE_DELAY=-1");
        Flyway flyway = new Migrations(folder)
                .with("V1__a.sql", "create table a (id int);")
                .flyway(h2)
                .load();

        assertThat(flyway.migrate().migrationsExecuted).isEqualTo(1);

        assertThat(RecordedLog.all()).isNotEmpty().noneMatch(line -> line.contains("pglock"));
    }

    /**
     * No such server can be had here: this is PostgreSQL, and says what they say when a session begins. What Redshift says
     * (8.0.2), Flyway itself takes for a PostgreSQL that is too old.
     */
    @ParameterizedTest(name = "{0}={1}")
    @CsvSource({"crdb_version, CockroachDB CCL v24.1.0", "server_version, 15.2-YB-2.25.0.0-b0", "server_version, 9.6.24"
    })
    void isSilentOnWhatOnlySpeaksTheProtocolOfPostgres(
            String parameter, String value, Database database, Scenario scenario, @TempDir Path folder) {
        scenario.session("test").execute("drop table if exists flyway_schema_history, noted");
        Migrations migrations = new Migrations(folder).with("V1__note.sql", TAKE_NOTE);
        try (TcpProxy other =
                TcpProxy.to(database.server().host(), database.server().port()).reportParameter(parameter, value)) {
            Flyway flyway = Migrations.configure(
                            migrations.flyway(other.dataSource(database)),
                            Map.of("flyway.pglock.monitorUrl", "jdbc:postgresql://127.0.0.1:1/none"))
                    .load();

            assertThat(flyway.migrate().migrationsExecuted).isEqualTo(1);
        }

        assertThat(scenario.session("test").execute("select * from noted")).containsExactly("0|0");
        assertThat(RecordedLog.all()) // the database of the tests has that name too
                .isNotEmpty()
                .noneMatch(line -> line.replaceFirst("jdbc:\\S*", "").contains("pglock"));
    }
}
