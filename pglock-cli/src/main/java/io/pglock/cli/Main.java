// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli;

import io.pglock.cli.internal.Console;
import io.pglock.cli.internal.Pglock;

/**
 * The {@code pglock} command: who holds and who waits for locks of a PostgreSQL server, who blocks whom, and what to do about it.
 *
 * {@snippet lang=text :
 * pglock tree                            # who waits for whom
 * pglock run nightly-report -- ./report  # once in the whole cluster
 * }
 *
 * <p>Its exit codes are those of {@code pglock --help}.
 */
public final class Main {

    private Main() {}

    /**
     * Runs the command, and ends the JVM with its exit code.
     *
     * @param arguments as on the command line
     */
    public static void main(String... arguments) {
        System.exit(new Pglock(Console.ofProcess()).run(arguments));
    }
}
