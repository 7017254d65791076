// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** A terminal's screen, with the escape sequences that gave it its colours, as a picture (SVG). */
final class Screenshot {

    private static final double CHARACTER = 8.4;
    private static final int LINE = 19;
    private static final int MARGIN = 14;
    private static final Pattern SEQUENCE = Pattern.compile("\u001b\\[([0-9;]*)m|\u001b[()].|[\u000e\u000f]");
    private static final String PAGE = "#0d1117";
    private static final String INK = "#e6edf3";
    private static final List<String> COLOURS =
            List.of("#484f58", "#ff7b72", "#3fb950", "#d29922", "#58a6ff", "#bc8cff", "#39c5cf", "#b1bac4");
    private static final List<String> BRIGHT =
            List.of("#6e7681", "#ffa198", "#56d364", "#e3b341", "#79c0ff", "#d2a8ff", "#56d4dd", "#ffffff");

    private record Style(String ink, String page, boolean bold, boolean dim, boolean inverse, boolean underlined) {

        static final Style PLAIN = new Style(INK, PAGE, false, false, false, false);

        String foreground() {
            return inverse ? page : ink;
        }

        String background() {
            return inverse ? ink : page;
        }

        Style with(List<Integer> codes) {
            Style style = this;
            for (int i = 0; i < codes.size(); i++) {
                int code = codes.get(i);
                if ((code == 38 || code == 48) && i + 2 < codes.size() && codes.get(i + 1) == 5) {
                    String colour = indexed(codes.get(i + 2));
                    style = code == 38 ? style.ink(colour) : style.page(colour);
                    i += 2;
                } else {
                    style = style.with(code);
                }
            }
            return style;
        }

        private Style with(int code) {
            if (code >= 30 && code <= 37) {
                return ink(COLOURS.get(code - 30));
            }
            if (code >= 40 && code <= 47) {
                return page(COLOURS.get(code - 40));
            }
            if (code >= 90 && code <= 97) {
                return ink(BRIGHT.get(code - 90));
            }
            return switch (code) {
                case 0 -> PLAIN;
                case 1 -> new Style(ink, page, true, dim, inverse, underlined);
                case 2 -> new Style(ink, page, bold, true, inverse, underlined);
                case 4 -> new Style(ink, page, bold, dim, inverse, true);
                case 7 -> new Style(ink, page, bold, dim, true, underlined);
                case 22 -> new Style(ink, page, false, false, inverse, underlined);
                case 24 -> new Style(ink, page, bold, dim, inverse, false);
                case 27 -> new Style(ink, page, bold, dim, false, underlined);
                case 39 -> ink(INK);
                case 49 -> page(PAGE);
                default -> this;
            };
        }

        private Style ink(String colour) {
            return new Style(colour, page, bold, dim, inverse, underlined);
        }

        private Style page(String colour) {
            return new Style(ink, colour, bold, dim, inverse, underlined);
        }

        private static String indexed(int index) {
            return index < 8 ? COLOURS.get(index) : index < 16 ? BRIGHT.get(index - 8) : INK;
        }
    }

    private record Run(int column, String text, Style style) {}

    private Screenshot() {}

    /** @param screen lines, as {@code tmux capture-pane -e} gives them; empty ones at its end are left out */
    static String svg(String title, String screen) {
        List<List<Run>> lines = new ArrayList<>();
        Style style = Style.PLAIN;
        for (String line : screen.stripTrailing().lines().toList()) {
            List<Run> runs = new ArrayList<>();
            style = runs(line, style, runs);
            lines.add(runs);
        }
        int columns = lines.stream()
                .flatMap(List::stream)
                .mapToInt(run -> run.column() + run.text().length())
                .max()
                .orElse(1);
        int width = (int) Math.ceil(columns * CHARACTER) + 2 * MARGIN;
        int height = lines.size() * LINE + 2 * MARGIN;
        StringBuilder body = new StringBuilder();
        for (int i = 0; i < lines.size(); i++) {
            int y = MARGIN + i * LINE;
            lines.get(i).forEach(run -> draw(run, y, body));
        }
        return """
                <svg xmlns="http://www.w3.org/2000/svg" width="%1$d" height="%2$d" viewBox="0 0 %1$d %2$d" role="img">
                <title>%3$s</title>
                <style>text { font: 14px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; white-space: pre }</style>
                <rect width="%1$d" height="%2$d" rx="8" fill="%4$s"/>
                %5$s</svg>
                """.formatted(width, height, escaped(title), PAGE, body);
    }

    /** @return the style with which the line ends, and the next one begins */
    private static Style runs(String line, Style first, List<Run> runs) {
        Style style = first;
        Matcher sequence = SEQUENCE.matcher(line);
        int from = 0;
        int column = 0;
        while (from <= line.length()) {
            boolean found = sequence.find(from);
            String text = line.substring(from, found ? sequence.start() : line.length());
            if (!text.isEmpty()) {
                runs.add(new Run(column, text, style));
                column += text.length();
            }
            if (!found) {
                break;
            }
            String codes = sequence.group(1);
            if (codes != null) {
                style = style.with(Stream.of(codes.split(";", -1))
                        .map(code -> code.isEmpty() ? 0 : Integer.parseInt(code))
                        .toList());
            }
            from = sequence.end();
        }
        return style;
    }

    private static void draw(Run run, int y, StringBuilder body) {
        String x = number(MARGIN + run.column() * CHARACTER);
        String length = number(run.text().length() * CHARACTER);
        if (!run.style().background().equals(PAGE)) {
            body.append("<rect x=\"%s\" y=\"%d\" width=\"%s\" height=\"%d\" fill=\"%s\"/>%n"
                    .formatted(x, y, length, LINE, run.style().background()));
        }
        if (!run.text().isBlank()) {
            Map<String, Boolean> attributes = Map.of(
                    " font-weight=\"bold\"", run.style().bold(),
                    " opacity=\"0.6\"", run.style().dim(),
                    " text-decoration=\"underline\"", run.style().underlined());
            StringBuilder more = new StringBuilder();
            attributes.entrySet().stream()
                    .filter(Map.Entry::getValue)
                    .map(Map.Entry::getKey)
                    .sorted()
                    .forEach(more::append);
            body.append("<text x=\"%s\" y=\"%d\" textLength=\"%s\" fill=\"%s\" xml:space=\"preserve\"%s>%s</text>%n"
                    .formatted(x, y + LINE - 5, length, run.style().foreground(), more, escaped(run.text())));
        }
    }

    private static String number(double value) {
        return String.format(Locale.ROOT, "%.1f", value);
    }

    private static String escaped(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
    }
}
