// SPDX-License-Identifier: Apache-2.0
package io.pglock.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pglock.testkit.Database;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import javax.sql.DataSource;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.beans.factory.support.AutowireCandidateQualifier;
import org.springframework.beans.factory.support.BeanDefinitionRegistry;
import org.springframework.beans.factory.support.BeanDefinitionRegistryPostProcessor;
import org.springframework.beans.factory.support.RootBeanDefinition;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.env.Environment;
import org.springframework.jdbc.datasource.DriverManagerDataSource;
import org.springframework.util.ClassUtils;

/** Who is in the way is seen through the data source that Liquibase has, wherever that is from. */
@PostgresTest
class LiquibaseBlockerTest {

    private static final List<String> TERMINATE =
            List.of("--pglock.prioritize=terminate", "--pglock.prioritize-after=100ms");

    private Path changelog;

    @BeforeEach
    void write(Scenario scenario, @TempDir Path folder) throws IOException {
        changelog = LiquibaseShop.writeChangelog(folder, "alter table orders add column note text;");
        scenario.session("test")
                .execute("drop schema public cascade", "create schema public", "create table orders (id int)");
    }

    private static Session readerOfOrders(Scenario scenario) {
        Session web = scenario.session("web");
        web.begin();
        web.execute("select * from orders");
        return web;
    }

    private static void assertThatItGetsThrough(Scenario scenario, Class<?> source, List<String> arguments) {
        Session web = readerOfOrders(scenario);
        List<String> all = new ArrayList<>(arguments);
        all.addAll(TERMINATE);

        String output =
                Output.of(() -> Shop.start(source, all.toArray(String[]::new)).close());

        assertThat(output)
                .contains("blocked by pid " + web.pid() + " (web, idle in transaction for ")
                .contains("Terminated pid " + web.pid() + " (web, idle in transaction for ");
        scenario.awaitGone(web.pid());
        assertThat(scenario.session("test").execute("select note from orders")).isEmpty();
    }

    @Test
    void isTheApplications(Database database, Scenario scenario) {
        assertThatItGetsThrough(
                scenario,
                Shop.class,
                LiquibaseShop.arguments(database, changelog, "--spring.datasource.hikari.maximum-pool-size=2"));
    }

    @Test
    void isLiquibasesOwnByItsUrl(Database database, Scenario scenario) {
        List<String> arguments = LiquibaseShop.changelog(changelog);
        arguments.addAll(List.of(
                "--spring.datasource.url=jdbc:h2:mem:application",
                "--spring.liquibase.url=" + database.url(),
                "--spring.liquibase.user=" + database.user(),
                "--spring.liquibase.password=" + database.password()));

        assertThatItGetsThrough(scenario, Shop.class, arguments);
    }

    /** The application's, in H2, and one with the annotation, which has another package on each Boot. */
    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class WithALiquibaseDataSource {

        @Bean
        static BeanDefinitionRegistryPostProcessor dataSources(Environment environment) {
            return new BeanDefinitionRegistryPostProcessor() {
                @Override
                public void postProcessBeanDefinitionRegistry(BeanDefinitionRegistry registry) {
                    var definition = new RootBeanDefinition(
                            DataSource.class,
                            () -> new DriverManagerDataSource(
                                    environment.getRequiredProperty("url"),
                                    environment.getRequiredProperty("user"),
                                    environment.getRequiredProperty("password")));
                    definition.addQualifier(new AutowireCandidateQualifier(annotation()));
                    registry.registerBeanDefinition("migrating", definition);
                    var applications = new RootBeanDefinition(
                            DataSource.class, () -> new DriverManagerDataSource("jdbc:h2:mem:application"));
                    applications.setPrimary(true);
                    registry.registerBeanDefinition("applications", applications);
                }
            };
        }

        private static Class<?> annotation() {
            return ClassUtils.resolveClassName(
                    Shop.thereIs(
                            "org.springframework.boot.autoconfigure.liquibase.LiquibaseDataSource",
                            "org.springframework.boot.liquibase.autoconfigure.LiquibaseDataSource"),
                    Shop.class.getClassLoader());
        }
    }

    @Test
    void isLiquibasesOwnByItsAnnotation(Database database, Scenario scenario) {
        List<String> arguments = LiquibaseShop.changelog(changelog);
        arguments.addAll(
                List.of("--url=" + database.url(), "--user=" + database.user(), "--password=" + database.password()));

        assertThatItGetsThrough(scenario, WithALiquibaseDataSource.class, arguments);
    }

    @Test
    void isNamedWhenTheApplicationDoesNotStart(Database database, Scenario scenario) {
        Session web = readerOfOrders(scenario);

        String output = Output.of(() -> assertThatThrownBy(() -> LiquibaseShop.start(
                        database, changelog, "--pglock.lock-timeout=500ms", "--pglock.retry-attempts=1"))
                .hasStackTraceContaining("canceling statement due to lock timeout"));

        assertThat(output).contains("blocked by pid " + web.pid() + " (web, idle in transaction for ");
        web.commit();
        assertThat(scenario.session("test").value("select count(*) from databasechangelog"))
                .isEqualTo("0");
        assertThat(scenario.session("test").value("select locked from databasechangeloglock"))
                .isEqualTo("f");
    }

    @Test
    void isMissedInAPoolOfOneAndSaysSo(Database database, Scenario scenario, @TempDir Path folder) throws IOException {
        Path slow = LiquibaseShop.writeChangelog(folder, "select pg_sleep(1.8);");

        String output = Output.of(() -> LiquibaseShop.start(
                        database,
                        slow,
                        "--spring.datasource.hikari.maximum-pool-size=1",
                        "--spring.datasource.hikari.connection-timeout=1000")
                .close());

        assertThat(output).containsOnlyOnce(" is not seen: ").contains("The work itself goes on.");
        assertThat(scenario.session("test").value("select count(*) from databasechangelog"))
                .isEqualTo("1");
    }
}
