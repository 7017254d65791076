// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import io.pglock.LockPolicy;
import io.pglock.internal.Setting;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The agent's vocabulary: LockPolicy's, what a target has beside it, and what the agent as a whole has. */
final class Keys {

    static final String TARGET = "target";
    static final String TARGETS = "targets";

    static final String ADVISORY = "advisory";
    static final String ADVISORY_SHARED = "advisoryShared";
    static final String ADVISORY_XACT = "advisoryXact";
    static final String ADVISORY_TIMEOUT = "advisoryTimeout";
    static final String TABLE = "table";
    static final String TABLE_MODE = "tableMode";
    static final String TABLE_TIMEOUT = "tableTimeout";
    static final String ON_TIMEOUT = "onTimeout";
    static final String SKIP_VALUE = "skipValue";
    static final String DONE_ON_RETURN = "doneOnReturn";

    static final String ENABLED = "enabled";
    static final String ON_ERROR = "onError";
    static final String LOG = "log";
    static final String LOG_FILE = "logFile";
    static final String CONFIG = "config";
    static final String EXCLUDE_CLASSES = "excludeClasses";
    static final String SPRING = "spring";

    /** What says how one method is treated, beside LockPolicy's. */
    static final List<String> OF_A_METHOD = List.of(
            ADVISORY,
            ADVISORY_SHARED,
            ADVISORY_XACT,
            ADVISORY_TIMEOUT,
            TABLE,
            TABLE_MODE,
            TABLE_TIMEOUT,
            ON_TIMEOUT,
            SKIP_VALUE,
            DONE_ON_RETURN);

    static final List<String> OF_THE_AGENT = List.of(ENABLED, ON_ERROR, LOG, LOG_FILE, CONFIG, EXCLUDE_CLASSES, SPRING);

    /** What may stand in a target. */
    static final List<String> OF_A_TARGET = Stream.of(List.of(TARGET), OF_A_METHOD, LockPolicy.keys())
            .flatMap(List::stream)
            .toList();

    static final List<String> ALL = Stream.concat(OF_A_TARGET.stream(), OF_THE_AGENT.stream())
            .distinct()
            .toList();

    private static final Map<String, String> SPELLINGS = spellings();

    private Keys() {}

    /** The key that is spelt so: {@code lockTimeout} or {@code lock-timeout}. */
    static Optional<String> spelt(String text) {
        return Optional.ofNullable(SPELLINGS.get(text));
    }

    /** The key that was probably meant. */
    static Optional<String> nearest(String text, List<String> known) {
        return Setting.nearest(text, known);
    }

    static String unknown(String text, List<String> known) {
        return "there is no setting " + text + ". "
                + nearest(text, known)
                        .map(near -> "Did you mean " + near + "? ")
                        .orElse("")
                + "Available are: " + String.join(", ", known);
    }

    /** {@code lock-timeout}. */
    static String kebab(String key) {
        return key.replaceAll("([A-Z])", "-$1").toLowerCase(Locale.ROOT);
    }

    /** {@code LOCK_TIMEOUT}, as an environment variable has it. */
    static String snake(String key) {
        return kebab(key).replace('-', '_').toUpperCase(Locale.ROOT);
    }

    static boolean isSecret(String key) {
        return LockPolicy.keys().contains(key) && LockPolicy.isSecret(key);
    }

    /** Settings as they may be shown. */
    static String shown(Map<String, String> settings) {
        return settings.entrySet().stream()
                .map(setting -> setting.getKey() + "=" + shown(setting.getKey(), setting.getValue()))
                .collect(Collectors.joining(" "));
    }

    /** A value as it may be shown: no password, also not that of a URL. */
    static String shown(String key, String value) {
        if (isSecret(key)) {
            return "...";
        }
        return key.equals(Setting.MONITOR_URL.key()) ? MonitorKeys.shown(value) : value;
    }

    private static Map<String, String> spellings() {
        Map<String, String> spellings = new LinkedHashMap<>();
        ALL.forEach(key -> {
            spellings.put(key, key);
            spellings.put(kebab(key), key);
        });
        return Map.copyOf(spellings);
    }
}
