// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * What one place says: the arguments, the system properties, the environment or a file. In the keys of {@link Keys}, the
 * values not yet read.
 *
 * @param source how the place is called in messages
 * @param keys for the agent as a whole and for all targets; {@code target} where one stands among them
 * @param targets each with its own keys
 */
record Channel(String source, Map<String, String> keys, List<Written> targets) {

    /**
     * A target as one place has it.
     *
     * @param name by which several places mean the same one
     */
    record Written(Optional<String> name, Map<String, String> keys) {}

    /** Nothing said yet. */
    static Channel of(String source) {
        return new Channel(source, new LinkedHashMap<>(), new ArrayList<>());
    }

    boolean isEmpty() {
        return keys.isEmpty() && targets.isEmpty();
    }

    /** The keys of the target with this name, which is there from now on. */
    Map<String, String> named(String name) {
        String plain = plain(name);
        return targets.stream()
                .filter(target -> target.name().filter(plain::equals).isPresent())
                .findFirst()
                .orElseGet(() -> {
                    Written target = new Written(Optional.of(plain), new LinkedHashMap<>());
                    targets.add(target);
                    return target;
                })
                .keys();
    }

    /** {@code nightly-report} and {@code NIGHTLY_REPORT} are one name: an environment variable has no other letters. */
    static String plain(String name) {
        return name.replaceAll("[-_]", "").toLowerCase(Locale.ROOT);
    }

    /** Says it, once. */
    static void put(Map<String, String> keys, String key, String value, String source, Mistakes mistakes) {
        if (keys.putIfAbsent(key, value) != null) {
            mistakes.add(key + " stands twice in " + source + "; remove one");
        }
    }
}
