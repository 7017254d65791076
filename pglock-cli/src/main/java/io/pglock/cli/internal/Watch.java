// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal;

import io.pglock.LockQuery;
import io.pglock.LockTree;
import io.pglock.cli.internal.select.Selection;
import io.pglock.cli.internal.select.SelectionOptions;
import io.pglock.cli.internal.server.Server;
import io.pglock.cli.internal.server.ServerOptions;
import io.pglock.cli.internal.view.Colours;
import io.pglock.cli.internal.view.Refresh;
import io.pglock.cli.internal.view.RowKeys;
import io.pglock.cli.internal.view.TargetNames;
import io.pglock.cli.internal.view.TreeView;
import io.pglock.cli.internal.watch.Watching;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.LocalTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.HashSet;
import java.util.Locale;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code pglock watch}: who waits for whom, again and again. */
@Command(
        name = "watch",
        description = {
            "Who waits for whom, live on the whole screen.",
            "The key ? shows what the others do: select, open, filter, sort, cancel, terminate. Where the output is no terminal, the"
                    + " tree is printed again and again."
        },
        mixinStandardHelpOptions = true,
        footerHeading = "%nExamples:%n",
        footer = {
            "  pglock watch                      every second",
            "  pglock watch --on orders          only trees that are about orders",
            "  pglock watch --interval 5s | tee  every five seconds, printed"
        })
final class Watch implements Callable<Integer> {

    private static final DateTimeFormatter CLOCK = DateTimeFormatter.ofPattern("HH:mm:ss", Locale.ROOT);

    private final Console console;
    private final Set<String> said = new HashSet<>();

    @Mixin
    private ServerOptions server = new ServerOptions();

    @Mixin
    private SelectionOptions selected = new SelectionOptions();

    @Option(
            names = "--interval",
            paramLabel = "TIME",
            defaultValue = "1s",
            description = "Between two looks: 500ms, 5s. 1s")
    private String interval = "1s";

    @Option(names = "--count", paramLabel = "N", description = "Where it is printed: so often, and no more.")
    private int count;

    @Option(names = "--no-color", description = "Without colours; also with NO_COLOR in the environment.")
    private boolean noColor;

    Watch(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws Exception {
        Selection selection = selected.selection();
        Refresh refresh = Refresh.every("--interval", interval, console);
        if (count < 0) {
            throw Stop.usage("--count " + count + " is not a number of times; write 10, or leave it out");
        }
        Server to = server.server();
        Colours colours = Colours.of(console, !noColor);
        TargetNames names = new TargetNames(selection.keyNames(), new RowKeys());
        try (Connection connection = to.connectToLook()) {
            selection.tree(LockQuery.on(connection)); // what is wrong is said before the screen is taken
            if (console.asksPerson() && console.showsPerson() && count == 0) {
                OptionalInt code = new Watching(
                                to.describe(connection), connection, selection, names, refresh.pause(), colours.areOn())
                        .run(console::say);
                if (code.isPresent()) {
                    return code.getAsInt();
                }
            }
            return print(connection, selection, names, colours, refresh);
        }
    }

    private int print(Connection connection, Selection selection, TargetNames names, Colours colours, Refresh refresh)
            throws SQLException {
        refresh.times(count == 0 ? Long.MAX_VALUE : count, again -> {
            LockTree tree = selection.tree(LockQuery.on(connection));
            names.rows().read(connection, tree);
            console.line(LocalTime.now(ZoneId.systemDefault()).format(CLOCK)
                    + (tree.isEmpty() ? " " + selection.nobody() : ""));
            TreeView.rows(tree, names).forEach(row -> console.line(colours.line(row.spans())));
            console.flush();
            tree.notes().stream().filter(said::add).forEach(console::say);
        });
        return ExitCode.OK;
    }
}
