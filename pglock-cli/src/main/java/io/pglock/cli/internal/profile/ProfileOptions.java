// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.profile;

import io.pglock.cli.internal.Stop;
import io.pglock.cli.internal.select.Usual;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;

/** Which profile, and so what options are where they are not typed. Not API. */
public final class ProfileOptions implements Usual {

    @Option(
            names = {"-c", "--config"},
            paramLabel = "PROFILE",
            description = "With the options of this profile, [profiles.PROFILE] in pglock.toml.")
    private @Nullable String name;

    @Option(
            names = "--config-file",
            paramLabel = "FILE",
            description = "Instead of pglock.toml here and in ~/.config/pglock. PGLOCK_CONFIG")
    private @Nullable String file;

    private @Nullable Profile profile;
    private Optional<String> readName = Optional.empty();
    private Optional<String> readFile = Optional.empty();

    /**
     * The attributes that a profile or the defaults want shown; empty where they do not say.
     *
     * @param blocking whether the rows tell who is in the way
     */
    public List<String> attributes(boolean blocking) {
        return profile == null
                ? List.of()
                : profile.attributes(blocking).map(Setting::values).orElse(List.of());
    }

    @Override
    public List<List<String>> values(String option) {
        return profile == null
                ? List.of()
                : profile.all(option)
                        .map(Setting::values)
                        .filter(values -> !values.isEmpty())
                        .toList();
    }

    @Override
    public List<String> everywhere(String option) {
        return profile == null
                ? List.of()
                : profile.everywhere(option)
                        .flatMap(setting -> setting.values().stream())
                        .toList();
    }

    @Override
    public boolean isAskedFor(String option) {
        return profile != null && profile.isAskedFor(option) && !values(option).isEmpty();
    }

    /** How many rows a profile or the defaults want shown at most; empty where they do not say. */
    public Optional<String> limit() {
        return profile == null
                ? Optional.empty()
                : profile.get(Keys.LIMIT)
                        .flatMap(setting -> setting.values().stream().findFirst());
    }

    /**
     * What the files say, once the command line has been read.
     *
     * @throws Stop that says what is wrong with them
     */
    Profile profile(CommandSpec command, Supplier<CommandLine> everything, Map<String, String> environment) {
        Optional<String> nameNow = Optional.ofNullable(name);
        Optional<String> fileNow = Optional.ofNullable(file);
        // of a flag that is typed before them, picocli asks before it has read these two
        if (profile == null || !nameNow.equals(readName) || !fileNow.equals(readFile)) {
            ProfileFiles files = new ProfileFiles(environment);
            List<ProfileFile> read = files.read(fileNow, new Keys(command, everything));
            profile = Profile.of(nameNow, read, files.lookedFor());
            readName = nameNow;
            readFile = fileNow;
        }
        return profile;
    }
}
