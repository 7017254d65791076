// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.watch;

import io.pglock.cli.internal.view.Span;
import io.pglock.cli.internal.view.Span.Look;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.jline.terminal.Size;
import org.jline.utils.AttributedString;
import org.jline.utils.AttributedStringBuilder;
import org.jline.utils.AttributedStyle;

/** A screen full of lines, while it is written: each as wide as the screen and no wider. For one thread. */
final class Page {

    private static final Map<Look, AttributedStyle> STYLES = Map.of(
            Look.PLAIN, AttributedStyle.DEFAULT,
            Look.ROOT, AttributedStyle.BOLD.foreground(AttributedStyle.RED),
            Look.WAITER, AttributedStyle.BOLD.foreground(AttributedStyle.YELLOW),
            Look.FAINT, AttributedStyle.DEFAULT.faint(),
            Look.ALARM, AttributedStyle.BOLD.foreground(AttributedStyle.RED).inverse(),
            Look.HEAD, AttributedStyle.BOLD);

    private final Size size;
    private final boolean colours;
    private final List<AttributedString> lines = new ArrayList<>();

    Page(Size size, boolean colours) {
        this.size = size;
        this.colours = colours;
    }

    int width() {
        return size.getColumns();
    }

    /** How many lines there is room for. */
    int left() {
        return Math.max(0, size.getRows() - lines.size());
    }

    /** A line from one end to the other, dark on light. */
    void bar(String text) {
        AttributedStringBuilder bar = new AttributedStringBuilder();
        bar.style(AttributedStyle.INVERSE).append(text);
        bar.append(" ".repeat(Math.max(0, width() - bar.columnLength())));
        add(bar.toAttributedString());
    }

    void line(Span... spans) {
        line(List.of(spans), false);
    }

    void line(List<Span> spans, boolean marked) {
        AttributedStringBuilder line = new AttributedStringBuilder();
        line.append(marked ? "> " : "  ");
        for (Span span : spans) {
            AttributedStyle style =
                    colours ? STYLES.getOrDefault(span.look(), AttributedStyle.DEFAULT) : AttributedStyle.DEFAULT;
            line.styled(marked ? style.inverse() : style, drawn(span.text()));
        }
        if (marked) {
            line.styled(AttributedStyle.INVERSE, " ".repeat(Math.max(0, width() - line.columnLength())));
        }
        add(line.toAttributedString());
    }

    /** JLine writes └ and ─ in the terminal's own alphabet, which does not survive being copied; these it leaves alone. */
    private static String drawn(String text) {
        return text.replace('└', '╰').replace('─', '╴');
    }

    /** Nothing, down to where so many lines are left. */
    void fillTo(int linesLeft) {
        while (left() > linesLeft) {
            add(AttributedString.EMPTY);
        }
    }

    private void add(AttributedString line) {
        if (left() > 0) {
            lines.add(line.columnSubSequence(0, width()));
        }
    }

    List<AttributedString> lines() {
        return Collections.unmodifiableList(lines);
    }

    /** A text in lines that are no wider than that, broken between words where there are any. */
    static List<String> wrapped(String text, int width) {
        List<String> lines = new ArrayList<>();
        for (String paragraph : text.split("\\R", -1)) {
            String rest = paragraph;
            String line = cut(rest, width);
            while (line.length() < rest.length()) {
                int space = line.lastIndexOf(' ');
                int end = space > 0 ? space : line.length();
                lines.add(rest.substring(0, end));
                rest = rest.substring(space > 0 ? end + 1 : end);
                line = cut(rest, width);
            }
            lines.add(line);
        }
        return lines;
    }

    private static String cut(String text, int width) {
        return new AttributedString(text).columnSubSequence(0, width).toString();
    }
}
