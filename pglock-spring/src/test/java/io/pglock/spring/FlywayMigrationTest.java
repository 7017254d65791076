// SPDX-License-Identifier: Apache-2.0
package io.pglock.spring;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.flyway.PgLockCallback;
import io.pglock.flyway.PgLockConfiguration;
import io.pglock.testkit.Database;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Scenario;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.callback.Callback;
import org.flywaydb.core.api.callback.Event;
import org.flywaydb.core.api.configuration.FluentConfiguration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.SpringBootVersion;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.env.Environment;

@PostgresTest
class FlywayMigrationTest {

    @TempDir
    private Path migrations;

    @BeforeEach
    void write(Scenario scenario) throws IOException {
        Shop.writeMigrations(migrations);
        scenario.session("test")
                .execute("drop schema public cascade", "drop schema if exists archive cascade", "create schema public");
    }

    @Test
    void runsOnTheBootThatIsMeant() {
        assertThat(SpringBootVersion.getVersion()).isEqualTo(System.getProperty("spring-boot"));
    }

    @Test
    void hasTheDefaultsWithNoSettingAtAll(Database database, Scenario scenario) {
        Shop.start(database, migrations).close();

        Shop.assertThatAMigrationSaw(scenario, "public", "2s");
    }

    @Test
    void hasTheApplicationsSettings(Database database, Scenario scenario) {
        try (var shop = Shop.start(database, migrations, "--pglock.lock-timeout=3s")) {
            assertThat(callbacks(shop.getBean(Flyway.class))).containsExactly(PgLockCallback.class);
        }

        Shop.assertThatAMigrationSaw(scenario, "public", "3s");
    }

    @Test
    void isUntouchedWhereNotEnabled(Database database, Scenario scenario) {
        try (var shop = Shop.start(database, migrations, "--pglock.enabled=false", "--pglock.lock-timeout=3s")) {
            assertThat(callbacks(shop.getBean(Flyway.class))).isEmpty();
        }

        assertThat(scenario.session("test").execute("select lock_timeout, coalesce(scopes, '') from seen"))
                .containsExactly("0|");
    }

    /** What a user has as a bean. */
    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class WithACallback {

        static final AtomicInteger MIGRATIONS = new AtomicInteger();

        /** A proxy, because no class of a callback fits the Flyways of both Boots. */
        @Bean
        Callback counting() {
            return (Callback) Proxy.newProxyInstance(
                    Callback.class.getClassLoader(),
                    new Class<?>[] {Callback.class},
                    (self, method, arguments) -> switch (method.getName()) {
                        case "supports" -> arguments[0] == Event.AFTER_EACH_MIGRATE;
                        case "getCallbackName" -> "counting";
                        case "handle" -> {
                            MIGRATIONS.incrementAndGet();
                            yield null;
                        }
                        case "equals" -> self == arguments[0];
                        case "hashCode" -> 1;
                        default -> true;
                    });
        }
    }

    @Test
    void leavesAUsersCallbackBeansWhereTheyAre(Database database, Scenario scenario) {
        WithACallback.MIGRATIONS.set(0);

        Shop.start(WithACallback.class, database, migrations, "--pglock.lock-timeout=3s")
                .close();

        assertThat(WithACallback.MIGRATIONS).hasValue(1);
        Shop.assertThatAMigrationSaw(scenario, "public", "3s");
    }

    /** Two of a user's own: one as Boot would make it, and one that knows nothing of pglock. */
    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class WithFlywaysOfItsOwn {

        private static FluentConfiguration configuration(DataSource dataSource, String schema, Path migrations) {
            return Flyway.configure().dataSource(dataSource).schemas(schema).locations("filesystem:" + migrations);
        }

        @Bean(initMethod = "migrate")
        Flyway orders(DataSource dataSource, ObjectProvider<Callback> callbacks, MigrationsOf migrations) {
            return configuration(dataSource, "public", migrations.folder())
                    .callbacks(callbacks.orderedStream().toArray(Callback[]::new))
                    .load();
        }

        @Bean(initMethod = "migrate")
        Flyway archive(DataSource dataSource, MigrationsOf migrations) {
            return configuration(dataSource, "archive", migrations.folder()).load();
        }

        @Bean
        MigrationsOf migrations(Environment environment) {
            return new MigrationsOf(Path.of(environment.getRequiredProperty("migrations")));
        }
    }

