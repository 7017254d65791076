// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.liquibase.internal.AdvisoryLockService;
import io.pglock.testkit.Scenario;
import java.io.InputStream;
import java.sql.Connection;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import java.util.stream.Collectors;
import javax.sql.DataSource;
import liquibase.database.Database;
import liquibase.database.DatabaseFactory;
import liquibase.database.jvm.JdbcConnection;
import org.junit.jupiter.api.Test;

/** What docs/liquibase-changelog-lock.md shows is right. */
@Proves(Capability.CHANGELOG_LOCK)
class ChangelogLockManualTest extends ChangelogLockScene {

    ChangelogLockManualTest(DataSource dataSource, Scenario scenario) {
        super(dataSource, scenario);
    }

    @Test
    void thePropertiesSayWhatTheySay() throws Exception {
        Properties properties = new Properties();
        try (InputStream file =
                Objects.requireNonNull(getClass().getResourceAsStream("/docs/changelog-lock.properties"))) {
            properties.load(file);
        }
        Map<String, String> settings = properties.stringPropertyNames().stream()
                .collect(Collectors.toMap(key -> key.replaceFirst("^liquibase\\.", ""), properties::getProperty));

        String service = with(
                dataSource, settings, database -> lockOf(database).getClass().getName());

        assertThat(service).isEqualTo(AdvisoryLockService.class.getName());
    }

    @Test
    void theJavaDoesWhatItSays() throws Exception {
        try (Connection connection = dataSource.getConnection()) {
            // docs: changelog-lock-java
            Database database =
                    DatabaseFactory.getInstance().findCorrectDatabaseImplementation(new JdbcConnection(connection));
            PgLockLiquibase.attach(database, dataSource, Map.of("changelogLock", "advisory"));
            // end
            assertThat(lockOf(database)).isInstanceOf(AdvisoryLockService.class);
        }
    }
}
