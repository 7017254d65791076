// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal;

import io.pglock.LockQuery;
import io.pglock.LockTree;
import io.pglock.cli.internal.select.Selection;
import io.pglock.cli.internal.select.SelectionOptions;
import io.pglock.cli.internal.server.ServerOptions;
import io.pglock.cli.internal.view.Colours;
import io.pglock.cli.internal.view.RowKeys;
import io.pglock.cli.internal.view.TargetNames;
import io.pglock.cli.internal.view.TreeJson;
import io.pglock.cli.internal.view.TreeView;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code pglock tree}: who waits for whom. */
@Command(
        name = "tree",
        description = {
            "Who waits for whom.",
            "Below each session are those that wait for it: └─ for a lock that it holds, └┄ merely behind it in the queue."
                    + " Filters choose whole trees in which a lock that is waited for, or one that is in the way, matches."
        },
        mixinStandardHelpOptions = true,
        footerHeading = "%nExamples:%n",
        footer = {
            "  pglock tree                 everybody who waits, and for whom",
            "  pglock tree --on orders     the trees that are about orders",
            "  pglock tree --check || ...  exit code 2 when somebody waits",
            "  pglock tree --json | jq '.roots[] | {pid, victims}'"
        })
final class Tree implements Callable<Integer> {

    private final Console console;

    @Mixin
    private ServerOptions server = new ServerOptions();

    @Mixin
    private SelectionOptions selected = new SelectionOptions();

    @Option(names = "--json", negatable = true, description = "As one JSON object.")
    private boolean json;

    @Option(names = "--no-color", description = "Without colours; also with NO_COLOR in the environment.")
    private boolean noColor;

    @Option(names = "--check", negatable = true, description = "Exit code 2 when somebody waits.")
    private boolean check;

    Tree(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws SQLException {
        Selection selection = selected.selection();
        LockTree tree;
        boolean unanswered;
        TargetNames names = new TargetNames(selection.keyNames(), new RowKeys());
        try (Connection connection = server.server().connectToLook()) {
            LockQuery all = LockQuery.on(connection);
            tree = selection.tree(all);
            names.rows().read(connection, tree);
            unanswered = check && tree.isEmpty() && selection.mayHaveTrees(all);
        }
        if (json) {
            TreeJson.write(tree, names, console.out());
            console.line("");
        } else {
            print(tree, names, selection.nobody());
        }
        return check ? checked(tree, unanswered) : ExitCode.OK;
    }

    private int checked(LockTree tree, boolean unanswered) {
        if (!tree.isEmpty()) {
            return ExitCode.FOUND;
        }
        if (unanswered) {
            console.say(Selection.UNANSWERED);
            return ExitCode.NOT_PERMITTED;
        }
        return ExitCode.OK;
    }

    private void print(LockTree tree, TargetNames names, String nobody) {
        Colours colours = Colours.of(console, !noColor);
        if (tree.isEmpty()) {
            console.line(nobody);
        }
        TreeView.rows(tree, names).forEach(row -> console.line(colours.line(row.spans())));
        tree.notes().forEach(console::say);
    }
}
