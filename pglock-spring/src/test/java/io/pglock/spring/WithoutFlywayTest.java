// SPDX-License-Identifier: Apache-2.0
package io.pglock.spring;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.testkit.Database;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Scenario;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An application that has Liquibase. */
@PostgresTest
class WithoutFlywayTest {

    @TempDir
    private Path folder;

    @BeforeEach
    void clean(Scenario scenario) {
        scenario.session("test").execute("drop schema public cascade", "create schema public");
    }

    @Test
    void guardsLiquibase(Database database, Scenario scenario) throws Exception {
        Path changelog = LiquibaseShop.writeChangelog(folder);
        try (var classPath = ClassPath.without("flyway")) {
            classPath
                    .start(LiquibaseShop.arguments(database, changelog, "--pglock.lock-timeout=3s"))
                    .close();
        }

        Shop.assertThatAMigrationSaw(scenario, "public", "3s");
    }

    @Test
    void leavesFlywayAloneWherePglockFlywayIsNot(Database database, Scenario scenario) throws Exception {
        Shop.writeMigrations(folder);
        try (var classPath = ClassPath.without("pglock-flyway")) {
            classPath
                    .start(Shop.arguments(database, folder, "--pglock.lock-timeout=3s"))
                    .close();
        }

        assertThat(scenario.session("test").execute("select lock_timeout, coalesce(scopes, '') from seen"))
                .containsExactly("0|");
    }
}
