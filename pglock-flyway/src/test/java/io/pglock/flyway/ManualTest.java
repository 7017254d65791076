// SPDX-License-Identifier: Apache-2.0
package io.pglock.flyway;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.LockPolicy;
import io.pglock.LockPolicy.Priority;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import java.util.stream.Collectors;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.configuration.FluentConfiguration;
import org.junit.jupiter.api.Test;

/** The settings that docs/flyway.md shows are right. */
class ManualTest {

    private static LockPolicy read(String file) throws IOException {
        Properties properties = new Properties();
        try (Reader reader = new InputStreamReader(
                Objects.requireNonNull(ManualTest.class.getResourceAsStream("/docs/" + file)),
                StandardCharsets.UTF_8)) {
            properties.load(reader);
        }
        FluentConfiguration flyway = Flyway.configure()
                .configuration(properties.stringPropertyNames().stream()
                        .filter(key -> !key.startsWith("["))
                        .collect(Collectors.toMap(
                                key -> key.startsWith("flyway.") ? key : "flyway.pglock." + key,
                                key -> properties.getProperty(key).replace("\"", ""))));
        return Migrations.pglock(flyway).policy();
    }

    @Test
    void theFilesSayWhatTheySay() throws IOException {
        FlywayInUse.assumeTexts();
        LockPolicy conf = read("flyway.conf");

        assertThat(conf.lockTimeout()).contains(Duration.ofSeconds(3));
        assertThat(conf.prioritize()).isEqualTo(Priority.TERMINATE);
        assertThat(conf.protect()).containsExactly("pg_dump", "pg_basebackup", "billing");
        assertThat(read("flyway.toml")).isEqualTo(conf);
        assertThat(read("monitor.conf"))
                .isEqualTo(LockPolicy.parse(Map.of(
                        "monitorUrl", "jdbc:postgresql://db.example.com:5432/shop",
                        "monitorUser", "pglock_watch",
                        "monitorPassword", "secret")));
    }
}
