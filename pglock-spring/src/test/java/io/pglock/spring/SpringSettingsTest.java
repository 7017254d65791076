// SPDX-License-Identifier: Apache-2.0
package io.pglock.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pglock.LockPolicy;
import io.pglock.spring.internal.SpringSettings;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.context.properties.source.ConfigurationPropertySources;
import org.springframework.boot.env.YamlPropertySourceLoader;
import org.springframework.core.env.MapPropertySource;
import org.springframework.core.env.MutablePropertySources;
import org.springframework.core.env.StandardEnvironment;
import org.springframework.core.env.SystemEnvironmentPropertySource;
import org.springframework.core.io.ByteArrayResource;

class SpringSettingsTest {

    private final StandardEnvironment environment = new StandardEnvironment() {
        @Override
        protected void customizePropertySources(MutablePropertySources sources) {}
    };

    SpringSettingsTest() {
        ConfigurationPropertySources.attach(environment);
    }

    private Map<String, String> settings() {
        return SpringSettings.of(environment);
    }

    private void properties(Map<String, Object> properties) {
        environment.getPropertySources().addLast(new MapPropertySource("properties", properties));
    }

    private void variables(Map<String, Object> variables) {
        environment
                .getPropertySources()
                .addFirst(new SystemEnvironmentPropertySource(
                        StandardEnvironment.SYSTEM_ENVIRONMENT_PROPERTY_SOURCE_NAME, variables));
    }

    private void systemProperties(Map<String, Object> properties) {
        environment
                .getPropertySources()
                .addFirst(
                        new MapPropertySource(StandardEnvironment.SYSTEM_PROPERTIES_PROPERTY_SOURCE_NAME, properties));
    }

    private void yaml(String text) throws IOException {
        new YamlPropertySourceLoader()
                .load(
                        "application.yaml",
                        new ByteArrayResource(text.getBytes(StandardCharsets.UTF_8), "application.yaml"))
                .forEach(environment.getPropertySources()::addLast);
    }

