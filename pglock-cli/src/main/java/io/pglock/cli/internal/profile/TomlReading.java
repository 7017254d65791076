// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.profile;

import io.pglock.cli.internal.Stop;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;
import org.tomlj.Toml;
import org.tomlj.TomlArray;
import org.tomlj.TomlParseResult;
import org.tomlj.TomlPosition;
import org.tomlj.TomlTable;

/** Reads a {@code pglock.toml}. The parser is loaded when there is such a file, and not before. For one use. */
final class TomlReading {

    private static final String DEFAULTS = "defaults";
    private static final String PROFILES = "profiles";
    /** The agent's, which may live in the same file. */
    private static final String AGENT = "agent";

    private static final List<String> TABLES = List.of(DEFAULTS, PROFILES, AGENT);

    /** Whose sessions are ended is said on the command line or by the name of a profile, and never by being in a folder. */
    private static final Set<String> IN_PROFILES_ONLY = Set.of("blocking", "cancel", "terminate", "yes");

    private static final String SERVER = "which server is asked";
    private static final String SIDE_CONNECTION = "where the password of the side connection is sent";
    private static final String SPARED = "who is spared when sessions are ended";

    /**
     * So is what may go wrong where the folder holds somebody else's files: who is sent the passwords that the environment has,
     * what is run, what is written, and who is spared no longer. Each with what it decides.
     */
    private static final Map<String, String> NOT_BY_FOLDER = Map.ofEntries(
            Map.entry("url", SERVER),
            Map.entry("host", SERVER),
            Map.entry("port", SERVER),
            Map.entry("user", SERVER),
            Map.entry("database", SERVER),
            Map.entry("service", SERVER),
            Map.entry("monitor-url", SIDE_CONNECTION),
            Map.entry("monitor-user", SIDE_CONNECTION),
            Map.entry("postgres-bin", "which programs are run"),
            Map.entry("schema", "which SQL is run"), // as the superuser of a scratch server, who can run programs
            Map.entry("report", "which file is written"),
            // in place of those who are spared by default, or by the user's own file
            Map.entry("protect", SPARED),
            Map.entry("prioritize-min-age", SPARED),
            Map.entry("prioritize-after", "how soon sessions are ended"),
            Map.entry("prioritize-grace", "how soon sessions are ended"));

    private static final String PRIORITIZE = "prioritize";
    private static final Set<String> ENDING = Set.of("cancel", "terminate");

    private final String name;
    private final Keys keys;
    private final boolean ofFolder;

    /** @param ofFolder whether it is read because it is in the working directory, and nobody named it */
    TomlReading(String name, Keys keys, boolean ofFolder) {
        this.name = name;
        this.keys = keys;
        this.ofFolder = ofFolder;
    }

    /** @throws Stop that says where what is wrong */
    ProfileFile read(String text) {
        TomlParseResult toml = Toml.parse(text);
        if (toml.hasErrors()) {
            // What the parser says repeats what stands there, which may be a password.
            throw Stop.usage(place(toml.errors().get(0).position()) + ": this is not TOML; write key = \"value\"");
        }
        for (String key : toml.keySet()) {
            if (!TABLES.contains(key)) {
                throw Stop.usage(place(toml, key) + ": unknown table " + key
                        + Keys.nearest(key, TABLES)
                                .map(near -> "; did you mean " + near + "?")
                                .orElse("; settings stand below [defaults] or [profiles.NAME]"));
            }
        }
        Map<String, Map<String, Setting>> profiles = new LinkedHashMap<>();
        for (Map.Entry<String, TomlTable> profile : tables(toml, PROFILES).entrySet()) {
            profiles.put(profile.getKey(), settings(profile.getValue(), (key, values) -> Optional.empty()));
        }
        return new ProfileFile(
                name,
                table(toml, DEFAULTS)
                        .map(table -> settings(table, this::whyNotByDefault))
                        .orElse(Map.of()),
                profiles);
    }

    private Optional<String> whyNotByDefault(String key, List<String> values) {
        if (IN_PROFILES_ONLY.contains(key)) {
            return Optional.of(" may stand in a profile only, which one asks for with --config");
        }
        return decides(key, values)
                .filter(what -> ofFolder)
                .map(what -> " says " + what + ", and being in a folder must not decide that; write it into a"
                        + " profile, which one asks for with --config, or into ~/.config/pglock/pglock.toml");
    }

    private static Optional<String> decides(String key, List<String> values) {
        return key.equals(PRIORITIZE)
                        && values.stream()
                                .map(value -> value.strip().toLowerCase(Locale.ROOT))
                                .anyMatch(ENDING::contains)
                ? Optional.of("whose sessions are ended")
                : Optional.ofNullable(NOT_BY_FOLDER.get(key));
    }

    private Map<String, TomlTable> tables(TomlTable parent, String key) {
        Map<String, TomlTable> tables = new LinkedHashMap<>();
        table(parent, key).ifPresent(named -> {
            for (String one : named.keySet()) {
                tables.put(
                        one,
                        table(named, one)
                                .orElseThrow(() -> Stop.usage(place(named, one) + ": a profile is a table; write ["
                                        + PROFILES + "." + one + "]")));
            }
        });
        return tables;
    }

    private Optional<TomlTable> table(TomlTable parent, String key) {
        Object value = parent.get(List.of(key));
        if (value != null && !(value instanceof TomlTable)) {
            throw Stop.usage(place(parent, key) + ": " + key + " is not a table; write [" + key + "]");
        }
        return Optional.ofNullable((TomlTable) value);
    }

    private Map<String, Setting> settings(TomlTable table, BiFunction<String, List<String>, Optional<String>> refusal) {
        Map<String, Setting> settings = new LinkedHashMap<>();
        for (String written : table.keySet()) {
            String place = place(table, written);
            String key = keys.spelt(written).orElseThrow(() -> Stop.usage(place + ": " + keys.unknown(written)));
            Object value = table.get(List.of(written));
            Setting setting = new Setting(values(value, place, written), value instanceof Boolean, place);
            refusal.apply(key, setting.values()).ifPresent(why -> {
                throw Stop.usage(place + ": " + key + why);
            });
            if (settings.put(key, setting) != null) {
                throw Stop.usage(place + ": " + key + " stands there twice");
            }
        }
        return settings;
    }

    private static List<String> values(@Nullable Object value, String place, String key) {
        if (value instanceof TomlArray array) {
            List<String> values = new ArrayList<>();
            for (Object member : array.toList()) {
                values.addAll(values(member, place, key));
            }
            return values;
        }
        if (value == null || value instanceof TomlTable) {
            throw Stop.usage(place + ": " + key + " is a table, and should be a value");
        }
        return List.of(String.valueOf(value));
    }

    private String place(TomlTable table, String key) {
        return place(table.inputPositionOf(List.of(key)));
    }

    private String place(@Nullable TomlPosition position) {
        return name + (position == null ? "" : ", line " + position.line());
    }
}
