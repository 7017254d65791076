// SPDX-License-Identifier: Apache-2.0
package io.pglock.spring;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.spring.internal.SpringSettings;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The settings that docs/spring-boot.md shows are right. */
class ManualTest {

    private static Map<String, String> read(String file, String... arguments) {
        return read(file, Map.of(), arguments);
    }

    private static Map<String, String> read(String file, Map<String, String> variables, String... arguments) {
        String[] all = Stream.concat(
                        Stream.of(
                                "--spring.config.location=classpath:/docs/" + file,
                                "--spring.autoconfigure.exclude=" + Shop.dataSourceAutoConfiguration()),
                        Stream.of(arguments))
                .toArray(String[]::new);
        try (var shop = Shop.start(Shop.class, variables, all)) {
            return SpringSettings.of(shop.getEnvironment());
        }
    }

    @Test
    void theFilesSayWhatTheySay() {
        assertThat(read("application.yaml"))
                .isEqualTo(Map.of(
                        "lockTimeout", "3s", "prioritize", "terminate", "protect", "pg_dump,pg_basebackup,billing"));
        assertThat(read("application.yaml", "--spring.profiles.active=dev")).containsEntry("enabled", "false");
        assertThat(read("liquibase.yaml")).isEqualTo(Map.of("lockTimeout", "3s", "changelogLock", "advisory"));
        assertThat(read("application.properties", Map.of("PGLOCK_WATCH_SECRET", "secret")))
                .isEqualTo(Map.of(
                        "lockTimeout", "3s",
                        "monitorUrl", "jdbc:postgresql://db.example.com:5432/shop",
                        "monitorUser", "pglock_watch",
                        "monitorPassword", "secret"));
    }
}
