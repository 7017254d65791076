// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal;

import io.pglock.Signal;
import picocli.CommandLine.Command;

/** {@code pglock terminate}. */
@Command(
        name = "terminate",
        description = {
            "Ends sessions, after showing them and asking. Their transactions are rolled back.",
            "Each is signalled only if it still is in the transaction in which it was shown; this is checked in the statement that"
                    + " signals it."
        },
        mixinStandardHelpOptions = true,
        footerHeading = "%nExamples:%n",
        footer = {
            "  pglock terminate 4711                              this session",
            "  pglock terminate --blocking 4711                   whoever holds what this session waits for",
            "  pglock terminate --blocking --on orders --dry-run  who is in the way on orders"
        })
final class Terminate extends SignalCommand {

    Terminate(Console console) {
        super(console, Signal.TERMINATE);
    }
}
