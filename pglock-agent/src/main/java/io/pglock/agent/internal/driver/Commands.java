// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal.driver;

import io.pglock.SqlCommand;
import io.pglock.internal.Statements;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.postgresql.core.Query;

/**
 * What goes out at once: a command, several in one text, or a batch. Immutable.
 *
 * @param sql all of it
 * @param each in their order; none where there is nothing but a comment
 * @param several whether one may have been done when another fails
 */
record Commands(String sql, List<Command> each, boolean several) {

    static final Commands NONE = new Commands("", List.of(), false);

    /** One of them. */
    record Command(String sql, Verb verb) {}

    /** @param what a query, several, or the text of one */
    static Commands of(@Nullable Object what) {
        if (what instanceof Query[] batch) {
            // Mostly one query, with other values each time.
            String sql = Arrays.stream(batch).distinct().map(Commands::text).collect(Collectors.joining(";\n"));
            return of(sql, batch.length > 1);
        }
        return of(what instanceof Query query ? text(query) : what instanceof String text ? text : "fastpath", false);
    }

    private static String text(Query query) {
        return Objects.requireNonNullElse(query.getNativeSql(), "");
    }

    private static Commands of(String sql, boolean batch) {
        List<Command> each = Statements.parts(sql).stream()
                .map(part -> new Command(part, Verb.of(part)))
                .filter(command -> command.verb() != Verb.NONE)
                .toList();
        return new Commands(sql, each, batch || each.size() > 1);
    }

    /** Whether outside a transaction a part of it may have been done, for good, when it fails. */
    boolean mayFailHalfDone() {
        return several || !SqlCommand.of(sql).isAtomic();
    }

    private Stream<Verb> verbs() {
        return each.stream().map(Command::verb);
    }

    /** What the one of them does that matters most. */
    Verb verb() {
        return verbs().max(Comparator.naturalOrder()).orElse(Verb.NONE);
    }

    boolean has(Verb verb) {
        return verbs().anyMatch(verb::equals);
    }
}
