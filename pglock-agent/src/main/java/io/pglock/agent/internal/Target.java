// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import io.pglock.agent.internal.Mistakes.IllegalSettings;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Methods that the configuration names, and what they get. Immutable and thread-safe.
 *
 * @param pattern which methods
 * @param keys what is written for them, the defaults for all targets included; without {@code target}
 * @param spec what that means
 * @param source where it is written, for messages: {@code the agent's arguments}
 */
record Target(MethodPattern pattern, Map<String, String> keys, Spec spec, String source) {

    Target {
        keys = Map.copyOf(keys);
    }

    /**
     * @param keys with {@code target}
     * @throws IllegalSettings naming every mistake and where it is
     */
    static Target of(Map<String, String> keys, String source) {
        Map<String, String> others = new TreeMap<>(keys);
        String text = others.remove(Keys.TARGET);
        if (text == null) {
            throw new IllegalSettings(List.of("settings without a target in " + source + ": " + Keys.shown(others)
                    + "; write target=com.acme.Migrator#run beside them"));
        }
        Mistakes mistakes = new Mistakes();
        Optional<MethodPattern> pattern = mistakes.read(() -> MethodPattern.parse(text));
        Optional<Spec> spec = mistakes.read(() -> Spec.parse(others));
        if (pattern.isEmpty() || spec.isEmpty()) {
            throw new IllegalSettings(mistakes.texts().stream()
                    .map(mistake -> "target " + text + " in " + source + ": " + mistake)
                    .toList());
        }
        return new Target(pattern.orElseThrow(), others, spec.orElseThrow(), source);
    }

    /**
     * What one of its methods gets that carries pglock's annotations too: whoever runs the application has the last word, key
     * by key. A lock is taken as a whole from here or from there.
     *
     * @throws IllegalArgumentException when the two do not go together
     */
    Spec over(Map<String, Map<String, Object>> annotations) {
        if (annotations.isEmpty()) {
            return spec;
        }
        Map<String, String> both = new TreeMap<>(AnnotationKeys.of(annotations));
        both.keySet()
                .removeIf(key -> keys.containsKey(Keys.ADVISORY) && key.startsWith(Keys.ADVISORY)
                        || keys.containsKey(Keys.TABLE) && key.startsWith(Keys.TABLE)
                        || keys.containsKey(Keys.ON_TIMEOUT) && key.equals(Keys.SKIP_VALUE));
        both.putAll(keys);
        boolean locks = !both.getOrDefault(Keys.ADVISORY, "false").equals("false")
                || !both.getOrDefault(Keys.TABLE, "none").equals("none");
        if (!locks && !keys.containsKey(Keys.ON_TIMEOUT)) {
            both.remove(Keys.ON_TIMEOUT);
            both.remove(Keys.SKIP_VALUE);
        }
        try {
            return Spec.parse(both);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    e.getMessage() + " (the annotations of the method, and target " + pattern + " in " + source + ")",
                    e);
        }
    }

    /** Never a password. */
    @Override
    public String toString() {
        return "target " + pattern + " (" + source + "): " + spec.described();
    }
}
