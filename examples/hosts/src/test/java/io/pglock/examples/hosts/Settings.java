// SPDX-License-Identifier: Apache-2.0
package io.pglock.examples.hosts;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** pglock's settings as hosts want them written. */
final class Settings {

    private Settings() {}

    /** One line for each, from a format that takes the key and the value. */
    static List<String> lines(Map<String, String> settings, String format) {
        return settings.entrySet().stream()
                .map(setting -> format.formatted(setting.getKey(), setting.getValue()))
                .toList();
    }

    /** As environment variables: {@code FLYWAY_PGLOCK_LOCK_TIMEOUT} for {@code lockTimeout}. */
    static Map<String, String> variables(Map<String, String> settings) {
        return settings.entrySet().stream()
                .collect(Collectors.toMap(setting -> variable(setting.getKey()), Map.Entry::getValue));
    }

    private static String variable(String key) {
        return "FLYWAY_PGLOCK_" + key.replaceAll("([A-Z])", "_$1").toUpperCase(Locale.ROOT);
    }
}