    record MigrationsOf(Path folder) {}

    @Test
    void hasThemInEveryFlywayThatIsABean(Database database, Scenario scenario) {
        Shop.start(
                        WithFlywaysOfItsOwn.class,
                        database,
                        migrations,
                        "--migrations=" + migrations,
                        "--pglock.lock-timeout=3s")
                .close();

        Shop.assertThatAMigrationSaw(scenario, "public", "3s");
        Shop.assertThatAMigrationSaw(scenario, "archive", "3s");
    }

    /** One whose settings are its own. */
    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class WithSettingsOfItsOwn {

        @Bean(initMethod = "migrate")
        @SuppressWarnings("deprecation")
        Flyway patient(DataSource dataSource, Environment environment) {
            FluentConfiguration configuration = Flyway.configure()
                    .dataSource(dataSource)
                    .locations("filesystem:" + environment.getRequiredProperty("migrations"));
            configuration
                    .getPluginRegister()
                    .getPlugin(PgLockConfiguration.class)
                    .setLockTimeout("9s");
            return configuration.load();
        }
    }

    @Test
    void prefersWhatIsMeantForOneFlyway(Database database, Scenario scenario) {
        Shop.start(
                        WithSettingsOfItsOwn.class,
                        database,
                        migrations,
                        "--migrations=" + migrations,
                        "--pglock.lock-timeout=3s")
                .close();

        Shop.assertThatAMigrationSaw(scenario, "public", "9s");
    }

    /** Migrates before Spring has it. */
    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class WithOneThatMigratesTooEarly {

        @Bean
        Flyway early(DataSource dataSource, ObjectProvider<Callback> callbacks, Environment environment) {
            FluentConfiguration configuration = Flyway.configure()
                    .dataSource(dataSource)
                    .locations("filesystem:" + environment.getRequiredProperty("migrations"));
            if (environment.getRequiredProperty("with-callbacks", Boolean.class)) {
                configuration.callbacks(callbacks.orderedStream().toArray(Callback[]::new));
            }
            Flyway flyway = configuration.load();
            flyway.migrate();
            return flyway;
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void isToldWhereAFlywayHasMigratedBeforeItGotThem(boolean withCallbacks, Database database, Scenario scenario) {
        String output = Output.of(() -> Shop.start(
                        WithOneThatMigratesTooEarly.class,
                        database,
                        migrations,
                        "--migrations=" + migrations,
                        "--with-callbacks=" + withCallbacks,
                        "--pglock.lock-timeout=3s")
                .close());

        Shop.assertThatAMigrationSaw(scenario, "public", withCallbacks ? "3s" : "2s");
        String warning = "pglock: this Flyway has migrated without [lockTimeout], which it gets only now";
        assertThat(output.contains(warning)).isEqualTo(!withCallbacks);
    }

    @Test
    void hasThemWhereFlywayHasADataSourceOfItsOwn(Database database, Scenario scenario) {
        Shop.start(
                        Shop.class,
                        "--spring.datasource.url=jdbc:h2:mem:application",
                        "--spring.flyway.url=" + database.url(),
                        "--spring.flyway.user=" + database.user(),
                        "--spring.flyway.password=" + database.password(),
                        "--spring.flyway.locations=filesystem:" + migrations,
                        "--pglock.lock-timeout=3s")
                .close();

        Shop.assertThatAMigrationSaw(scenario, "public", "3s");
    }

    @Test
    void saysNothingOnAnotherDatabase(@TempDir Path folder) throws IOException {
        Files.writeString(folder.resolve("V1__a.sql"), "create table a (id int);");

        String output = Output.of(() -> Shop.start(
                        Shop.class,
                        "--spring.datasource.url=jdbc:h2:mem:silent",
                        "--spring.flyway.locations=filesystem:" + folder)
                .close());

        assertThat(output).contains("Successfully applied 1 migration").doesNotContain("pglock");
    }

    @Test
    void saysNothingWithoutADatabase() {
        String output = Output.of(
                () -> Shop.start(Shop.class, "--spring.autoconfigure.exclude=" + Shop.dataSourceAutoConfiguration())
                        .close());

        assertThat(output).isEmpty();
    }

    private static Stream<Class<?>> callbacks(Flyway flyway) {
        return Arrays.stream(flyway.getConfiguration().getCallbacks()).map(Callback::getClass);
    }
}
