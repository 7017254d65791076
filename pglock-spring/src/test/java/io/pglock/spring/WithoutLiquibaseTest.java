// SPDX-License-Identifier: Apache-2.0
package io.pglock.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pglock.testkit.Database;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Scenario;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An application that has Flyway. */
@PostgresTest
class WithoutLiquibaseTest {

    @TempDir
    private Path migrations;

    @BeforeEach
    void write(Scenario scenario) throws Exception {
        Shop.writeMigrations(migrations);
        scenario.session("test").execute("drop schema public cascade", "create schema public");
    }

    @Test
    void guardsFlyway(Database database, Scenario scenario) throws Exception {
        try (var classPath = ClassPath.without("liquibase")) {
            classPath
                    .start(Shop.arguments(database, migrations, "--pglock.lock-timeout=3s"))
                    .close();
        }

        Shop.assertThatAMigrationSaw(scenario, "public", "3s");
    }

    @Test
    void saysThatAChangelogLockIsForLiquibase(Database database, Scenario scenario) throws Exception {
        try (var classPath = ClassPath.without("liquibase")) {
            String output = Output.of(() -> assertThatThrownBy(() -> classPath.start(Shop.arguments(
                            database, migrations, "--pglock.changelog-lock=advisory", "--pglock.lock-timeout=3")))
                    .isNotNull());

            assertThat(output)
                    .contains("APPLICATION FAILED TO START")
                    .contains("pglock.changelog-lock is a setting for Liquibase, and pglock-liquibase is not there")
                    .contains("lockTimeout=3: a bare number has no unit")
                    .contains(
                            "pglock.changelog-lock: \"pglock.changelog-lock\" from property source \"commandLineArgs\"");
        }

        assertThat(scenario.session("test").value("select count(*) from pg_class where relname like 'flyway%'"))
                .isEqualTo("0");
    }

    @Test
    void leavesLiquibaseAloneWherePglockLiquibaseIsNot(Database database, Scenario scenario, @TempDir Path folder)
            throws Exception {
        Path changelog = LiquibaseShop.writeChangelog(folder);
        try (var classPath = ClassPath.without("pglock-liquibase")) {
            classPath
                    .start(LiquibaseShop.arguments(database, changelog, "--pglock.lock-timeout=3s"))
                    .close();
        }

        assertThat(scenario.session("test").execute("select lock_timeout, coalesce(scopes, '') from seen"))
                .containsExactly("0|");
    }
}
