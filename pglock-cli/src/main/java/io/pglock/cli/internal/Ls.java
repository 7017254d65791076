// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal;

import io.pglock.LockInfo;
import io.pglock.LockQuery;
import io.pglock.cli.internal.server.ServerOptions;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code pglock ls}: the locks, and who has or wants them. */
@Command(name = "ls", description = "The locks, and who has or wants them.", mixinStandardHelpOptions = true)
final class Ls implements Callable<Integer> {

    private final Console console;

    @Mixin
    private ServerOptions server = new ServerOptions();

    @Parameters(paramLabel = "PID", description = "Only locks of these sessions.")
    private List<Integer> pids = new ArrayList<>();

    Ls(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws SQLException {
        try (Connection connection = server.server().connect()) {
            LockQuery locks = LockQuery.on(connection);
            for (LockInfo lock : (pids.isEmpty() ? locks : locks.pid(pids.toArray(Integer[]::new))).list()) {
                console.line(lock.describe());
            }
        }
        return ExitCode.OK;
    }
}
