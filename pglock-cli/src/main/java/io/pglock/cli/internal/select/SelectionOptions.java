// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.select;

import io.pglock.TableName;
import io.pglock.cli.internal.Stop;
import io.pglock.cli.internal.keys.KeyNames;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Stack;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.IParameterConsumer;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;

/** Which locks, as the command line says it. Not API. */
public final class SelectionOptions {

    /** Stands between the values of a list that a profile has, and nobody types it. */
    public static final String BETWEEN = "\u001f";

    private static final String NO_LIMIT = "none";

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
            names = "--blocking",
            negatable = true,
            description = "Locks that are waited for, with everybody who is in the way: a row for each.")
    private boolean blocking;

    @Option(
            names = "--sort",
            paramLabel = "[-]ATTRIBUTE",
            split = BETWEEN,
            splitSynopsisLabel = "",
            parameterConsumer = MinusIsNoOption.class,
            description = "In this order; with a minus, the greatest first.")
    private List<String> sort = new ArrayList<>();

    @Option(
            names = {"-l", "--limit"},
            paramLabel = "N",
            description = "No more than so many rows; none for all.")
    private @Nullable String limit;

    @Option(
            names = "--key-name",
            paramLabel = "NAME",
            split = BETWEEN,
            splitSynopsisLabel = "",
            description = "A name of advisory locks, as pglock run takes it: its key is shown by this name.")
    private List<String> keyNames = new ArrayList<>();

    /** @throws Stop that says what is wrong with it */
    public Selection selection() {
        return selection(Optional.empty());
    }

    /**
     * Which locks are to be shown.
     *
     * @param usualLimit where none is said
     * @throws Stop that says what is wrong with it
     */
    public Selection selection(Optional<String> usualLimit) {
        return selection(filters, usualLimit);
    }

    private Selection selection(List<String> filters, Optional<String> usualLimit) {
        List<Integer> sessions = pids.stream().map(SelectionOptions::pid).toList();
        List<TableName> tables = on.stream().map(SelectionOptions::table).toList();
        List<Condition> conditions = filters.stream().map(Condition::parse).toList();
        conditions.forEach(condition -> Selection.requireKnown(condition.attribute(), blocking));
        return new Selection(
                sessions,
                tables,
                conditions,
                blocking,
                Ordering.by(sort, blocking),
                Optional.ofNullable(limit)
                        .or(() -> usualLimit)
                        .map(SelectionOptions::limit)
                        .orElse(OptionalInt.empty()),
                names());
    }

    /**
     * Whose owners are to be signalled: what is typed narrows what the files say, and never stands for it. Otherwise whoever adds
     * a filter to a profile that ends sessions would end others.
     *
     * @param files what the files say of an option
     * @throws Stop that says what is wrong with it
     */
    public Selection toSignal(Function<String, List<String>> files) {
        List<String> usual = files.apply("on");
        List<TableName> allowed = usual.stream().map(SelectionOptions::table).toList();
        on.stream()
                .filter(name -> !allowed.isEmpty() && !allowed.contains(table(name)))
                .findFirst()
                .ifPresent(name -> {
                    throw Stop.usage("--on " + name + ": the profile signals only those on " + String.join(", ", usual)
                            + "; name one of these, or leave the profile out");
                });
        List<String> both = Stream.concat(files.apply("filter").stream(), filters.stream())
                .distinct()
                .toList();
        both.stream().map(Condition::parse).forEach(Condition::requireValue);
        return selection(both, Optional.empty());
    }

    private KeyNames names() {
        if (keyNames.contains("")) {
            throw Stop.usage("--key-name: the name of a lock is empty");
        }
        return KeyNames.of(keyNames);
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
        throw Stop.usage(text + " is not a process id"
                + (text.matches("\\p{Alpha}.*") ? "; --on " + text + " asks for a table" : ""));
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

    private static OptionalInt limit(String limit) {
        if (limit.equals(NO_LIMIT)) {
            return OptionalInt.of(Integer.MAX_VALUE);
        }
        try {
            int most = Integer.parseInt(limit);
            if (most > 0) {
                return OptionalInt.of(most);
            }
        } catch (NumberFormatException e) {
            // said below
        }
        throw Stop.usage("--limit " + limit + " is not a number of rows; write 10, or none");
    }

    /** So that {@code --sort -activity_id} is not taken for the option {@code -a}. */
    private static final class MinusIsNoOption implements IParameterConsumer {

        @Override
        public void consumeParameters(Stack<String> words, ArgSpec option, CommandSpec command) {
            if (words.isEmpty()) {
                throw new ParameterException(command.commandLine(), "Missing required parameter for option '--sort'");
            }
            List<String> sort = new ArrayList<>();
            List<String> before = option.getValue();
            if (before != null) {
                sort.addAll(before);
            }
            sort.addAll(List.of(words.pop().split(BETWEEN)));
            option.setValue(sort);
        }
    }
}
