// SPDX-License-Identifier: Apache-2.0
package io.pglock.spring;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.liquibase.PgLockLiquibase;
import io.pglock.testkit.Database;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Scenario;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import javax.sql.DataSource;
import liquibase.Liquibase;
import liquibase.exception.LiquibaseException;
import liquibase.integration.spring.Customizer;
import liquibase.integration.spring.MultiTenantSpringLiquibase;
import liquibase.integration.spring.SpringLiquibase;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.env.Environment;

@PostgresTest
class LiquibaseMigrationTest {

    @TempDir
    private Path folder;

    private Path changelog;

    @BeforeEach
    void write(Scenario scenario) throws IOException {
        changelog = LiquibaseShop.writeChangelog(folder);
        scenario.session("test")
                .execute("drop schema public cascade", "drop schema if exists archive cascade", "create schema public");
    }

    @Test
    void hasTheDefaultsWithNoSettingAtAll(Database database, Scenario scenario) {
        LiquibaseShop.start(database, changelog).close();

        Shop.assertThatAMigrationSaw(scenario, "public", "2s");
    }

    @Test
    void hasTheApplicationsSettings(Database database, Scenario scenario) throws IOException {
        Path yaml = Files.writeString(folder.resolve("application.yaml"), """
                pglock:
                  lock-timeout: 3s
                """);

        LiquibaseShop.start(database, changelog, "--spring.config.location=" + yaml)
                .close();

        Shop.assertThatAMigrationSaw(scenario, "public", "3s");
    }

    @Test
    void isUntouchedWhereNotEnabled(Database database, Scenario scenario) {
        LiquibaseShop.start(database, changelog, "--pglock.enabled=false", "--pglock.lock-timeout=3s")
                .close();

        assertThat(scenario.session("test").execute("select lock_timeout, coalesce(scopes, '') from seen"))
                .containsExactly("0|");
    }

    @Test
    void prefersWhatLiquibaseItselfIsGiven(Database database, Scenario scenario) {
        System.setProperty("liquibase.pglock.lockTimeout", "5s");
        try {
            LiquibaseShop.start(database, changelog, "--pglock.lock-timeout=3s").close();
        } finally {
            System.clearProperty("liquibase.pglock.lockTimeout");
        }

        Shop.assertThatAMigrationSaw(scenario, "public", "5s");
    }

    /** What a user has as a bean: Boot hands it to its Liquibase. */
    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class WithACustomizer {

        @Bean
        Customizer<Liquibase> naming() {
            return liquibase -> liquibase.setChangeLogParameter("table", "seen");
        }
    }

    @Test
    void leavesAUsersCustomizerBeanWhereItIs(Database database, Scenario scenario) throws IOException {
        Path parameterized = LiquibaseShop.writeChangelog(folder, """
                create table ${table} as
                select current_setting('lock_timeout') as lock_timeout,
                       current_setting('pglock.lock_timeout', true) as scopes;
                """);

        LiquibaseShop.start(WithACustomizer.class, database, parameterized, "--pglock.lock-timeout=3s")
                .close();

        Shop.assertThatAMigrationSaw(scenario, "public", "3s");
    }

    /** A user's own: one as Boot would make it, and one of a class of its own. */
    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class WithSomeOfItsOwn {

        static final class Archive extends SpringLiquibase {
            @Override
            protected Liquibase createLiquibase(Connection connection) throws LiquibaseException {
                Liquibase liquibase = super.createLiquibase(connection);
                liquibase.setChangeLogParameter("schema", "archive");
                return liquibase;
            }
        }

        @Bean
        SpringLiquibase orders(DataSource dataSource, Environment environment) {
            return prepared(new SpringLiquibase(), "public", dataSource, environment);
        }

        @Bean
        Archive archive(DataSource dataSource, Environment environment) {
            return prepared(new Archive(), "archive", dataSource, environment);
        }

        private static <T extends SpringLiquibase> T prepared(
                T liquibase, String schema, DataSource dataSource, Environment environment) {
            liquibase.setDataSource(dataSource);
            liquibase.setDefaultSchema(schema);
            liquibase.setChangeLog(environment.getRequiredProperty("spring.liquibase.change-log"));
            liquibase.setChangeLogParameters(Map.of("schema", schema));
            return liquibase;
        }
    }

    @Test
    void hasThemInEverySpringLiquibaseThatIsABean(Database database, Scenario scenario) throws IOException {
        scenario.session("test").execute("create schema archive");
        Path parameterized = LiquibaseShop.writeChangelog(folder, """
                create table ${schema}.seen as
                select current_setting('lock_timeout') as lock_timeout,
                       current_setting('pglock.lock_timeout', true) as scopes;
                """);

        LiquibaseShop.start(WithSomeOfItsOwn.class, database, parameterized, "--pglock.lock-timeout=3s")
                .close();

        Shop.assertThatAMigrationSaw(scenario, "public", "3s");
        Shop.assertThatAMigrationSaw(scenario, "archive", "3s");
    }

