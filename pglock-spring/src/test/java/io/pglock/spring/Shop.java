// SPDX-License-Identifier: Apache-2.0
package io.pglock.spring;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.testkit.Database;
import io.pglock.testkit.Scenario;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.env.StandardEnvironment;
import org.springframework.core.env.SystemEnvironmentPropertySource;

/** An application on the Boot that is on the class path, with whatever that configures by itself. Its changes are Flyway's. */
@Configuration(proxyBeanMethods = false)
@EnableAutoConfiguration
class Shop {

    /** A migration that writes down what holds for it: {@code 2s}, and one scope of pglock's or none. */
    static void writeMigrations(Path folder) throws IOException {
        Files.writeString(folder.resolve("V1__seen.sql"), """
                create table seen as
                select current_setting('lock_timeout') as lock_timeout,
                       current_setting('pglock.lock_timeout', true) as scopes;
                """);
    }

    /** One row, written once; and one scope in force, which is {@code id=value}. */
    static void assertThatAMigrationSaw(Scenario scenario, String schema, String lockTimeout) {
        assertThat(scenario.session("test")
                        .execute("select lock_timeout, trim(scopes) ~ '^[^= ;]+=[^= ;]+$' from " + schema + ".seen"))
                .containsExactly(lockTimeout + "|t");
    }

    static String dataSourceAutoConfiguration() {
        return thereIs(
                "org.springframework.boot.autoconfigure.jdbc.DataSourceAutoConfiguration",
                "org.springframework.boot.jdbc.autoconfigure.DataSourceAutoConfiguration");
    }

    /** Boot 4 has most classes in other packages. */
    static String thereIs(String... names) {
        return Stream.of(names)
                .filter(name -> Shop.class.getResource("/" + name.replace('.', '/') + ".class") != null)
                .findFirst()
                .orElseThrow();
    }

    static ConfigurableApplicationContext start(Database database, Path migrations, String... arguments) {
        return start(Shop.class, database, migrations, arguments);
    }

    static ConfigurableApplicationContext start(
            Class<?> source, Database database, Path migrations, String... arguments) {
        return start(source, arguments(database, migrations, arguments).toArray(String[]::new));
    }

    static List<String> arguments(Database database, Path migrations, String... more) {
        List<String> all = dataSource(database);
        all.add("--spring.flyway.locations=filesystem:" + migrations);
        all.addAll(List.of(more));
        return all;
    }

    static List<String> dataSource(Database database) {
        return new ArrayList<>(List.of(
                "--spring.datasource.url=" + database.url(),
                "--spring.datasource.username=" + database.user(),
                "--spring.datasource.password=" + database.password(),
                "--spring.datasource.hikari.minimum-idle=0"));
    }

    static ConfigurableApplicationContext start(Class<?> source, String... arguments) {
        return start(source, Map.of(), arguments);
    }

    /** @param variables of its environment, besides those of this build's */
    static ConfigurableApplicationContext start(Class<?> source, Map<String, String> variables, String... arguments) {
        return new SpringApplicationBuilder(source)
                .web(WebApplicationType.NONE)
                .initializers(shop -> add(variables, shop.getEnvironment()))
                .properties("spring.liquibase.enabled=false")
                .run(Stream.concat(
                                Stream.of("--spring.main.banner-mode=off", "--spring.main.log-startup-info=false"),
                                Stream.of(arguments))
                        .toArray(String[]::new));
    }

    private static void add(Map<String, String> variables, ConfigurableEnvironment environment) {
        Map<String, Object> all = new HashMap<>(environment.getSystemEnvironment());
        all.putAll(variables);
        String name = StandardEnvironment.SYSTEM_ENVIRONMENT_PROPERTY_SOURCE_NAME;
        environment.getPropertySources().replace(name, new SystemEnvironmentPropertySource(name, all));
    }
}
