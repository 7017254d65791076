// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.profile;

import io.pglock.cli.internal.Stop;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What the files say for this call: the profile that is asked for, before the defaults; the nearer file first. Immutable. */
final class Profile {

    static final Profile NONE = new Profile(List.of(), List.of());

    private final List<Map<String, Setting>> named;
    private final List<Map<String, Setting>> defaults;

    private Profile(List<Map<String, Setting>> named, List<Map<String, Setting>> defaults) {
        this.named = named;
        this.defaults = defaults;
    }

    /** @throws Stop when no file has that profile */
    static Profile of(Optional<String> name, List<ProfileFile> files, String lookedFor) {
        List<Map<String, Setting>> named = new ArrayList<>();
        if (name.isPresent()) {
            List<ProfileFile> having = files.stream()
                    .filter(file -> file.profiles().containsKey(name.get()))
                    .toList();
            if (having.size() > 1) {
                // one of them may be somebody else's, and a profile may say where passwords go and who is ended
                throw Stop.usage("the profile " + name.get() + " is in "
                        + having.stream().map(ProfileFile::name).collect(Collectors.joining(" and in "))
                        + "; say with --config-file which is meant");
            }
            named.add(having.stream()
                    .map(file -> file.profiles().get(name.get()))
                    .findFirst()
                    .orElseThrow(() -> Stop.usage(unknown(name.get(), files, lookedFor))));
        }
        return new Profile(named, files.stream().map(ProfileFile::defaults).toList());
    }

    private static String unknown(String name, List<ProfileFile> files, String lookedFor) {
        List<String> known = files.stream()
                .flatMap(file -> file.profiles().keySet().stream())
                .distinct()
                .sorted()
                .toList();
        String there = known.isEmpty() ? "there are none" : "there are " + String.join(", ", known);
        return "unknown profile " + name
                + Keys.nearest(name, known)
                        .map(near -> "; did you mean " + near + "?")
                        .orElse("; " + there)
                + " (in " + lookedFor + ")";
    }

    Optional<Setting> get(String key) {
        return first(Stream.concat(named.stream(), defaults.stream()), key);
    }

    /** What the profile says, or else what the defaults of each file say. */
    Stream<Setting> all(String key) {
        return (isAskedFor(key) ? named : defaults)
                .stream().map(table -> table.get(key)).filter(Objects::nonNull);
    }

    /** What the profile says, and what the defaults of each file say. */
    Stream<Setting> everywhere(String key) {
        return Stream.concat(named.stream(), defaults.stream())
                .map(table -> table.get(key))
                .filter(Objects::nonNull);
    }

    /** Whether the profile says it. */
    boolean isAskedFor(String key) {
        return first(named.stream(), key).isPresent();
    }

    /** Whether it counts whatever the command does: how much one likes to see must not decide who is ended. */
    boolean isForEveryUse(String key) {
        return !key.equals(Keys.LIMIT) || isAskedFor(key);
    }

    /** What is to be shown. A profile's own attributes come before the defaults' of the same sort. */
    Optional<Setting> attributes(boolean blocking) {
        if (!blocking) {
            return get(Keys.ATTRIBUTES);
        }
        return first(named.stream(), Keys.BLOCKING_ATTRIBUTES)
                .or(() -> first(named.stream(), Keys.ATTRIBUTES))
                .or(() -> first(defaults.stream(), Keys.BLOCKING_ATTRIBUTES));
    }

    private static Optional<Setting> first(Stream<Map<String, Setting>> tables, String key) {
        return tables.map(table -> table.get(key)).filter(Objects::nonNull).findFirst();
    }
}
