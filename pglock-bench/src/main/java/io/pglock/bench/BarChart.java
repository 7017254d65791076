// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Panels of horizontal bars, one below the other, as an SVG that brings its own background for light and dark pages. */
public final class BarChart {

    private static final int WIDTH = 860;
    private static final int BARS_AT = 300;
    private static final int LONGEST = 440;
    private static final int LINE = 24;
    private static final int MARGIN = 20;

    private final String title;
    private final List<Panel> panels = new ArrayList<>();

    /**
     * @param value not negative
     * @param text what is written at its end
     * @param ours to be told apart by its colour
     */
    public record Bar(String label, double value, String text, boolean ours) {}

    private record Panel(String title, List<Bar> bars) {}

    public BarChart(String title) {
        this.title = title;
    }

    /** Each panel has a scale of its own. */
    public BarChart panel(String heading, List<Bar> bars) {
        panels.add(new Panel(heading, List.copyOf(bars)));
        return this;
    }

    public void write(Path file) throws IOException {
        Files.writeString(file, toString());
    }

    @Override
    public String toString() {
        var body = new StringBuilder();
        int y = MARGIN + LINE;
        text(body, "title", MARGIN, y, title);
        for (Panel panel : panels) {
            y += 2 * LINE;
            text(body, "heading", MARGIN, y, panel.title());
            double longest = panel.bars().stream().mapToDouble(Bar::value).max().orElse(0);
            for (Bar bar : panel.bars()) {
                y += LINE;
                bar(body, y, bar, longest > 0 ? LONGEST * bar.value() / longest : 0);
            }
        }
        int height = y + LINE + MARGIN;
        return """
                <svg xmlns="http://www.w3.org/2000/svg" width="%1$d" height="%2$d" viewBox="0 0 %1$d %2$d" role="img">
                <title>%3$s</title>
                <style>
                text { font: 13px system-ui, sans-serif; fill: #1f2328 }
                .title { font-size: 17px; font-weight: 600 }
                .heading { font-weight: 600 }
                .label { text-anchor: end }
                .page { fill: #ffffff }
                .bar { fill: #8c959f }
                .ours { fill: #0969da }
                @media (prefers-color-scheme: dark) {
                text { fill: #e6edf3 }
                .page { fill: #0d1117 }
                .bar { fill: #6e7681 }
                .ours { fill: #4493f8 }
                }
                </style>
                <rect class="page" width="%1$d" height="%2$d"/>
                %4$s</svg>
                """.formatted(WIDTH, height, escaped(title), body);
    }

    private static void bar(StringBuilder body, int y, Bar bar, double length) {
        text(body, "label", BARS_AT - 8, y, bar.label());
        body.append(String.format(
                Locale.ROOT,
                "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"14\" rx=\"2\"/>%n",
                bar.ours() ? "ours" : "bar",
                BARS_AT,
                y - 12,
                Math.max(length, 1)));
        text(body, "value", BARS_AT + (int) Math.ceil(length) + 6, y, bar.text());
    }

    private static void text(StringBuilder body, String kind, int x, int y, String text) {
        body.append("<text class=\"%s\" x=\"%d\" y=\"%d\">%s</text>\n".formatted(kind, x, y, escaped(text)));
    }

    private static String escaped(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;");
    }
}
