// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.view;

import static picocli.CommandLine.Spec.Target.MIXEE;

import io.pglock.cli.internal.Console;
import io.pglock.cli.internal.Stop;
import io.pglock.cli.internal.Typed;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Help.Ansi.Style;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** How to show what was found. Not API. */
public final class OutputOptions {

    /** One of them. */
    public enum Format {
        TABLE,
        EXPANDED,
        JSON,
        CSV;

        /** Whether a person is meant to read it. */
        public boolean isForPeople() {
            return this == TABLE || this == EXPANDED;
        }
    }

    @Spec(MIXEE)
    private @Nullable CommandSpec command;

    @Option(
            names = {"-e", "--expanded"},
            negatable = true,
            description = "Each attribute on its own line, nothing shortened.")
    private boolean expanded;

    @Option(names = "--json", negatable = true, description = "One JSON array.")
    private boolean json;

    @Option(names = "--csv", negatable = true, description = "CSV (RFC 4180) with a header.")
    private boolean csv;

    @Option(names = "--no-color", description = "No colours. NO_COLOR")
    private boolean noColor;

    /** @throws Stop when it is more than one */
    public Format format() {
        Map<String, Format> said = new LinkedHashMap<>();
        put(said, expanded, "--expanded", Format.EXPANDED);
        put(said, json, "--json", Format.JSON);
        put(said, csv, "--csv", Format.CSV);
        Map<String, Format> typed = new LinkedHashMap<>(said);
        typed.keySet().removeIf(option -> !isTyped(option));
        Map<String, Format> asked = typed.isEmpty() ? said : typed;
        if (asked.size() > 1) {
            throw Stop.usage(String.join(" and ", asked.keySet()) + " exclude each other");
        }
        return asked.values().stream().findFirst().orElse(Format.TABLE);
    }

    private static void put(Map<String, Format> said, boolean given, String option, Format format) {
        if (given) {
            said.put(option, format);
        }
    }

    private boolean isTyped(String option) {
        return Typed.has(command, option).orElse(false);
    }

    /** How a heading looks. */
    UnaryOperator<String> heading(Console console) {
        return Colours.of(console, !noColor).areOn()
                ? text -> Style.bold.on() + text + Style.bold.off()
                : UnaryOperator.identity();
    }
}
