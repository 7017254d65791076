// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.select;

import static picocli.CommandLine.Spec.Target.MIXEE;

import io.pglock.TableName;
import io.pglock.cli.internal.Stop;
import io.pglock.cli.internal.Typed;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Stack;
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
        return rows(filters(), usualLimit, true);
    }

    private Selection rows(List<String> filters, Optional<String> usualLimit, boolean narrowed) {
        filters.forEach(filter -> Selection.requireKnown(Condition.parse(filter).attribute(), blocking));
        OptionalInt most = Optional.ofNullable(limit)
                .or(() -> usualLimit)
                .map(RowOptions::limit)
                .orElse(OptionalInt.empty());
        return selection(filters, blocking, sort, most, narrowed);
    }

    /**
     * Whose owners are to be signalled: what is typed narrows what the files say, and never stands for it. Otherwise whoever adds
     * a filter to a profile that ends sessions would end others. Defaults narrow too, but that there are some says nothing about
     * whom this call is meant for.
     *
     * @throws Stop that says what is wrong with it
     */
    public Selection toSignal(Usual files) {
        for (List<String> usual : files.values("on")) {
            List<TableName> allowed =
                    usual.stream().map(SelectionOptions::table).toList();
            on().stream()
                    .filter(name -> !allowed.contains(table(name)))
                    .findFirst()
                    .ifPresent(name -> {
                        throw Stop.usage("--on " + name + ": the profile signals only those on "
                                + String.join(", ", usual) + "; name one of these, or leave the profile out");
                    });
        }
        List<String> all = Stream.concat(files.values("filter").stream().flatMap(List::stream), filters().stream())
                .distinct()
                .toList();
        all.stream().map(Condition::parse).forEach(Condition::requireValue);
        boolean narrowed = isSessionNamed()
                || Stream.of("on", "filter").anyMatch(option -> isTyped(option) || files.isAskedFor(option));
        return rows(all, Optional.empty(), narrowed);
    }

    private boolean isTyped(String option) {
        return Typed.has(command, "--" + option).orElse(false);
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
