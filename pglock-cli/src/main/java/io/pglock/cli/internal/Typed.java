// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal;

import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;

/** What stands on the command line itself, and not in a file or nowhere. Stateless. Not API. */
public final class Typed {

    private Typed() {}

    /** Whether this option does; empty where nothing has been read. */
    public static Optional<Boolean> has(@Nullable CommandSpec command, String option) {
        return Optional.ofNullable(command)
                .map(CommandSpec::commandLine)
                .map(CommandLine::getParseResult)
                .map(read -> read.hasMatchedOption(option));
    }
}
