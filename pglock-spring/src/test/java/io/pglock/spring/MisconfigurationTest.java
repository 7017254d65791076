// SPDX-License-Identifier: Apache-2.0
package io.pglock.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pglock.testkit.Database;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Scenario;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@PostgresTest
class MisconfigurationTest {

    @Test
    void isToldInPlaceOfAStackTraceAndBeforeAnySql(Database database, Scenario scenario, @TempDir Path folder)
            throws IOException {
        Shop.writeMigrations(folder);
        Path yaml = Files.writeString(folder.resolve("application.yaml"), """
                pglock:
                  lock-timeot: 3s
                  statement-timeout: 5
                  monitor-password: hunter2
                """);

        String output = Output.of(() -> assertThatThrownBy(() ->
                        Shop.start(database, folder, "--spring.config.location=" + yaml, "--pglock.prioritize=kill"))
                .isInstanceOf(RuntimeException.class));

        assertThat(output)
                .contains("APPLICATION FAILED TO START")
                .contains("pglock: prioritize=kill: is none of off, report, cancel, terminate")
                .contains("statementTimeout=5: a bare number has no unit; write 5s or 5ms")
                .contains("there is no setting lock-timeot. Did you mean lockTimeout?")
                .contains("pglock.lock-timeot: ", "application.yaml] - 2:16")
                .contains("pglock.prioritize: \"pglock.prioritize\" from property source \"commandLineArgs\"")
                .contains("Action:")
                .doesNotContain("hunter2")
                .doesNotContain("\tat ");
        assertThat(scenario.session("test")
                        .value("select count(*) from pg_class where relname = 'flyway_schema_history'"))
                .isEqualTo("0");
    }

    @Test
    void isToldBeforeAnySqlOfLiquibases(Database database, Scenario scenario, @TempDir Path folder) throws IOException {
        Path changelog = LiquibaseShop.writeChangelog(folder);

        String output = Output.of(() -> assertThatThrownBy(() -> LiquibaseShop.start(
                        database, changelog, "--pglock.changelog-lock=session", "--liquibase.pglock.lockTimeout=3s"))
                .isInstanceOf(RuntimeException.class));

        assertThat(output)
                .contains("APPLICATION FAILED TO START")
                .contains("pglock: liquibase.pglock.lockTimeout is not read in Spring Boot; write pglock.lock-timeout"
                        + " instead; pglock: changelogLock=session: write table, advisory or both")
                .contains("pglock.changelog-lock: \"pglock.changelog-lock\" from property source \"commandLineArgs\"")
                .contains("liquibase.pglock.locktimeout: \"liquibase.pglock.lockTimeout\" from property source")
                .doesNotContain("\tat ");
        assertThat(scenario.session("test")
                        .value("select count(*) from pg_class where relname like 'databasechangelog%'"))
                .isEqualTo("0");
    }
}
