// SPDX-License-Identifier: Apache-2.0
package io.pglock.examples.hosts;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.testkit.Database;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A strategy of an application's own repeats what cannot be tried again one by one: here, migrations in one transaction. */
@PostgresTest
class SpringBootWholeRunTest {

    @ParameterizedTest
    @ValueSource(strings = {"3.5", "4.1"})
    void repeatsTheWholeRunUntilTheBlockerIsGone(
            String boot, Database database, Scenario scenario, @TempDir Path folder) throws Exception {
        Session test = scenario.session("test");
        test.execute(
                "drop table if exists flyway_schema_history",
                "drop schema if exists shop cascade",
                "create schema shop",
                "create table shop.log (entry text)",
                "create table shop.orders (id int)");
        Path sql = Files.createDirectory(folder.resolve("sql"));
        Files.writeString(sql.resolve("V1__begin.sql"), "insert into shop.log values ('V1');\n");
        Files.writeString(sql.resolve("V2__note.sql"), "alter table shop.orders add column note text;\n");
        Session web = scenario.session("web");
        web.begin();
        web.execute("select * from shop.orders");

        ProcessBuilder migrate = SpringBootJar.withFlyway(boot)
                .channels()
                .get("an argument")
                .migrate(database, folder, Map.of("lockTimeout", "500ms", "retryDelay", "2s"));
        migrate.command().addAll(List.of("--spring.profiles.active=whole-runs", "--spring.flyway.group=true"));
        try (HostProcess host = HostProcess.start(migrate, folder)) {
            scenario.await("the run to be repeated", () -> {
                assertThat(host.isAlive()).as(host.output()).isTrue();
                return host.output().contains("(attempt 2");
            });
            web.commit();

            assertThat(host.exitCode()).as(host.output()).isZero();
        }

        assertThat(test.execute("select version, success from flyway_schema_history order by installed_rank"))
                .containsExactly("1|t", "2|t");
        assertThat(test.execute("select entry from shop.log")).containsExactly("V1");
    }
}
