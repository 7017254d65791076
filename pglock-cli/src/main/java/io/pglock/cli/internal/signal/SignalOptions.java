// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.signal;

import picocli.CommandLine.Option;

/** How cautious to be. Not API. */
public final class SignalOptions {

    @Option(
            names = {"-y", "--yes"},
            description = "Do not ask.")
    boolean yes;

    @Option(names = "--dry-run", description = "Show who would be hit, and send nothing.")
    boolean dryRun;
}
