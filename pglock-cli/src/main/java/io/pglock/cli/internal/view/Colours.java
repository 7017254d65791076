// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.view;

import io.pglock.cli.internal.Console;
import io.pglock.cli.internal.view.Span.Look;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Help.Ansi.IStyle;
import picocli.CommandLine.Help.Ansi.Style;

/** How {@link Span}s look on an output: coloured on a terminal, unless somebody does not want it. Immutable. Not API. */
public final class Colours {

    private static final Map<Look, List<Style>> STYLES = Map.of(
            Look.PLAIN, List.of(),
            Look.ROOT, List.of(Style.bold, Style.fg_red),
            Look.WAITER, List.of(Style.bold, Style.fg_yellow),
            Look.FAINT, List.of(Style.faint),
            Look.ALARM, List.of(Style.bold, Style.reverse, Style.fg_red),
            Look.HEAD, List.of(Style.bold));

    private final boolean on;

    private Colours(boolean on) {
        this.on = on;
    }

    /**
     * @param wanted what the command line says
     * @see <a href="https://no-color.org">NO_COLOR</a>
     */
    public static Colours of(Console console, boolean wanted) {
        String noColor = System.getenv("NO_COLOR");
        return new Colours(wanted && console.showsPerson() && (noColor == null || noColor.isEmpty()));
    }

    /** A line, without what is blank at its end. */
    public String line(List<Span> spans) {
        StringBuilder line = new StringBuilder();
        int end = spans.size();
        while (end > 0 && spans.get(end - 1).text().isBlank()) {
            end--;
        }
        for (Span span : spans.subList(0, end)) {
            List<Style> styles = on && !span.text().isBlank() ? STYLES.getOrDefault(span.look(), List.of()) : List.of();
            styles.stream().map(IStyle::on).forEach(line::append);
            line.append(span.text());
            if (!styles.isEmpty()) {
                line.append(Style.reset.on());
            }
        }
        return line.toString().stripTrailing();
    }
}
