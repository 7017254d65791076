// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import io.pglock.LockPolicy;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * What pglock's annotations say, in the keys of the configuration. They are known by name only: their classes belong to
 * the application, and may be of another version.
 */
final class AnnotationKeys {

    private static final String ADVISORY = "WithAdvisoryLock";
    private static final String TABLE = "WithTableLock";
    private static final String TIMEOUT = "WithLockTimeout";
    private static final String PRIORITY = "WithPriority";

    private static final String VALUE = "value";
    private static final String ITS_TIMEOUT = "timeout";
    private static final String SETTINGS = "settings";
    private static final String NONE = "none";
    private static final String RAISE = "raise";

    private static final Map<String, Set<String>> ATTRIBUTES = Map.of(
            ADVISORY, Set.of(VALUE, "shared", "xact", ITS_TIMEOUT, Keys.ON_TIMEOUT, Keys.SKIP_VALUE),
            TABLE, Set.of(VALUE, "mode", ITS_TIMEOUT, Keys.ON_TIMEOUT, Keys.SKIP_VALUE),
            TIMEOUT, Set.of(VALUE, "statementTimeout", SETTINGS),
            PRIORITY, Set.of(VALUE, SETTINGS));

    private final Map<String, String> keys = new LinkedHashMap<>();
    private final Map<String, String> saidBy = new LinkedHashMap<>();
    private final Mistakes mistakes = new Mistakes();

    private AnnotationKeys() {}

    /**
     * All annotations of one method together.
     *
     * @param annotations attributes by the annotation's simple name: texts, booleans, arrays of texts, names of enum constants;
     *     an attribute that is missing has its default
     * @throws IllegalArgumentException naming every mistake that is not one of the configuration as well
     */
    static Map<String, String> of(Map<String, Map<String, Object>> annotations) {
        AnnotationKeys reading = new AnnotationKeys();
        // In one order, whatever the order on the method.
        new TreeMap<>(annotations).forEach(reading::add);
        reading.mistakes.raise();
        return reading.keys;
    }

    private void add(String annotation, Map<String, Object> attributes) {
        Set<String> known = ATTRIBUTES.get(annotation);
        if (known == null) {
            mistakes.add("@" + annotation + " is none of pglock's annotations");
            return;
        }
        attributes.keySet().stream()
                .filter(attribute -> !known.contains(attribute))
                .sorted()
                .forEach(attribute -> mistakes.add("@" + annotation + ": this version of the agent does not know "
                        + attribute + "; use the same version of pglock for both"));
        switch (annotation) {
            case ADVISORY -> {
                put(annotation, Keys.ADVISORY, text(attributes, VALUE, ""));
                putUnless("false", annotation, Keys.ADVISORY_SHARED, text(attributes, "shared", "false"));
                putUnless("false", annotation, Keys.ADVISORY_XACT, text(attributes, "xact", "false"));
                putTimeout(annotation, Keys.ADVISORY_TIMEOUT, attributes);
                addOutcome(annotation, attributes);
            }
            case TABLE -> {
                String tables = text(attributes, VALUE, "");
                if (tables.isBlank()) {
                    mistakes.add("@" + TABLE + ": names no table");
                }
                put(annotation, Keys.TABLE, tables);
                put(annotation, Keys.TABLE_MODE, text(attributes, "mode", "ACCESS_EXCLUSIVE"));
                putTimeout(annotation, Keys.TABLE_TIMEOUT, attributes);
                addOutcome(annotation, attributes);
            }
            case TIMEOUT -> {
                putUnless("", annotation, "lockTimeout", text(attributes, VALUE, ""));
                putUnless("", annotation, "statementTimeout", text(attributes, "statementTimeout", ""));
                addSettings(annotation, attributes);
            }
            default -> {
                put(
                        annotation,
                        "prioritize",
                        text(attributes, VALUE, "TERMINATE").toLowerCase(Locale.ROOT));
                addSettings(annotation, attributes);
            }
        }
    }

    /** None is not put: it is what holds where nothing is said, and that depends on what happens when it is over. */
    private void putTimeout(String annotation, String key, Map<String, Object> attributes) {
        putUnless(NONE, annotation, key, text(attributes, ITS_TIMEOUT, NONE));
    }

    private void addOutcome(String annotation, Map<String, Object> attributes) {
        put(
                annotation,
                Keys.ON_TIMEOUT,
                text(attributes, Keys.ON_TIMEOUT, RAISE).toLowerCase(Locale.ROOT));
        putUnless("", annotation, Keys.SKIP_VALUE, text(attributes, Keys.SKIP_VALUE, ""));
    }

    private void addSettings(String annotation, Map<String, Object> attributes) {
        String line = text(attributes, SETTINGS, "");
        if (!line.isBlank()) {
            mistakes.read(() -> LockPolicy.settings(line))
                    .ifPresent(settings -> settings.forEach((key, value) -> {
                        if (Keys.OF_A_METHOD.contains(key)) {
                            mistakes.add(
                                    "@" + annotation + ": settings has none of an annotation's own, such as " + key);
                        } else {
                            put(annotation, key, value);
                        }
                    }));
        }
    }

    private void putUnless(String absent, String annotation, String key, String value) {
        if (!value.equals(absent)) {
            put(annotation, key, value);
        }
    }

    private void put(String annotation, String key, String value) {
        String other = keys.putIfAbsent(key, value);
        String first = saidBy.putIfAbsent(key, annotation);
        if (other != null && !other.equals(value)) {
            mistakes.add("@" + first + " says " + key + "=" + Keys.shown(key, other) + ", @" + annotation + " " + key
                    + "=" + Keys.shown(key, value) + "; let both say the same");
        }
    }

    private static String text(Map<String, Object> attributes, String attribute, String otherwise) {
        Object value = attributes.get(attribute);
        if (value == null) {
            return otherwise;
        }
        return value instanceof Object[] several
                ? String.join(
                        ",", List.of(several).stream().map(String::valueOf).toList())
                : String.valueOf(value);
    }
}
