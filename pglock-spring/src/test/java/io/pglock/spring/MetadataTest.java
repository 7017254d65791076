// SPDX-License-Identifier: Apache-2.0
package io.pglock.spring;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.LockPolicy.Priority;
import io.pglock.internal.Setting;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import liquibase.Scope;
import liquibase.configuration.LiquibaseConfiguration;
import org.junit.jupiter.api.Test;
import org.springframework.boot.json.JsonParserFactory;

/** What editors complete and explain is what there is. */
class MetadataTest {

    private static final Path METADATA = Path.of(
            System.getProperty("basedir", "."), "src/main/resources/META-INF/spring-configuration-metadata.json");

    private static final String CHANGELOG_LOCK = "pglock.changelog-lock";

    /** With {@code -Dpglock.spring.metadata=write} it becomes what it has to be. */
    @Test
    void isMadeOfTheSettings() throws IOException {
        String expected =
                """
                {
                  "groups": [
                    {
                      "name": "pglock",
                      "description": "PostgreSQL's locks under control, around every migration and changeset."
                    }
                  ],
                  "properties": [
                %s
                  ],
                  "hints": [
                %s
                  ]
                }
                """.formatted(all(MetadataTest::property, changelogLock()), all(MetadataTest::hint, changelogLocks()));
        assertThat(JsonParserFactory.getJsonParser().parseMap(expected)).containsKeys("groups", "properties", "hints");
        if (Objects.equals(System.getProperty("pglock.spring.metadata"), "write")) {
            Files.writeString(METADATA, expected);
        }

        assertThat(Files.readString(METADATA).replace("\r\n", "\n"))
                .as("rewrite it with -Dpglock.spring.metadata=write")
                .isEqualTo(expected);
    }

    @FunctionalInterface
    private interface Part {
        Optional<String> of(Setting setting);
    }

    private static String all(Part part, String ofChangelogLock) {
        return Stream.concat(
                        Arrays.stream(Setting.values()).map(part::of).flatMap(Optional::stream),
                        Stream.of(ofChangelogLock))
                .map(text -> text.indent(4).stripTrailing())
                .collect(Collectors.joining(",\n"));
    }

    private static Optional<String> property(Setting setting) {
        Object value = setting.defaultValue().orElse("");
        String fallback = setting.defaultText().isEmpty()
                ? ""
                : ",\n  \"defaultValue\": "
                        + (value instanceof Boolean ? setting.defaultText() : quoted(setting.defaultText()));
        return Optional.of(property(name(setting), type(value), description(setting), fallback));
    }

    /** What only Liquibase has, in the words that it has them from pglock. */
    private static String changelogLock() {
        String meaning = Scope.getCurrentScope()
                .getSingleton(LiquibaseConfiguration.class)
                .getRegisteredDefinition("liquibase.pglock.changelogLock")
                .getDescription();
        return property(
                CHANGELOG_LOCK,
                "java.lang.String",
                meaning.replace("pglock: ", "Liquibase only: ").replace("`", ""),
                ",\n  \"defaultValue\": \"table\"");
    }

    private static String changelogLocks() {
        return hint(CHANGELOG_LOCK, Stream.of("table", "advisory", "both"), "");
    }

    private static String property(String name, String type, String description, String fallback) {
        return """
                {
                  "name": %s,
                  "type": "%s",
                  "description": %s%s
                }""".formatted(quoted(name), type, quoted(description), fallback);
    }

    /** A duration has a unit here, and a limit may be {@code none}: an editor that knows Java's would take {@code 200} and {@code PT3S}. */
    private static String type(Object value) {
        if (value instanceof Boolean) {
            return "java.lang.Boolean";
        }
        return value instanceof List ? "java.util.List<java.lang.String>" : "java.lang.String";
    }

    private static Optional<String> hint(Setting setting) {
        Object value = setting.defaultValue().orElse("");
        if (value instanceof Priority) {
            return Optional.of(hint(
                    name(setting),
                    Arrays.stream(Priority.values()).map(each -> each.name().toLowerCase(Locale.ROOT)),
                    ""));
        }
        if (value instanceof Boolean) {
            return Optional.of(hint(name(setting), Stream.of("true", "false"), ""));
        }
        if (value instanceof Optional || value instanceof List) {
            return Optional.of(hint(name(setting), Stream.of("none"), ",\n  \"providers\": [ { \"name\": \"any\" } ]"));
        }
        return Optional.empty();
    }

    private static String hint(String name, Stream<String> values, String providers) {
        return """
                {
                  "name": %s,
                  "values": [ %s ]%s
                }""".formatted(
                quoted(name),
                values.map(value -> "{ \"value\": " + quoted(value) + " }").collect(Collectors.joining(", ")),
                providers);
    }

    private static String name(Setting setting) {
        return "pglock." + kebab(setting.key());
    }

    /** The manual's Markdown as plain text, and its keys as Spring spells them. */
    private static String description(Setting setting) {
        String text = setting.meaning();
        for (Setting other : Setting.values()) {
            text = text.replace("`" + other.key() + "`", kebab(other.key()));
        }
        return text.replace("`", "");
    }

    private static String kebab(String key) {
        return key.replaceAll("([A-Z])", "-$1").toLowerCase(Locale.ROOT);
    }

    private static String quoted(String text) {
        return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
    }
}
