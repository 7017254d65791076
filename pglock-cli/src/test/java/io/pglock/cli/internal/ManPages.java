// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal;

import java.io.IOException;
import java.nio.file.Path;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.codegen.docgen.manpage.ManPageGenerator;

/** A program that writes a manual page for each command, in AsciiDoc, for the build to make troff of. */
final class ManPages {

    private ManPages() {}

    /** @param folder where they go */
    public static void main(String... folder) throws IOException {
        CommandLine line = new Pglock(Console.ofProcess()).commandLine();
        CommandSpec[] specs = Stream.concat(
                        Stream.of(line),
                        line.getSubcommands().values().stream()
                                .filter(command -> !command.getCommandName().equals("help")))
                .map(CommandLine::getCommandSpec)
                .toArray(CommandSpec[]::new);
        int code = ManPageGenerator.generateManPage(Path.of(folder[0]).toFile(), null, new boolean[0], true, specs);
        if (code != 0) {
            throw new IOException("the generator of manual pages ended with " + code);
        }
    }
}
