// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal;

import io.pglock.LockQuery;
import io.pglock.cli.internal.select.Found;
import io.pglock.cli.internal.select.SelectionOptions;
import io.pglock.cli.internal.server.ServerOptions;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code pglock ls}: the locks, and who has or wants them. */
@Command(name = "ls", description = "The locks, and who has or wants them.", mixinStandardHelpOptions = true)
final class Ls implements Callable<Integer> {

    private final Console console;

    @Mixin
    private ServerOptions server = new ServerOptions();

    @Mixin
    private SelectionOptions selection = new SelectionOptions();

    Ls(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws SQLException {
        try (Connection connection = server.server().connect()) {
            Found found = selection.selection().read(LockQuery.on(connection));
            found.rows().forEach(row -> console.line(row.lock().describe()));
        }
        return ExitCode.OK;
    }
}
