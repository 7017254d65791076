// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal;

import io.pglock.LockQuery;
import io.pglock.cli.internal.server.ServerOptions;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code pglock tree}: who waits for whom. */
@Command(name = "tree", description = "Who waits for whom.", mixinStandardHelpOptions = true)
final class Tree implements Callable<Integer> {

    private final Console console;

    @Mixin
    private ServerOptions server = new ServerOptions();

    Tree(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws SQLException {
        try (Connection connection = server.server().connect()) {
            console.line(LockQuery.on(connection).tree().toString());
        }
        return ExitCode.OK;
    }
}
