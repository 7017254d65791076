// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Predicate;

/** Settings that are written as properties: the JVM's own, a file's, and the environment's variables. */
final class PropertyChannels {

    static final String SYSTEM_PROPERTIES = "the system properties";
    static final String ENVIRONMENT = "the environment";

    private static final String PREFIX = "pglock.";
    private static final String VARIABLE = "PGLOCK_";

    /** What other parts of pglock read under its prefix. */
    private static final List<String> FOREIGN =
            List.of("agent.", "bench", "changelogLock", "fuzz", "hosts.", "signalOwnJvm", "spring.", "test.");

    private PropertyChannels() {}

    /**
     * What is written as {@code -Dpglock.lockTimeout=3s}. Other parts of pglock, and the application, may have properties with
     * that prefix: a key that is not the agent's is a mistake only where it is much like one.
     */
    static Channel system(Map<String, String> properties, Mistakes mistakes) {
        Channel channel = Channel.of(SYSTEM_PROPERTIES);
        new TreeMap<>(properties).forEach((name, value) -> {
            if (name.startsWith(PREFIX)) {
                String key = name.substring(PREFIX.length());
                if (!add(channel, key, value, mistakes) && !isForeign(key, "")) {
                    nearly(key)
                            .ifPresent(near -> mistakes.add("there is no setting " + name + ". Did you mean " + PREFIX
                                    + near + "? (in " + SYSTEM_PROPERTIES + ")"));
                }
            }
        });
        return channel;
    }

    /** What is written in a file of ours: with or without the prefix, and nothing else may stand there. */
    static Channel file(Map<String, String> properties, String source, Mistakes mistakes) {
        Channel channel = Channel.of(source);
        new TreeMap<>(properties).forEach((name, value) -> {
            if (!add(channel, withoutPrefix(name), value, mistakes)) {
                mistakes.add(Keys.unknown(name, Keys.ALL) + " (in " + source + ")");
            }
        });
        return channel;
    }

    /** Whether any of these is a setting of the agent's. */
    static boolean isAgents(Map<String, String> properties) {
        Predicate<String> known = name -> Keys.spelt(name).isPresent() || name.startsWith(Keys.TARGETS + ".");
        return properties.keySet().stream().map(PropertyChannels::withoutPrefix).anyMatch(known);
    }

    private static String withoutPrefix(String name) {
        return name.startsWith(PREFIX) ? name.substring(PREFIX.length()) : name;
    }

    /** @return whether the key is one of the agent's */
    private static boolean add(Channel channel, String key, String value, Mistakes mistakes) {
        if (key.startsWith(Keys.TARGETS + ".")) {
            int dot = key.indexOf('.', Keys.TARGETS.length() + 1);
            String own = key.substring(dot + 1);
            if (dot < 0) {
                mistakes.add(key + " in " + channel.source() + " names no setting; write " + key + ".target, " + key
                        + ".lockTimeout and so on");
            } else {
                Keys.spelt(own)
                        .filter(Keys.OF_A_TARGET::contains)
                        .ifPresentOrElse(
                                known -> Channel.put(
                                        channel.named(key.substring(Keys.TARGETS.length() + 1, dot)),
                                        known,
                                        value.strip(),
                                        channel.source(),
                                        mistakes),
                                () -> mistakes.add(
                                        key + " in " + channel.source() + ": " + Keys.unknown(own, Keys.OF_A_TARGET)));
            }
            return true;
        }
        Optional<String> known = Keys.spelt(key);
        known.ifPresent(name -> Channel.put(channel.keys(), name, value.strip(), channel.source(), mistakes));
        return known.isPresent();
    }

    /** What is written as {@code PGLOCK_LOCK_TIMEOUT}, or {@code PGLOCK_TARGETS_NIGHTLY_LOCK_TIMEOUT}. */
    static Channel environment(Map<String, String> environment, Mistakes mistakes) {
        Channel channel = Channel.of(ENVIRONMENT);
        SortedMap<String, String> variables = new TreeMap<>(environment);
        variables.forEach((name, value) -> {
            if (name.startsWith(VARIABLE + "TARGETS_")) {
                addTarget(channel, name, value, mistakes);
            } else if (name.startsWith(VARIABLE)) {
                String rest = name.substring(VARIABLE.length());
                Optional<String> key = Keys.ALL.stream()
                        .filter(it -> Keys.snake(it).equals(rest)
                                || Keys.snake(it).replace("_", "").equals(rest))
                        .findFirst();
                key.ifPresent(it -> Channel.put(channel.keys(), it, value.strip(), ENVIRONMENT, mistakes));
                if (key.isEmpty() && !isForeign(rest, "_")) {
                    nearly(rest)
                            .ifPresent(near -> mistakes.add("there is no setting " + name + ". Did you mean " + VARIABLE
                                    + Keys.snake(near) + "? (in " + ENVIRONMENT + ")"));
                }
            }
        });
        return channel;
    }

    /** The name of the target ends where the longest key begins. */
    private static void addTarget(Channel channel, String variable, String value, Mistakes mistakes) {
        String rest = variable.substring((VARIABLE + "TARGETS_").length());
        Keys.OF_A_TARGET.stream()
                .filter(key -> rest.endsWith("_" + Keys.snake(key))
                        && rest.length() > Keys.snake(key).length() + 1)
                .max((a, b) -> a.length() - b.length())
                .ifPresentOrElse(
                        key -> Channel.put(
                                channel.named(rest.substring(
                                        0, rest.length() - Keys.snake(key).length() - 1)),
                                key,
                                value.strip(),
                                ENVIRONMENT,
                                mistakes),
                        () -> mistakes.add(variable + " in " + ENVIRONMENT + " names no setting of a target; write "
                                + VARIABLE + "TARGETS_<NAME>_TARGET, " + VARIABLE
                                + "TARGETS_<NAME>_LOCK_TIMEOUT and so on"));
    }

    private static boolean isForeign(String key, String separator) {
        return FOREIGN.stream()
                .map(foreign ->
                        separator.isEmpty() ? foreign : Keys.snake(foreign).replace(".", separator))
                .anyMatch(foreign -> key.startsWith(foreign) || key.startsWith(Keys.kebab(foreign)));
    }

    private static Optional<String> nearly(String key) {
        return Keys.nearest(key, Keys.ALL);
    }
}