    @Test
    void areEmptyWhereNothingIsSet() {
        assertThat(settings()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"lock-timeout", "lockTimeout", "lock_timeout", "LOCKTIMEOUT"})
    void areReadInEverySpellingOfSprings(String key) {
        properties(Map.of("pglock." + key, "3s"));

        assertThat(settings()).isEqualTo(Map.of("lockTimeout", "3s"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"PGLOCK_LOCKTIMEOUT", "PGLOCK_LOCK_TIMEOUT"})
    void areReadFromTheEnvironment(String variable) {
        variables(Map.of(variable, "3s"));

        assertThat(settings()).isEqualTo(Map.of("lockTimeout", "3s"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"PGLOCK_LOCKTIMEOUT", "PGLOCK_LOCK_TIMEOUT"})
    void areTakenFromTheSourceThatPrecedes(String variable) {
        properties(Map.of("pglock.lock-timeout", "3s"));
        variables(Map.of(variable, "7s"));

        assertThat(settings()).isEqualTo(Map.of("lockTimeout", "7s"));
    }

    @Test
    void areReadForEveryKeyThereIs() {
        Map<String, Object> kebab = new HashMap<>();
        Map<String, Object> variables = new HashMap<>();
        LockPolicy.keys().forEach(key -> {
            kebab.put("pglock." + key.replaceAll("([A-Z])", "-$1").toLowerCase(Locale.ROOT), "");
            variables.put("PGLOCK_" + key.toUpperCase(Locale.ROOT), "of " + key);
        });
        properties(kebab);
        variables(variables);

        assertThatThrownBy(this::settings)
                .hasMessageContaining("lockTimeout=of lockTimeout: ")
                .hasMessageNotContaining("there is no setting");
    }

    @Test
    void mayBeAList() throws IOException {
        yaml("""
                pglock:
                  protect:
                    - pg_dump
                    - billing
                """);

        assertThat(settings()).isEqualTo(Map.of("protect", "pg_dump,billing"));
    }

    @Test
    void keepAnOffThatYamlTakesForAFlag() throws IOException {
        yaml("""
                pglock:
                  prioritize: off
                  enabled: off
                """);

        assertThat(settings()).isEqualTo(Map.of("prioritize", "off", "enabled", "false"));
    }

    @Test
    void resolvePlaceholders() {
        properties(Map.of("pglock.lock-timeout", "${patience}", "patience", "3s", "pglock.monitor-url", "${unset:}"));

        assertThat(settings()).isEqualTo(Map.of("lockTimeout", "3s"));
    }

    @Test
    void refuseAPlaceholderThatNothingResolves() {
        properties(Map.of("pglock.lock-timeout", "${patience}"));

        assertThatThrownBy(this::settings).hasMessageContaining("lockTimeout=${patience}: ");
    }

    @Test
    void refuseEveryMistakeAtOnceAndSayWhatWasMeant() throws IOException {
        yaml("""
                pglock:
                  lock-timeot: 3s
                  statement-timeout: 5
                """);

        assertThatThrownBy(this::settings)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("statementTimeout=5: a bare number has no unit; write 5s or 5ms")
                .hasMessageContaining("there is no setting lock-timeot. Did you mean lockTimeout?");
    }

    @ParameterizedTest
    @ValueSource(strings = {"spring.flyway.pglock", "flyway.pglock", "spring.liquibase.pglock", "liquibase.pglock"})
    void refuseToBeWrittenWhereNobodyReadsThem(String prefix) {
        properties(Map.of(prefix + ".lockTimeout", "3s"));

        assertThatThrownBy(this::settings)
                .hasMessageContaining(
                        prefix + ".lockTimeout is not read in Spring Boot; write pglock.lock-timeout instead");
    }

    @ParameterizedTest
    @ValueSource(strings = {"table", "advisory", "both"})
    void haveOneThatIsForLiquibaseOnly(String lock) {
        properties(Map.of("pglock.changelog-lock", lock, "pglock.lock-timeout", "3s"));

        assertThat(settings()).isEqualTo(Map.of("changelogLock", lock, "lockTimeout", "3s"));
        assertThat(SpringSettings.forFlyway(environment)).isEqualTo(Map.of("lockTimeout", "3s"));
    }

    @Test
    void refuseAChangelogLockThatThereIsNot() {
        properties(Map.of("pglock.changelog-lock", "session", "pglock.lock-timeout", "3"));

        assertThatThrownBy(() -> SpringSettings.forFlyway(environment))
                .hasMessageContaining("changelogLock=session: write table, advisory or both")
                .hasMessageContaining("lockTimeout=3: a bare number has no unit");
    }

    @Test
    void leaveToLiquibaseWhatLiquibaseReadsItself() {
        systemProperties(Map.of("liquibase.pglock.lockTimeout", "5s"));
        variables(Map.of("LIQUIBASE_PGLOCK_LOCK_TIMEOUT", "6s"));
        properties(Map.of("spring.liquibase.parameters.pglock.lockTimeout", "7s"));

        assertThat(settings()).isEmpty();
    }

    @Test
    void saveAMistakenPrefixFromBeingTakenForLiquibasesOwn() {
        variables(Map.of("LIQUIBASE_PGLOCK_LOCK_TIMEOUT", "6s", "SPRING_LIQUIBASE_PGLOCK_LOCKTIMEOUT", "6s"));
        properties(Map.of("liquibase.pglock.protect", "billing"));

        assertThatThrownBy(this::settings)
                .hasMessage("pglock: spring.liquibase.pglock.locktimeout is not read in Spring Boot; write"
                        + " pglock.lock-timeout instead; pglock: liquibase.pglock.protect is not read in Spring Boot;"
                        + " write pglock.protect instead");
    }

    /** The agent's, those of pglock's command line and its builds, Kubernetes' for a service of that name, and an application's own. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "PGLOCK_WATCH_SECRET",
                "PGLOCK_KEY",
                "PGLOCK_FENCING_TOKEN",
                "PGLOCK_CONFIG",
                "PGLOCK_ON_TIMEOUT",
                "PGLOCK_TARGETS_NIGHTLY_LOCK_TIMEOUT",
                "PGLOCK_PORT",
                "PGLOCK_PORT_5432_TCP",
                "PGLOCK_SERVICE_HOST",
                "PGLOCK_SERVICE_PORT_5432"
            })
    void leaveAloneWhatTheEnvironmentHasForOthers(String variable) {
        variables(Map.of(variable, "tcp://10.0.0.7:5432", "PGLOCK_LOCK_TIMEOUT", "3s"));
        properties(Map.of("pglock.prioritize", "report"));

        assertThat(settings()).isEqualTo(Map.of("lockTimeout", "3s", "prioritize", "report"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "pglock.signalOwnJvm",
                "pglock.config",
                "pglock.targets.nightly.lockTimeout",
                "pglock.targets.nightly.onTimeout",
                "pglock.test.postgres"
            })
    void leaveAloneWhatTheSystemPropertiesHaveForOthers(String property) {
        systemProperties(Map.of(property, "true", "pglock.lockTimeout", "3s"));

        assertThat(settings()).isEqualTo(Map.of("lockTimeout", "3s"));
    }

    @Test
    void refuseThereWhatIsMuchLikeASetting() {
        variables(Map.of("PGLOCK_LOCK_TIMEOT", "3s"));
        systemProperties(Map.of("pglock.prioritise", "cancel"));

        assertThatThrownBy(this::settings)
                .hasMessageContaining("there is no setting lock.timeot. Did you mean lockTimeout?")
                .hasMessageContaining("there is no setting prioritise. Did you mean prioritize?");
    }

    @ParameterizedTest
    @ValueSource(strings = {"watch-secret", "key", "signalOwnJvm", "targets.nightly.lockTimeout"})
    void refuseEverythingElseInAFile(String key) {
        properties(Map.of("pglock." + key, "true"));
        variables(Map.of("PGLOCK_KEY", "nightly"));

        assertThatThrownBy(this::settings).hasMessageContaining("there is no setting " + key);
    }

    @Test
    void neverShowAPassword() {
        properties(Map.of("pglock.monitor-password", "hunter2", "pglock.lock-timeot", "1s"));

        assertThatThrownBy(this::settings).hasMessageNotContaining("hunter2");
    }
}
