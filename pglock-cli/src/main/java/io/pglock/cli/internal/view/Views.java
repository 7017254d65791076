// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.view;

import io.pglock.cli.internal.Console;
import io.pglock.cli.internal.select.Attribute;
import io.pglock.cli.internal.select.Attributes;
import java.util.List;
import java.util.OptionalInt;

/** Which view it is, and what it shows where nobody says what. Stateless. Not API. */
public final class Views {

    private static final int WIDE = 100;

    private static final List<String> LOCKS = List.of(
            "activity_id",
            "granted",
            "wait_duration",
            "mode",
            "target",
            "activity__application_name",
            "activity__state",
            "activity__xact_duration",
            "activity__query");

    private static final List<String> LOCKS_NARROW =
            List.of("activity_id", "wait_duration", "mode", "target", "activity__state", "activity__query");

    private static final List<String> BLOCKERS = List.of(
            "activity_id",
            "wait_duration",
            "mode",
            "target",
            "blocking_activity_id",
            "blocking_hard",
            "blocking_modes",
            "blocking_activity__application_name",
            "blocking_activity__state",
            "blocking_activity__xact_duration",
            "blocking_activity__query");

    private static final List<String> BLOCKERS_NARROW = List.of(
            "activity_id",
            "wait_duration",
            "target",
            "blocking_activity_id",
            "blocking_hard",
            "blocking_activity__state",
            "blocking_activity__query");

    private Views() {}

    /**
     * @param attributes what to show; empty for what is shown otherwise
     * @param blocking whether the rows tell who is in the way
     * @param repeated whether it will be shown again and again
     */
    public static View of(
            OutputOptions options, Console console, List<Attribute> attributes, boolean blocking, boolean repeated) {
        List<Attribute> all = attributes.isEmpty() ? List.copyOf(Attributes.all(blocking)) : List.copyOf(attributes);
        OptionalInt width = console.columns();
        return switch (options.format()) {
            case JSON -> new JsonArray(all, repeated);
            case CSV -> new Csv(all, console.showsPerson());
            case EXPANDED -> new Expanded(all, !attributes.isEmpty(), options.heading(console));
            case TABLE ->
                new Table(attributes.isEmpty() ? shown(blocking, width) : all, width, options.heading(console));
        };
    }

    private static List<Attribute> shown(boolean blocking, OptionalInt width) {
        boolean wide = width.orElse(WIDE) >= WIDE;
        List<String> names = blocking ? wide ? BLOCKERS : BLOCKERS_NARROW : wide ? LOCKS : LOCKS_NARROW;
        return names.stream().map(Attributes::named).toList();
    }
}