    /** One whose settings are its own. */
    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class WithSettingsOfItsOwn {

        @Bean
        SpringLiquibase patient(DataSource dataSource, Environment environment) {
            var liquibase = new SpringLiquibase();
            liquibase.setDataSource(dataSource);
            liquibase.setChangeLog(environment.getRequiredProperty("spring.liquibase.change-log"));
            // docs: spring-boot-customizer
            liquibase.setCustomizer(
                    each -> PgLockLiquibase.attach(each.getDatabase(), dataSource, Map.of("lockTimeout", "9s")));
            // end
            return liquibase;
        }
    }

    @Test
    void prefersWhatIsMeantForOneLiquibase(Database database, Scenario scenario) {
        LiquibaseShop.start(WithSettingsOfItsOwn.class, database, changelog, "--pglock.lock-timeout=3s")
                .close();

        Shop.assertThatAMigrationSaw(scenario, "public", "9s");
    }

    /** What makes each {@link SpringLiquibase} itself. */
    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class WithTenants {

        @Bean
        MultiTenantSpringLiquibase tenants(DataSource dataSource, Environment environment) {
            var tenants = new MultiTenantSpringLiquibase();
            tenants.setDataSource(dataSource);
            tenants.setChangeLog(environment.getRequiredProperty("spring.liquibase.change-log"));
            return tenants;
        }
    }

    @Test
    void saysWhomItsSettingsDoNotReach(Database database, Scenario scenario) {
        List<String> arguments = Shop.dataSource(database);
        arguments.addAll(List.of(
                "--spring.flyway.enabled=false",
                "--spring.liquibase.change-log=" + changelog.toUri(),
                "--pglock.lock-timeout=3s"));

        String output = Output.of(() ->
                Shop.start(WithTenants.class, arguments.toArray(String[]::new)).close());

        assertThat(output).containsOnlyOnce("pglock: tenants makes each SpringLiquibase itself");
        Shop.assertThatAMigrationSaw(scenario, "public", "2s");
    }

    @Test
    void letsLiquibaseDropEverythingFirst(Database database, Scenario scenario) {
        scenario.session("test").execute("create table seen ()");

        LiquibaseShop.start(database, changelog, "--spring.liquibase.drop-first=true", "--pglock.lock-timeout=3s")
                .close();

        Shop.assertThatAMigrationSaw(scenario, "public", "3s");
    }

    @Test
    void isNotInTheRollbackFileThatLiquibaseWrites(Database database, Scenario scenario) {
        Path rollback = folder.resolve("rollback.sql");

        LiquibaseShop.start(
                        database, changelog, "--spring.liquibase.rollback-file=" + rollback, "--pglock.lock-timeout=3s")
                .close();

        assertThat(rollback).content().contains("drop table seen").doesNotContain("lock_timeout", "set_config");
        Shop.assertThatAMigrationSaw(scenario, "public", "3s");
    }

    @Test
    void letsLiquibaseTestTheRollback(Database database, Scenario scenario) {
        LiquibaseShop.start(
                        database,
                        changelog,
                        "--spring.liquibase.test-rollback-on-update=true",
                        "--pglock.lock-timeout=3s")
                .close();

        Shop.assertThatAMigrationSaw(scenario, "public", "3s");
    }

    @Test
    void goesTogetherWithFlyway(Database database, Scenario scenario, @TempDir Path migrations) throws IOException {
        Shop.writeMigrations(migrations);
        List<String> arguments = Shop.arguments(
                database,
                migrations,
                "--spring.flyway.default-schema=archive",
                "--spring.liquibase.enabled=true",
                "--spring.liquibase.change-log=" + changelog.toUri(),
                "--pglock.lock-timeout=3s",
                "--pglock.changelog-lock=table");

        Shop.start(Shop.class, arguments.toArray(String[]::new)).close();

        Shop.assertThatAMigrationSaw(scenario, "archive", "3s");
        Shop.assertThatAMigrationSaw(scenario, "public", "3s");
    }

    @Test
    void saysNothingOnAnotherDatabase() throws IOException {
        Path tables = LiquibaseShop.writeChangelog(folder, "create table a (id int);");

        String output = Output.of(() -> Shop.start(
                        Shop.class,
                        Stream.concat(
                                        Stream.of("--spring.datasource.url=jdbc:h2:mem:liquibase"),
                                        LiquibaseShop.changelog(tables).stream())
                                .toArray(String[]::new))
                .close());

        assertThat(output).contains("ran successfully").doesNotContain("pglock");
    }
}
