// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.select;

import static picocli.CommandLine.Spec.Target.MIXEE;

import io.pglock.TableName;
import io.pglock.cli.internal.Stop;
import io.pglock.cli.internal.Typed;
import io.pglock.cli.internal.keys.KeyNames;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Stack;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.IParameterConsumer;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Which locks, in which order and how many, where each is a row. Not API. */
public final class RowOptions extends SelectionOptions {

    private static final String NO_LIMIT = "none";

    @Spec(MIXEE)
    private @Nullable CommandSpec command;

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

    /**
     * Which locks are to be shown.
     *
     * @param usualLimit where none is said
     * @throws Stop that says what is wrong with it
     */
    public Selection selection(Optional<String> usualLimit) {
        return rows(tables(), conditions(), sort, usualLimit, true);
    }

    private Selection rows(
            List<TableName> tables,
            List<Condition> conditions,
            List<String> order,
            Optional<String> usualLimit,
            boolean narrowed) {
        conditions.forEach(condition -> Selection.requireKnown(condition.attribute(), blocking));
        OptionalInt most = Optional.ofNullable(limit)
                .or(() -> usualLimit)
                .map(RowOptions::limit)
                .orElse(OptionalInt.empty());
        return selection(tables, conditions, blocking, order, most, narrowed);
    }

    /**
     * Whose owners are to be signalled: what is typed narrows what the files say, and never stands for it. Otherwise whoever adds
     * a filter to a profile that ends sessions would end others. Defaults narrow too, those of each file; but that there are some
     * says nothing about whom this call is meant for, and which rows one likes to see first nothing about who is ended.
     *
     * @throws Stop that says what is wrong with it
     */
    public Selection toSignal(Usual files) {
        List<Condition> conditions = Stream.concat(
                        files.values("filter").stream().flatMap(List::stream), filters().stream())
                .distinct()
                .map(Condition::parse)
                .toList();
        conditions.forEach(Condition::requireValue);
        KeyNames everyName = names(files.everywhere("key-name"));
        boolean narrowed =
                isSessionNamed() || files.isForThisCall(command, "on") || files.isForThisCall(command, "filter");
        return rows(
                tables(files),
                conditions.stream()
                        .map(condition -> condition.alsoWith(everyName))
                        .toList(),
                isSortTyped() || files.isAskedFor("sort") ? sort : List.of(),
                Optional.empty(),
                narrowed);
    }

    /** Those that are typed, or else those that the files have in common. */
    private List<TableName> tables(Usual files) {
        List<TableName> said = tables();
        List<List<String>> lists = files.values("on");
        if (lists.isEmpty()) {
            return said;
        }
        List<TableName> allowed = new ArrayList<>(tables(lists.get(0)));
        lists.forEach(list -> allowed.retainAll(tables(list)));
        if (allowed.isEmpty()) {
            throw Stop.usage("the defaults of the files have no table in common whose sessions may be signalled: "
                    + lists.stream().map(list -> String.join(", ", list)).collect(Collectors.joining("; "))
                    + ". Ask for a profile with --config, or for one of the files with --config-file");
        }
        if (!Typed.has(command, "--on").orElse(false)) {
            return allowed;
        }
        said.stream().filter(table -> !allowed.contains(table)).findFirst().ifPresent(table -> {
            String who = files.isAskedFor("on") ? "the profile signals" : "the defaults in pglock.toml signal";
            throw Stop.usage("--on " + table + ": " + who + " only those on "
                    + allowed.stream().map(TableName::toString).collect(Collectors.joining(", "))
                    + "; name one of these, or "
                    + (files.isAskedFor("on") ? "leave the profile out" : "ask for a profile with --config"));
        });
        return said;
    }

    /** Of an option that reads its words itself picocli does not say so. */
    private boolean isSortTyped() {
        return Optional.ofNullable(command)
                .map(spec -> spec.commandLine().getParseResult())
                .filter(read -> read.originalArgs().stream()
                        .anyMatch(word -> word.equals("--sort") || word.startsWith("--sort=")))
                .isPresent();
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
