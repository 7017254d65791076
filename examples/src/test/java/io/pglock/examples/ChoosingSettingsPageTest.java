// SPDX-License-Identifier: Apache-2.0
package io.pglock.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.LockPolicy;
import java.io.IOException;
import java.io.StringReader;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The files that {@code docs/choosing-settings.md} shows are understood, and each of their lines changes something. */
class ChoosingSettingsPageTest {

    private static final Pattern OURS = Pattern.compile("(?:flyway|liquibase)\\.pglock\\.(\\w+)");

    /** Of the hosts, and Liquibase's own one of pglock's. */
    private static final Set<String> OF_HOSTS = Set.of(
            "flyway.postgresql.transactional.lock",
            "liquibase.changelogLockWaitTimeInMinutes",
            "liquibase.pglock.changelogLock");

    private final List<Path> files =
            Docs.find(Docs.ROOT.resolve("examples/src/test/resources/choosing"), ".properties");

    @Test
    void everyFileIsShownAndUnderstood() {
        String page = Docs.read(Docs.page("choosing-settings"));

        assertThat(files).hasSize(8).allSatisfy(file -> {
            assertThat(page)
                    .as("the page has %s", file)
                    .contains(Docs.read(file).split("\\n", 2)[1].split("\\n# end", -1)[0]);
            assertThat(LockPolicy.parse(settings(file)).enabled()).isTrue();
        });
    }

    @Test
    void everySettingIsAnotherOneThanItsDefaultUnlessItIsAStatement() {
        assertThat(files)
                .allSatisfy(file -> settings(file).forEach((key, value) -> {
                    if (!key.startsWith("monitor")
                            && !Map.of("prioritize", "report").entrySet().contains(Map.entry(key, value))) {
                        assertThat(LockPolicy.parse(Map.of(key, value)))
                                .as("%s=%s in %s", key, value, file.getFileName())
                                .isNotEqualTo(LockPolicy.defaults());
                    }
                }));
    }

    private static Map<String, String> settings(Path file) {
        var properties = new Properties();
        try {
            properties.load(new StringReader(Docs.read(file)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return properties.stringPropertyNames().stream()
                .filter(name -> !OF_HOSTS.contains(name))
                .collect(Collectors.toMap(ChoosingSettingsPageTest::key, properties::getProperty));
    }

    private static String key(String name) {
        Matcher ours = OURS.matcher(name);
        assertThat(ours.matches()).as(name).isTrue();
        return ours.group(1);
    }
}
