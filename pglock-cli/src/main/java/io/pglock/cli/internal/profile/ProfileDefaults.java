// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.profile;

import io.pglock.cli.internal.Stop;
import io.pglock.cli.internal.select.SelectionOptions;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.IDefaultValueProvider;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;

/**
 * What options are that nobody typed, from {@code pglock.toml}, for every command that has a {@code --config}. Picocli asks when it
 * has read the command line, so that is known by then. Not thread-safe. Not API.
 */
public final class ProfileDefaults implements IDefaultValueProvider {

    private static final String CONFIG = "--config";
    private static final String HELP = "--help";

    private final Supplier<CommandLine> everything;
    private final Map<String, String> environment;

    /** @param everything all the commands, to tell their options from mistakes */
    public ProfileDefaults(Supplier<CommandLine> everything, Map<String, String> environment) {
        this.everything = everything;
        this.environment = Map.copyOf(environment);
    }

    @Override
    public @Nullable String defaultValue(ArgSpec argument) {
        CommandSpec command = argument.command();
        OptionSpec config = command.findOption(CONFIG);
        if (!(argument instanceof OptionSpec option) || config == null || isHelpWanted(command)) {
            return null;
        }
        try {
            Object options = config.scope().get();
            if (options == null) {
                return null;
            }
            Profile profile = ((ProfileOptions) options).profile(command, everything, environment);
            return Keys.of(option)
                    .filter(key -> !key.equals(Keys.ATTRIBUTES)) // what to show depends on more than one option
                    .flatMap(key -> profile.get(key)
                            .flatMap(setting -> value(option, setting))
                            .filter(value -> profile.isForEveryUse(key)))
                    .orElse(null);
        } catch (Stop e) {
            throw new ParameterException(command.commandLine(), e.getMessage(), e);
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new IllegalStateException("picocli gives no object for " + CONFIG, e);
        }
    }

    /** As one would type it, and nothing for an empty list; {@code ${...}} has no meaning here. */
    private static Optional<String> value(OptionSpec option, Setting setting) {
        boolean flag = option.arity().max() == 0;
        if (flag != setting.flag()) {
            throw Stop.usage(setting.place() + ": " + Keys.of(option).orElseThrow()
                    + (flag ? " is true or false, without quotes" : " is not a matter of true or false"));
        }
        if (!option.isMultiValue() && setting.values().size() != 1) {
            throw Stop.usage(
                    setting.place() + ": " + Keys.of(option).orElseThrow() + " takes one value and not a list");
        }
        return setting.values().isEmpty()
                ? Optional.empty()
                : Optional.of(
                        String.join(SelectionOptions.BETWEEN, setting.values()).replace("${", "$${"));
    }

    private static boolean isHelpWanted(CommandSpec command) {
        OptionSpec help = command.findOption(HELP);
        return help != null && Boolean.TRUE.equals(help.getValue());
    }
}
