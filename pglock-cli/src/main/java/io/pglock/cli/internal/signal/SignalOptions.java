// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.signal;

import io.pglock.Signal;
import io.pglock.cli.internal.Console;
import picocli.CommandLine.Option;

/** How sessions are signalled, as the command line says it. Not API. */
public final class SignalOptions {

    @Option(
            names = {"-y", "--yes"},
            description = "Do not ask before a cancel or a terminate.")
    private boolean yes;

    @Option(names = "--dry-run", description = "Show who would be hit, and send nothing.")
    private boolean dryRun;

    /**
     * @param server what the server is called
     * @return what shows, asks and signals so
     */
    public Signalling signalling(Console console, Signal signal, String server) {
        return new Signalling(console, signal, server, !yes, dryRun);
    }
}
