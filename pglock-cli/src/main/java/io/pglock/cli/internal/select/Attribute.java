// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.select;

import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * Something that can be known of a {@link Row}: what filters compare, sorting orders and the views show. Immutable. Not API.
 *
 * @param name what it is called everywhere, as django-pglock calls it where that has it
 * @param kind what its values are: of {@code TEXT}, {@code ID} and {@code WORD} strings, {@code MODE} {@link io.pglock.LockMode}, {@code
 *     NUMBER} {@link Long}, {@code FLAG} {@link Boolean}, {@code DURATION} {@link java.time.Duration}, {@code INSTANT} {@link
 *     java.time.Instant}, {@code PIDS} a list of {@link Integer}, {@code MAP} a map of strings
 * @param heading what stands above its column
 * @param meaning what it is, in one line
 * @param words all values it can have; empty where there are too many
 * @param value how to get it; empty where it is not known or there is none
 */
public record Attribute(
        String name,
        Kind kind,
        String heading,
        String meaning,
        List<String> words,
        Function<Row, ? extends Optional<?>> value) {

    private static final String OF_BLOCKERS = "blocking_";
    private static final String OF_SESSIONS = "activity__";

    /** Copies the list. */
    public Attribute {
        words = List.copyOf(words);
    }

    /** Its value in this row. */
    public Optional<?> of(Row row) {
        return value.apply(row);
    }

    /** Whether it is about who is in the way, who is in the rows only when blockers are asked for. */
    public boolean isOfBlocker() {
        return name.startsWith(OF_BLOCKERS);
    }

    /** Whether it is how long a lock is waited for; before PostgreSQL 14 that is something that a session does. */
    boolean isOfWait() {
        return name.startsWith("wait_");
    }

    /** Whether it is something that a session does or is, which a role may not see of every one. */
    boolean isOfSession() {
        return name.contains(OF_SESSIONS);
    }

    @Override
    public String toString() {
        return name;
    }
}
