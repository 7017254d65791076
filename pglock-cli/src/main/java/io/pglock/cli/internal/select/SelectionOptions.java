// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.select;

import io.pglock.TableName;
import io.pglock.cli.internal.Address;
import io.pglock.cli.internal.Stop;
import io.pglock.cli.internal.keys.KeyNames;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.Stream;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Which locks, as the command line says it. Where each is a row, it is {@link RowOptions}. Not API. */
public class SelectionOptions {

    /** Stands between the values of a list that a profile has, and nobody types it. */
    public static final String BETWEEN = "\u001f";

    @Parameters(paramLabel = "PID", description = "Only locks of these sessions; 0 is all prepared transactions.")
    private List<String> pids = new ArrayList<>();

    @Option(
            names = {"-o", "--on"},
            paramLabel = "TABLE",
            split = BETWEEN,
            splitSynopsisLabel = "",
            description = "Only locks on this relation and its rows.")
    private List<String> on = new ArrayList<>();

    @Option(
            names = {"-f", "--filter"},
            paramLabel = "ATTRIBUTE=VALUE",
            split = BETWEEN,
            splitSynopsisLabel = "",
            description = "Only locks of which this is true: activity__duration__gt=5s, granted=false, mode=SHARE.")
    private List<String> filters = new ArrayList<>();

    @Option(
            names = "--key-name",
            paramLabel = "NAME",
            split = BETWEEN,
            splitSynopsisLabel = "",
            description = "A name of advisory locks, as pglock run takes it: its key is shown by this name.")
    private List<String> keyNames = new ArrayList<>();

    /** @throws Stop that says what is wrong with it */
    public Selection selection() {
        return selection(tables(), conditions(), false, List.of(), OptionalInt.empty(), true);
    }

    final Selection selection(
            List<TableName> tables,
            List<Condition> conditions,
            boolean blocking,
            List<String> sort,
            OptionalInt limit,
            boolean narrowed) {
        List<Integer> sessions = pids.stream().map(SelectionOptions::pid).toList();
        Comparator<Row> order = Ordering.by(sort, blocking);
        return new Selection(sessions, tables, conditions, blocking, order, limit, names(List.of()), narrowed);
    }

    final List<TableName> tables() {
        return tables(on);
    }

    final List<Condition> conditions() {
        return filters.stream().map(Condition::parse).toList();
    }

    final List<String> filters() {
        return filters;
    }

    /** By these, and those that are said. */
    final KeyNames names(List<String> more) {
        List<String> all =
                Stream.concat(more.stream(), keyNames.stream()).distinct().toList();
        if (all.contains("")) {
            throw Stop.usage("--key-name: the name of a lock is empty");
        }
        return KeyNames.of(all);
    }

    final boolean isSessionNamed() {
        return !pids.isEmpty();
    }

    private static int pid(String text) {
        try {
            int pid = Integer.parseInt(text);
            if (pid >= 0) {
                return pid;
            }
        } catch (NumberFormatException e) {
            // said below
        }
        if (text.contains("=") || Address.isUrl(text)) {
            // not repeated: there may be a password in it
            throw Stop.usage("what is written without an option is a process id, and one of these words is none;"
                    + " --url asks for a server, --filter for what is true of a lock");
        }
        throw Stop.usage(text + " is not a process id"
                + (text.matches("\\p{Alpha}.*")
                        ? "; --on " + text + " asks for a table, and the name of a command comes first"
                        : ""));
    }

    static List<TableName> tables(List<String> names) {
        return names.stream().map(SelectionOptions::table).toList();
    }

    private static TableName table(String name) {
        try {
            return TableName.parse(name);
        } catch (IllegalArgumentException e) {
            throw Stop.usage(
                    "--on " + name + " is not the name of a table; write table or schema.table, and names with other"
                            + " characters than letters, digits, _ and $ in double quotes");
        }
    }
}
