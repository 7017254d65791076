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

    /** As flags want their names: {@code lock-timeout} for {@code lockTimeout}. */
    static Map<String, String> hyphenated(Map<String, String> settings) {
        return settings.entrySet().stream()
                .collect(Collectors.toMap(setting -> apart(setting.getKey(), "-"), Map.Entry::getValue));
    }

    /** As environment variables of Flyway or Liquibase: {@code FLYWAY_PGLOCK_LOCK_TIMEOUT} for {@code lockTimeout}. */
    static Map<String, String> variables(String host, Map<String, String> settings) {
        return settings.entrySet().stream()
                .collect(Collectors.toMap(setting -> variable(host, setting.getKey()), Map.Entry::getValue));
    }

    private static String variable(String host, String key) {
        return (host + "_PGLOCK_" + apart(key, "_")).toUpperCase(Locale.ROOT);
    }

    private static String apart(String key, String between) {
        return key.replaceAll("([A-Z])", between + "$1").toLowerCase(Locale.ROOT);
    }
}
