// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.server;

import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** What is known of a connection, each with where it was said: the first one to say something is heard. Not thread-safe. */
final class Parameters {

    /** Where what nobody has said comes from. */
    static final String BY_DEFAULT = "by default";

    /**
     * @param value as it was written
     * @param from {@code --host}, {@code PGHOST}, {@code service shop}
     */
    record Given(String value, String from) {

        /** Where it came from, as a part of a sentence. */
        String origin() {
            return from.equals(BY_DEFAULT) ? from : "from " + from;
        }

        @Override
        public String toString() {
            return "given " + origin(); // it may be a password
        }
    }

    private final Map<Parameter, Given> given = new EnumMap<>(Parameter.class);
    private final Map<String, String> driver = new TreeMap<>();

    /** Nothing, when it is empty or has been said before. */
    void add(Parameter parameter, String value, String from) {
        if (!value.isEmpty()) {
            given.putIfAbsent(parameter, new Given(value, from));
        }
    }

    /** A property that only pgjdbc knows. */
    void addDriver(String property, String value) {
        driver.putIfAbsent(property, value);
    }

    /** What has been said there and not here. */
    void addAll(Parameters later) {
        later.given.forEach(given::putIfAbsent);
        later.driver.forEach(driver::putIfAbsent);
    }

    void addEnvironment(Map<String, String> environment) {
        for (Parameter parameter : Parameter.values()) {
            if (!parameter.variable().isEmpty()) {
                add(parameter, environment.getOrDefault(parameter.variable(), ""), parameter.variable());
            }
        }
    }

    Optional<Given> get(Parameter parameter) {
        return Optional.ofNullable(given.get(parameter));
    }

    Map<String, String> driver() {
        return driver;
    }
}
