// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.profile;

import io.pglock.cli.internal.Stop;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Where options are looked up that are not typed: in the file that is named, or else in those of the working directory and of the
 * user, the former first. For one use.
 */
final class ProfileFiles {

    private static final String FILE = "pglock.toml";
    /** In the working directory. */
    private static final Path HERE = Path.of(FILE);

    private static final String TOML = ".toml";
    private static final Pattern AGENTS_TABLE = Pattern.compile("\\[+\\s*agent\\s*[.\\]]");

    private final Map<String, String> environment;
    private final List<String> lookedFor = new ArrayList<>();

    ProfileFiles(Map<String, String> environment) {
        this.environment = environment;
    }

    /**
     * Those that are there and have something to say.
     *
     * @param named what {@code --config-file} says
     * @throws Stop when the one that is named is not there, or one cannot be read
     */
    List<ProfileFile> read(Optional<String> named, Keys keys) {
        if (named.isPresent()) {
            return List.of(named(named.get(), "--config-file", keys));
        }
        String variable = environment.getOrDefault("PGLOCK_CONFIG", "");
        // the agent's variable as well, and for the agent it may name a file of properties
        if (variable.endsWith(TOML)) {
            return List.of(named(variable, "PGLOCK_CONFIG", keys));
        }
        List<ProfileFile> files = new ArrayList<>();
        for (Path file : places()) {
            lookedFor.add(file.toString());
            if (Files.isRegularFile(file)) {
                read(file, keys, file.equals(HERE)).ifPresent(files::add);
            }
        }
        return files;
    }

    /** In words. */
    String lookedFor() {
        return String.join(" and ", lookedFor);
    }

    private List<Path> places() {
        Optional<Path> users = users();
        return users.filter(ProfileFiles::isHere)
                .map(List::of)
                .orElseGet(() -> Stream.concat(Stream.of(HERE), users.stream()).toList());
    }

    private Optional<Path> users() {
        String folder = environment.getOrDefault("XDG_CONFIG_HOME", "");
        String home = environment.getOrDefault("HOME", "");
        if (!folder.isEmpty()) {
            return Optional.of(Path.of(folder, "pglock", FILE));
        }
        return home.isEmpty() ? Optional.empty() : Optional.of(Path.of(home, ".config", "pglock", FILE));
    }

    /** The user is in the folder of his own file, or one of the two is a link to the other. */
    private static boolean isHere(Path users) {
        try {
            return Files.isSameFile(HERE, users);
        } catch (IOException notBothThere) {
            return false;
        }
    }

    private ProfileFile named(String name, String by, Keys keys) {
        Path file;
        try {
            file = Path.of(name);
        } catch (InvalidPathException e) {
            throw Stop.usage(by + " names " + name + ", which is not the name of a file");
        }
        if (!Files.isRegularFile(file)) {
            throw Stop.usage(by + " names " + name + ", which is not there");
        }
        lookedFor.add(name);
        return read(file, keys, false).orElseGet(() -> new ProfileFile(name, Map.of(), Map.of()));
    }

    private static Optional<ProfileFile> read(Path file, Keys keys, boolean ofFolder) {
        String text;
        try {
            text = Files.readString(file);
        } catch (CharacterCodingException e) {
            throw Stop.usage(file + " is not UTF-8");
        } catch (IOException e) {
            throw Stop.usage(file + " cannot be read: " + e.getMessage());
        }
        return isForUs(text)
                ? Optional.of(new TomlReading(file.toString(), keys, ofFolder).read(text))
                : Optional.empty();
    }

    /** Whether there is more in it than what is the agent's: to load the parser takes as long as to ask the server. */
    private static boolean isForUs(String text) {
        boolean inAgents = false;
        for (String line : text.lines().map(String::strip).toList()) {
            if (line.startsWith("[")) {
                inAgents = AGENTS_TABLE.matcher(line).lookingAt();
            }
            if (!inAgents && !line.isEmpty() && !line.startsWith("#")) {
                return true;
            }
        }
        return false;
    }
}
