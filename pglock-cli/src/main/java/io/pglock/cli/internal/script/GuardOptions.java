// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.script;

import io.pglock.LockPolicy;
import io.pglock.cli.internal.Stop;
import io.pglock.internal.Setting;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.IModelTransformer;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.IGetter;
import picocli.CommandLine.Model.ISetter;
import picocli.CommandLine.Model.OptionSpec;

/**
 * The settings of the guard as options of a command: one for each that there is, but for passwords, which would be seen by
 * everybody on the machine. Values come from the command line, the environment, a profile and the defaults, in this order. Not
 * API.
 */
public final class GuardOptions {

    private static final Pattern UPPER = Pattern.compile("(?<=[a-z])(?=[A-Z])");
    private static final Pattern QUOTED = Pattern.compile("`([^`]*)`");

    private final Map<Setting, OptionSpec> options = new EnumMap<>(Setting.class);

    /** A command that has them. */
    public interface Guarded {

        /** Where they are to be kept. */
        GuardOptions guard();
    }

    /** Adds the options to a command that is {@link Guarded}. */
    public static final class Adding implements IModelTransformer {

        @Override
        public CommandSpec transform(CommandSpec command) {
            ((Guarded) command.userObject()).guard().addTo(command);
            return command;
        }
    }

    private void addTo(CommandSpec command) {
        for (Setting setting : Setting.values()) {
            if (!setting.secret()) {
                OptionSpec option = option(setting);
                options.put(setting, option);
                command.addOption(option);
            }
        }
    }

    private static OptionSpec option(Setting setting) {
        String description = QUOTED.matcher(setting.meaning())
                        .replaceAll(quoted ->
                                LockPolicy.keys().contains(quoted.group(1)) ? option(quoted.group(1)) : quoted.group(1))
                        .replace("%", "%%")
                + (setting.defaultText().isEmpty() ? "" : " Default: " + setting.defaultText() + ".");
        OptionSpec.Builder option = OptionSpec.builder(option(setting.key())).description(description);
        return isFlag(setting)
                ? flag(option.type(Boolean.class).arity("0").negatable(true))
                : option.type(String.class)
                        .arity("1")
                        .paramLabel(setting.defaultText().isEmpty() ? "VALUE" : setting.defaultText())
                        .build();
    }

    private static OptionSpec flag(OptionSpec.Builder option) {
        Flag value = new Flag();
        return option.getter(value).setter(value).build();
    }

    /** What a flag is set to. Picocli turns over what was there before, and there has to be something. */
    private static final class Flag implements IGetter, ISetter {

        private @Nullable Object value;

        @Override
        @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"}) // picocli's signature
        public <T> T get() {
            return (T) Optional.ofNullable(value).orElse(false);
        }

        @Override
        public <T> T set(T to) {
            T before = get();
            value = to;
            return before;
        }
    }

    private static boolean isFlag(Setting setting) {
        return setting.defaultText().equals("true") || setting.defaultText().equals("false");
    }

    /** {@code --lock-timeout}. */
    private static String option(String key) {
        return "--" + UPPER.matcher(key).replaceAll("-").toLowerCase(Locale.ROOT);
    }

    /** {@code PGLOCK_LOCK_TIMEOUT}. */
    private static String variable(String key) {
        return "PGLOCK_" + UPPER.matcher(key).replaceAll("_").toUpperCase(Locale.ROOT);
    }

    /**
     * What all of them say together.
     *
     * @param command the one that was called
     * @throws Stop when a value is not in the right form; all of those at once
     */
    public LockPolicy policy(CommandSpec command, Map<String, String> environment) {
        Map<String, String> values = new LinkedHashMap<>();
        List<String> mistakes = new ArrayList<>();
        for (Setting setting : Setting.values()) {
            OptionSpec option = options.get(setting);
            boolean typed =
                    option != null && command.commandLine().getParseResult().hasMatchedOption(option);
            String fromEnvironment = environment.get(variable(setting.key()));
            Object fromOption = option == null ? null : value(option);
            if (!typed && fromEnvironment != null) {
                read(setting, variable(setting.key()), fromEnvironment, values, mistakes);
            } else if (fromOption != null) {
                read(setting, option(setting.key()), String.valueOf(fromOption), values, mistakes);
            }
        }
        if (!mistakes.isEmpty()) {
            throw Stop.usage(String.join("; ", mistakes));
        }
        try {
            return LockPolicy.parse(values);
        } catch (IllegalArgumentException e) {
            throw Stop.usage(String.valueOf(e.getMessage()).replaceFirst("^pglock: ", ""));
        }
    }

    /** Null where nobody says anything. */
    private static @Nullable Object value(OptionSpec option) {
        return option.getter() instanceof Flag flag ? flag.value : option.getValue();
    }

    private static void read(
            Setting setting, String source, String text, Map<String, String> values, List<String> mistakes) {
        try {
            setting.readAs(source, text);
            values.put(setting.key(), text);
        } catch (IllegalArgumentException e) {
            mistakes.add(String.valueOf(e.getMessage()));
        }
    }
}
