// SPDX-License-Identifier: Apache-2.0
package io.pglock.flyway;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.flywaydb.core.Flyway;
import org.h2.jdbcx.JdbcDataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OtherDatabaseTest {

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
}
