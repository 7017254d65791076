// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal;

import io.pglock.Signal;
import picocli.CommandLine.Command;

/** {@code pglock cancel}. */
@Command(
        name = "cancel",
        description = {
            "Cancels the statements of sessions, after showing them and asking.",
            "Each is signalled only if it still is in the transaction in which it was shown; this is checked in the statement that"
                    + " signals it."
        },
        mixinStandardHelpOptions = true,
        footerHeading = "%nExamples:%n",
        footer = {
            "  pglock cancel 4711                              this session",
            "  pglock cancel --blocking 4711                   whoever holds what this session waits for",
            "  pglock cancel --blocking --on orders --dry-run  who is in the way on orders"
        })
final class Cancel extends SignalCommand {

    Cancel(Console console) {
        super(console, Signal.CANCEL);
    }
}
