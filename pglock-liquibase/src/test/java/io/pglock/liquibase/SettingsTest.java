// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.pglock.LockPolicy;
import io.pglock.testkit.Scenario;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.util.Map;
import javax.sql.DataSource;
import liquibase.Scope;
import liquibase.configuration.ConfigurationDefinition;
import liquibase.configuration.LiquibaseConfiguration;
import liquibase.configuration.core.DefaultsFileValueProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Proves(Capability.SETTINGS)
class SettingsTest extends LiquibaseScene {

    private static final String SEEN =
            "<changeSet id=\"1\" author=\"bob\"><sql>create table seen as select current_setting('lock_timeout') t</sql></changeSet>";

    private static final String MINE = "a bare number has no unit; write 4000s or 4000ms";

    SettingsTest(DataSource dataSource, Scenario scenario) {
        super(dataSource, scenario);
    }

    private String seen() throws Exception {
        String seen = value("select t from seen");
        try (Connection connection = dataSource.getConnection()) {
            execute(connection, "drop table seen");
        }
        return seen;
    }

    private void updateWithScope(String key, String value) throws Exception {
        Scope.child(Map.of(key, value), () -> update(Map.of()));
    }

    private static AutoCloseable systemProperty(String key, String value) {
        System.setProperty(key, value);
        return () -> System.clearProperty(key);
    }

