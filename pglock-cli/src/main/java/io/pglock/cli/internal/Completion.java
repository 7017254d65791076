// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal;

import java.util.concurrent.Callable;
import picocli.AutoComplete;
import picocli.CommandLine.Command;

/** {@code pglock completion}: what makes a shell complete commands and options. */
@Command(
        name = "completion",
        description = "Prints a script with which bash and zsh complete pglock's commands and options.",
        mixinStandardHelpOptions = true,
        footerHeading = "%nExamples:%n",
        footer = {
            "  source <(pglock completion)                                  # this shell",
            "  pglock completion > /etc/bash_completion.d/pglock            # bash, for everybody",
            "  echo 'source <(pglock completion)' >> ~/.zshrc               # zsh, after compinit"
        })
final class Completion implements Callable<Integer> {

    private final Console console;
    private final Pglock pglock;

    Completion(Console console, Pglock pglock) {
        this.console = console;
        this.pglock = pglock;
    }

    @Override
    public Integer call() {
        console.line(AutoComplete.bash("pglock", pglock.commandLine()));
        return ExitCode.OK;
    }
}
