// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal;

import io.pglock.Signal;
import io.pglock.cli.internal.select.RowOptions;
import io.pglock.cli.internal.select.Selection;
import io.pglock.cli.internal.server.Server;
import io.pglock.cli.internal.server.ServerOptions;
import io.pglock.cli.internal.signal.SignalOptions;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Mixin;

/** What {@code pglock cancel} and {@code pglock terminate} have in common: all but the signal. */
abstract class SignalCommand implements Callable<Integer> {

    private final Console console;
    private final Signal signal;

    @Mixin
    private ServerOptions server = new ServerOptions();

    @Mixin
    private RowOptions selected = new RowOptions();

    @Mixin
    private SignalOptions signalling = new SignalOptions();

    SignalCommand(Console console, Signal signal) {
        this.console = console;
        this.signal = signal;
    }

    @Override
    public Integer call() throws SQLException {
        Selection selection = selected.toSignal(server.profile());
        Server to = server.server();
        try (Connection connection = to.connectToLook()) {
            return signalling
                    .signalling(console, signal, to.describe(connection))
                    .run(connection, selection);
        }
    }
}
