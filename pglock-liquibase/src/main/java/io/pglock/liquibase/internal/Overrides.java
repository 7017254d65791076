// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase.internal;

import io.pglock.LockPolicy;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** What one changeset says of its own settings: in attributes, or in a comment. Stateless. */
final class Overrides {

    /** Of the whole run. */
    private static final Set<String> OF_THE_RUN =
            Set.of("monitorUrl", "monitorUser", "monitorPassword", "monitorRequired", "report");

    private static final String PREFIX = "pglock";

    private static final Pattern WITH_COLON = Pattern.compile("pglock\\s+([A-Za-z]+):");

    /** One that is right. */
    record Setting(String key, String text) {}

    private Overrides() {}

    /**
     * An attribute of a changeset, if it is a setting: with the prefix {@code pglock:}, which Liquibase takes off in XML and
     * leaves in YAML and JSON, or without.
     *
     * @param value as it was read: YAML makes numbers and booleans of what looks like them
     * @throws IllegalArgumentException when it is not right, or nearly has the name of a setting
     */
    static Optional<Setting> attribute(String name, @Nullable Object value) {
        boolean prefixed = name.startsWith(PREFIX + ":") || name.startsWith(PREFIX + ".");
        String key = prefixed ? name.substring(PREFIX.length() + 1) : name;
        boolean known = LockPolicy.keys().contains(key);
        boolean text = value instanceof String || value instanceof Number || value instanceof Boolean;
        if (!known && !prefixed && (!text || LockPolicy.nearest(key).isEmpty())) {
            return Optional.empty();
        }
        return Optional.of(checked(key, text ? written(key, String.valueOf(value)) : ""));
    }

    /** YAML reads {@code off} as {@code false}. */
    private static String written(String key, String text) {
        return key.equals("prioritize") && text.equals("false") ? "off" : text;
    }

    private static Setting checked(String key, String text) {
        if (OF_THE_RUN.contains(key)) {
            throw new IllegalArgumentException("pglock: " + key
                    + " is a setting of the whole run and not of one changeset; write liquibase.pglock." + key
                    + "=...");
        }
        LockPolicy.parse(Map.of(key, text));
        return new Setting(key, text);
    }

    /**
     * Lines such as {@code pglock lockTimeout=5s}.
     *
     * @throws IllegalArgumentException when one begins like that and is not right
     */
    static Map<String, String> inComments(@Nullable String comments) {
        Map<String, String> overrides = new TreeMap<>();
        if (comments != null && comments.contains(PREFIX)) {
            comments.lines()
                    .map(String::strip)
                    .filter(line -> line.matches("pglock:.*|pglock\\s.*=.*") || isSettingWithColon(line))
                    .map(line -> line.replaceFirst("^pglock:?\\s*", ""))
                    .forEach(line -> LockPolicy.settings(line)
                            .forEach((key, text) ->
                                    overrides.put(key, checked(key, text).text())));
        }
        return overrides;
    }

    /** {@code pglock lockTimeout:5s}, as on the line of a changeset: the right form is told with what is wrong about it. */
    private static boolean isSettingWithColon(String line) {
        Matcher setting = WITH_COLON.matcher(line);
        return setting.lookingAt() && LockPolicy.keys().contains(setting.group(1));
    }
}