    /** As Liquibase's command line and its Maven plugin read liquibase.properties. */
    private static AutoCloseable defaultsFile(String text) throws IOException {
        LiquibaseConfiguration configuration = Scope.getCurrentScope().getSingleton(LiquibaseConfiguration.class);
        DefaultsFileValueProvider file = new DefaultsFileValueProvider(
                new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)), "liquibase.properties");
        configuration.registerProvider(file);
        return () -> configuration.unregisterProvider(file);
    }

    @Test
    void areTheDefaultsWhereNothingIsSet() throws Exception {
        changelog.xml(SEEN);
        update(Map.of());
        assertThat(seen()).isEqualTo("2s");
    }

    @ParameterizedTest
    @ValueSource(strings = {"liquibase.pglock.lockTimeout", "pglock.lockTimeout"})
    void comeFromAScope(String key) throws Exception {
        changelog.xml(SEEN);
        updateWithScope(key, "4s");
        assertThat(seen()).isEqualTo("4s");
    }

    @ParameterizedTest
    @ValueSource(strings = {"liquibase.pglock.lockTimeout", "liquibase.pglock.lock-timeout"})
    void comeFromASystemProperty(String key) throws Exception {
        changelog.xml(SEEN);
        try (AutoCloseable property = systemProperty(key, "4s")) {
            update(Map.of());
        }
        assertThat(seen()).isEqualTo("4s");
    }

    /** Where an agent is attached it is the agent's; in Spring Boot it has come already, by Boot's order of precedence. */
    @ParameterizedTest
    @ValueSource(strings = {"pglock.lockTimeout", "pglock.lock-timeout"})
    void doNotComeFromASystemPropertyOfTheWholeJvm(String key) throws Exception {
        changelog.xml(SEEN);
        try (AutoCloseable property = systemProperty(key, "4s")) {
            update(Map.of("lockTimeout", "3s"));
        }
        assertThat(seen()).isEqualTo("3s");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "liquibase.pglock.lockTimeout",
                "liquibase.pglock.lock-timeout",
                "pglock.lockTimeout",
                "pglock-lock-timeout",
                "pglockLockTimeout",
                "liquibase-pglock-lock-timeout"
            })
    void comeFromLiquibaseProperties(String key) throws Exception {
        changelog.xml(SEEN);
        try (AutoCloseable file = defaultsFile(key + "=4s\n")) {
            update(Map.of());
        }
        assertThat(seen()).isEqualTo("4s");
    }

    @ParameterizedTest
    @ValueSource(strings = {"liquibase.pglock.lockTimeout", "pglock.lockTimeout"})
    void comeFromAPropertyOfTheChangelogAndFromAChangelogParameter(String key) throws Exception {
        changelog.xml("<property name=\"" + key + "\" value=\"4s\"/>" + SEEN);
        update(Map.of());
        assertThat(seen()).isEqualTo("4s");

        changelog.xml(SEEN.replace("id=\"1\"", "id=\"2\""));
        liquibase(Map.of(), liquibase -> {
            liquibase.setChangeLogParameter(key, "5s");
            liquibase.update("");
        });
        assertThat(seen()).isEqualTo("5s");
    }

    @Test
    void theCloserToTheChangesetTheStronger() throws Exception {
        changelog.xml(SEEN);
        try (AutoCloseable property = systemProperty("liquibase.pglock.lockTimeout", "4s")) {
            update(Map.of("lockTimeout", "3s")); // attached
            assertThat(seen()).isEqualTo("4s");

            changelog.xml("<property name=\"pglock.lockTimeout\" value=\"5s\"/>" + SEEN.replace("\"1\"", "\"2\""));
            update(Map.of());
            assertThat(seen()).isEqualTo("5s");

            changelog.xml("<property name=\"pglock.lockTimeout\" value=\"5s\"/>"
                    + SEEN.replace("\"1\"", "\"3\" pglock:lockTimeout=\"6s\""));
            update(Map.of());
            assertThat(seen()).isEqualTo("6s");
        }
    }

    @Test
    void areAllDescribedToLiquibaseAndThePasswordIsHidden() {
        var definitions = Scope.getCurrentScope()
                .getSingleton(LiquibaseConfiguration.class)
                .getRegisteredDefinitions(false);

        assumeTrue(
                !definitions.isEmpty(),
                "up to 4.29 Liquibase has a configuration for each thread, and lists settings in the first only");
        assertThat(definitions)
                .extracting(ConfigurationDefinition::getKey)
                .containsAll(LockPolicy.keys().stream()
                        .map(key -> "liquibase.pglock." + key)
                        .toList())
                .contains("liquibase.pglock.changelogLock");
        assertThat(definitions)
                .filteredOn(definition -> definition.getKey().startsWith("liquibase.pglock."))
                .allSatisfy(
                        definition -> assertThat(definition.getDescription()).startsWith("pglock: "));
        try (AutoCloseable property = systemProperty("liquibase.pglock.monitorPassword", "secret")) {
            assertThat(definitions)
                    .filteredOn(definition -> definition.getKey().endsWith("monitorPassword"))
                    .singleElement()
                    .satisfies(definition ->
                            assertThat(definition.getCurrentValueObfuscated()).isEqualTo("*****"));
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    // ---- mistakes ---------------------------------------------------------------------------------------------------

    private void fails(String... saying) {
        assertThatThrownBy(() -> update(Map.of()))
                .satisfies(thrown ->
                        assertThat(thrown).hasStackTraceContaining(saying[0]).hasStackTraceContaining(saying[1]));
        assertThat(value("select to_regclass('seen') is null")).isEqualTo("t");
    }

    @ParameterizedTest
    @CsvSource({
        "lockTimeout, 4000, pglock: lockTimeout=4000: " + MINE,
        "prioritize, kill, pglock: prioritize=kill: ",
        "changelogLock, row, 'pglock: changelogLock=row: write table, advisory or both'"
    })
    void aBadValueIsShownWithTheRightForm(String key, String value, String message) throws Exception {
        changelog.xml(SEEN);
        assertThatThrownBy(() -> updateWithScope("liquibase.pglock." + key, value))
                .hasStackTraceContaining(message);
        assertThatThrownBy(() -> update(Map.of(key, value)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(message);
        try (AutoCloseable file = defaultsFile("pglock." + key + "=" + value)) {
            fails(message, message);
        }
        assertThat(value("select to_regclass('databasechangelog') is null")).isEqualTo("t");
    }

    @Test
    void aMisspeltKeyIsShownWithTheRightOneWhereverLiquibaseLetsItBeSeen() throws Exception {
        changelog.xml(SEEN);
        try (AutoCloseable property = systemProperty("liquibase.pglock.lokTimeout", "4s")) {
            fails("-Dliquibase.pglock.lokTimeout", "Did you mean liquibase.pglock.lockTimeout?");
        }
        try (AutoCloseable file = defaultsFile("pglock-lok-timeout=4s")) {
            fails("pglock-lok-timeout in liquibase.properties", "Did you mean liquibase.pglock.lockTimeout?");
        }
        try (AutoCloseable file = defaultsFile("parameter.pglock.lokTimeout=4s")) {
            fails("parameter.pglock.lokTimeout", "Did you mean liquibase.pglock.lockTimeout?");
        }
        assertThatThrownBy(() -> update(Map.of("lokTimeout", "4s"))).hasMessageContaining("Did you mean lockTimeout?");
        assertThat(value("select to_regclass('databasechangelog') is null")).isEqualTo("t");
    }

    @Test
    void aBadChangelogParameterFailsTheFirstChangeset() {
        changelog.xml("<property name=\"pglock.lockTimeout\" value=\"4000\"/>" + SEEN);
        fails("pglock: lockTimeout=4000: " + MINE, "changelog.xml::1::bob");
        assertThat(value("select locked from databasechangeloglock")).isEqualTo("f");
    }
}
