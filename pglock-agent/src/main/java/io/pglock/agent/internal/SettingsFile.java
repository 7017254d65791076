// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.TreeMap;

/**
 * A file with the agent's settings: the one that is named, else {@code pglock.properties} or {@code pglock.toml} in the
 * working directory, where that has any of the agent's settings. The latter is a file of pglock's command line as well: the
 * agent's part is its table {@code [agent]}.
 */
final class SettingsFile {

    private static final List<String> FOUND_BY_THEMSELVES = List.of("pglock.properties", "pglock.toml");

    private SettingsFile() {}

    static Optional<Channel> named(String name, Path directory, Mistakes mistakes) {
        try {
            Path file = directory.resolve(name);
            if (!Files.isRegularFile(file)) {
                mistakes.add("config=" + name + ": there is no such file (looked for "
                        + file.toAbsolutePath().normalize() + ")");
                return Optional.empty();
            }
            int mistakesBefore = mistakes.texts().size();
            Optional<Channel> channel = read(file, name, true, mistakes);
            if (channel.isEmpty() && mistakes.texts().size() == mistakesBefore) {
                mistakes.add("config=" + name + ": has no table [agent]; write the agent's settings into one");
            }
            return channel;
        } catch (InvalidPathException e) {
            mistakes.add("config=" + name + ": is not the name of a file: " + e.getReason());
            return Optional.empty();
        }
    }

    static Optional<Channel> found(Path directory, Mistakes mistakes) {
        List<Channel> found = FOUND_BY_THEMSELVES.stream()
                .filter(name -> Files.isRegularFile(directory.resolve(name)))
                .flatMap(name -> read(directory.resolve(name), name, false, mistakes).stream())
                .toList();
        if (found.size() > 1) {
            mistakes.add("both " + String.join(" and ", FOUND_BY_THEMSELVES) + " in "
                    + directory.toAbsolutePath().normalize()
                    + " have settings of the agent's, and only the first is read; name one with config=");
        }
        return found.stream().findFirst();
    }

    /** @return empty where nothing of the agent's is in it */
    private static Optional<Channel> read(Path file, String name, boolean named, Mistakes mistakes) {
        try {
            if (file.getFileName().toString().endsWith(".toml")) {
                return TomlChannel.read(Files.readString(file), name, mistakes);
            }
            Map<String, String> properties = properties(file);
            return named || PropertyChannels.isAgents(properties)
                    ? Optional.of(PropertyChannels.file(properties, name, mistakes))
                    : Optional.empty();
        } catch (IOException e) {
            mistakes.add("config=" + name + ": cannot be read: " + e);
            return Optional.empty();
        } catch (IllegalArgumentException e) {
            // The message may repeat what stands there.
            mistakes.add("config=" + name + ": is not a file of properties in UTF-8");
            return Optional.empty();
        }
    }

    private static Map<String, String> properties(Path file) throws IOException {
        Properties properties = new Properties();
        try (Reader reader = Files.newBufferedReader(file)) {
            properties.load(reader);
        }
        Map<String, String> texts = new TreeMap<>();
        properties.stringPropertyNames().forEach(key -> texts.put(key, properties.getProperty(key, "")));
        return texts;
    }
}
