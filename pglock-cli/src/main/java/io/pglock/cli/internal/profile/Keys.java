// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.profile;

import io.pglock.internal.Setting;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/** The keys that a profile may have: the long names of all commands' options, without the dashes. Not thread-safe. */
final class Keys {

    static final String ATTRIBUTES = "attribute";
    /** No option: what stands for {@code --attribute} where blockers are asked for. */
    static final String BLOCKING_ATTRIBUTES = "blocking-attribute";

    static final String LIMIT = "limit";

    private static final String DASHES = "--";
    private static final Set<String> NOT_FROM_A_FILE = Set.of("help", "version", "config", "config-file");

    private final Set<String> here;
    private final Supplier<CommandLine> everything;

    /**
     * @param command the command that is about to run
     * @param everything all the commands; asked for only when a key is none of this command's, because to build them takes a while
     */
    Keys(CommandSpec command, Supplier<CommandLine> everything) {
        this.here = of(command);
        this.everything = everything;
    }

    private static Set<String> of(CommandSpec command) {
        Set<String> keys = new LinkedHashSet<>();
        for (OptionSpec option : command.options()) {
            of(option).ifPresent(keys::add);
        }
        return keys;
    }

    /** The key of an option; empty for one that has none. */
    static Optional<String> of(OptionSpec option) {
        String name = option.longestName();
        return name.startsWith(DASHES)
                ? Optional.of(name.substring(DASHES.length())).filter(key -> !NOT_FROM_A_FILE.contains(key))
                : Optional.empty();
    }

    /** The key as the option is called: lists may be in the plural, and underscores are dashes. */
    Optional<String> spelt(String written) {
        String key = written.replace('_', '-');
        String single = key.endsWith("s") ? key.substring(0, key.length() - 1) : key;
        if (single.equals(BLOCKING_ATTRIBUTES)) {
            return Optional.of(single);
        }
        return among(here, key, single).or(() -> among(all(), key, single));
    }

    private static Optional<String> among(Collection<String> known, String key, String single) {
        return known.contains(key) ? Optional.of(key) : Optional.of(single).filter(known::contains);
    }

    private Set<String> all() {
        Set<String> all = new LinkedHashSet<>();
        everything.get().getSubcommands().values().forEach(command -> all.addAll(of(command.getCommandSpec())));
        return all;
    }

    String unknown(String written) {
        List<String> known = new ArrayList<>(all());
        known.add("attributes");
        known.add("blocking-attributes");
        known.add("filters");
        return "unknown key " + written
                + nearest(written, known)
                        .map(near -> "; did you mean " + near + "?")
                        .orElse("; keys are the long names of the commands' options");
    }

    static Optional<String> nearest(String text, List<String> known) {
        return Setting.nearest(text, known);
    }
}
