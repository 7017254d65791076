// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.watch;

import io.pglock.cli.internal.select.Selection;
import io.pglock.cli.internal.view.TargetNames;
import java.sql.Connection;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;

/**
 * A full screen with the locks of a server. Not API.
 *
 * @param server what it is called
 * @param connection to it, in autocommit; nobody else uses it meanwhile
 * @param selection which trees
 * @param names names for what is locked
 * @param interval between two looks
 * @param colours whether there may be any
 */
public record Watching(
        String server,
        Connection connection,
        Selection selection,
        TargetNames names,
        Duration interval,
        boolean colours) {

    /**
     * @param say what is to be said once the terminal is as it was
     * @return the exit code; empty where there is no screen to be had, and nothing was done
     */
    public OptionalInt run(Consumer<String> say) throws Exception {
        Optional<FullScreen> terminal = FullScreen.open();
        if (terminal.isEmpty()) {
            return OptionalInt.empty();
        }
        Lookout lookout = new Lookout(connection, selection, names);
        Screen screen = new Screen(lookout, names);
        try (FullScreen full = terminal.get();
                lookout) {
            lookout.every(interval);
            Painter painter = new Painter(server, colours);
            return OptionalInt.of(new WatchLoop(full, lookout, screen, painter).run());
        } finally {
            screen.lastWords().forEach(say);
        }
    }
}
