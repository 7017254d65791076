// SPDX-License-Identifier: Apache-2.0
package io.pglock.flyway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.pglock.LockPolicy;
import io.pglock.LockPolicy.Priority;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.configuration.FluentConfiguration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Every way in which a Java program can hand settings to Flyway, with the file of docs/flyway.md. {@code flyway.toml} is none:
 * what reads plugins' settings from it is Flyway's command line.
 */
class SettingsTest {

    private static void assertThatItIsTheOneOfTheManual(FluentConfiguration flyway) {
        LockPolicy policy = Migrations.pglock(flyway).policy();

        assertThat(policy.lockTimeout()).contains(Duration.ofSeconds(3));
        assertThat(policy.prioritize()).isEqualTo(Priority.TERMINATE);
        assertThat(policy.protect()).containsExactly("pg_dump", "pg_basebackup", "billing");
    }

    private static Path copy(String file, Path folder) throws IOException {
        try (InputStream text = Objects.requireNonNull(SettingsTest.class.getResourceAsStream("/docs/" + file))) {
            return Files.write(folder.resolve(file), text.readAllBytes());
        }
    }

    @Test
    @Proves(Capability.MAP)
    void comeFromAMap() {
        FlywayInUse.assumeTexts();
        assertThatItIsTheOneOfTheManual(Flyway.configure()
                .configuration(Map.of(
                        "flyway.pglock.lockTimeout", "3s",
                        "flyway.pglock.prioritize", "terminate",
                        "flyway.pglock.protect", "pg_dump,pg_basebackup,billing")));
    }

    @Test
    @Proves(Capability.CONF)
    void comeFromFlywayConf(@TempDir Path home) throws IOException {
        FlywayInUse.assumeTexts();
        copy("flyway.conf", home);
        String before = System.setProperty("user.home", home.toString());
        try {
            assertThatItIsTheOneOfTheManual(
                    Flyway.configure().loadDefaultConfigurationFiles(StandardCharsets.UTF_8.name()));
        } finally {
            System.setProperty("user.home", before);
        }
    }

    @Test
    @Proves(Capability.ENVIRONMENT)
    void comeFromTheEnvironment() {
        FlywayInUse.assumeTexts();
        assumeTrue(System.getenv("FLYWAY_PGLOCK_LOCK_TIMEOUT") != null, "Maven sets it");

        FluentConfiguration flyway = Flyway.configure().envVars();

        assertThat(Migrations.pglock(flyway).policy().lockTimeout()).contains(Duration.ofMillis(1234));
    }

    @Test
    @Proves(Capability.TYPED)
    void comeThroughSetters() {
        FluentConfiguration flyway = Flyway.configure();
        Migrations.pglock(flyway).setLockTimeout("3s");
        Migrations.pglock(flyway).setPrioritize("terminate");
        Migrations.pglock(flyway).setProtect("pg_dump,pg_basebackup,billing");

        assertThatItIsTheOneOfTheManual(flyway);
        assertThatItIsTheOneOfTheManual(
                Flyway.configure().configuration(flyway.load().getConfiguration()));
    }
}
