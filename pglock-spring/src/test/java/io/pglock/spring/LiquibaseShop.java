// SPDX-License-Identifier: Apache-2.0
package io.pglock.spring;

import io.pglock.testkit.Database;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Configuration;

/** A {@link Shop} whose changes are Liquibase's. */
@Configuration(proxyBeanMethods = false)
@EnableAutoConfiguration
class LiquibaseShop {

    /** One changeset, which writes down what holds for it as {@link Shop}'s migration does, and can be rolled back. */
    static Path writeChangelog(Path folder) throws IOException {
        return writeChangelog(folder, """
                create table seen as
                select current_setting('lock_timeout') as lock_timeout,
                       current_setting('pglock.lock_timeout', true) as scopes;
                --rollback drop table seen;
                """);
    }

    static Path writeChangelog(Path folder, String sql) throws IOException {
        return Files.writeString(
                folder.resolve("changelog.sql"), "--liquibase formatted sql\n\n--changeset shop:1\n" + sql);
    }

    static List<String> arguments(Database database, Path changelog, String... more) {
        List<String> all = Shop.dataSource(database);
        all.addAll(changelog(changelog));
        all.addAll(List.of(more));
        return all;
    }

    static List<String> changelog(Path changelog) {
        return new ArrayList<>(List.of(
                "--spring.flyway.enabled=false",
                "--spring.liquibase.enabled=true",
                "--spring.liquibase.change-log=" + changelog.toUri()));
    }

    static ConfigurableApplicationContext start(Database database, Path changelog, String... more) {
        return start(LiquibaseShop.class, database, changelog, more);
    }

    static ConfigurableApplicationContext start(Class<?> source, Database database, Path changelog, String... more) {
        return Shop.start(source, arguments(database, changelog, more).toArray(String[]::new));
    }
}
