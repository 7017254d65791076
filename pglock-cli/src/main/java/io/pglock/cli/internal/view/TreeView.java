// SPDX-License-Identifier: Apache-2.0
package io.pglock.cli.internal.view;

import io.pglock.LockTree;
import io.pglock.cli.internal.Printable;
import io.pglock.cli.internal.select.QueryContext;
import io.pglock.cli.internal.select.Values;
import io.pglock.cli.internal.view.Span.Look;
import io.pglock.internal.Text;
import io.pglock.internal.TreeText;
import io.pglock.internal.TreeText.Line;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/** A {@link LockTree} as lines of a terminal: core's text, with names for what it cannot know, and looks. Not API. */
public final class TreeView {

    private static final int SHOWN_QUERY_LENGTH = 60;
    private static final int COLUMNS = 4;
    private static final int WIDEST_COLUMN = 70;
    private static final String GAP = "  ";

    private TreeView() {}

    /** A session's line. */
    public record Row(LockTree.Node node, List<Span> spans) {

        /** As text, without looks. */
        public String text() {
            StringBuilder text = new StringBuilder();
            spans.forEach(span -> text.append(span.text()));
            return text.toString().stripTrailing();
        }
    }

    /** Each session's line, in the order of the tree. */
    public static List<Row> rows(LockTree tree, TargetNames names) {
        List<Line> lines = TreeText.lines(tree, names::describe).stream()
                .map(line -> new Line(
                        line.node(),
                        line.branch(),
                        Printable.of(line.who()),
                        Printable.of(line.what()),
                        Printable.of(line.why()),
                        Printable.of(query(line.node()))))
                .toList();
        int[] widths = widths(lines);
        return lines.stream()
                .map(line -> new Row(line.node(), spans(line, widths)))
                .toList();
    }

    /** How wide the columns are; a longer cell sticks out. */
    private static int[] widths(List<Line> lines) {
        return IntStream.range(0, COLUMNS)
                .map(column -> lines.stream()
                        .mapToInt(line ->
                                Math.min(WIDEST_COLUMN, Width.of(line.cells().get(column))))
                        .max()
                        .orElse(0))
                .toArray();
    }

    /** Without the comment that says where it comes from, which could be all that is seen of it; that follows it. */
    private static String query(LockTree.Node node) {
        QueryContext query = QueryContext.of(node.backend().query().orElse(""));
        String context = query.values().isEmpty() ? "" : " [" + Values.text(query.values()) + "]";
        return query.query().isBlank()
                ? context
                : "\"" + Text.shorten(query.query(), SHOWN_QUERY_LENGTH) + "\"" + context;
    }

    private static List<Span> spans(Line line, int[] widths) {
        boolean root = line.node().behind().isEmpty();
        List<String> cells = line.cells();
        List<Span> spans = new ArrayList<>();
        spans.add(new Span(line.branch(), Look.FAINT));
        spans.add(new Span(line.who(), root ? Look.ROOT : Look.WAITER));
        spans.add(gap(cells.get(0), widths[0]));
        spans.add(Span.plain(line.what()));
        spans.add(gap(line.what(), widths[1]));
        if (line.node().deadlocked()) {
            int at = line.why().lastIndexOf(TreeText.DEADLOCK);
            spans.add(Span.plain(line.why().substring(0, at)));
            spans.add(new Span(TreeText.DEADLOCK, Look.ALARM));
        } else {
            spans.add(new Span(line.why(), root ? Look.HEAD : Look.PLAIN));
        }
        spans.add(gap(line.why(), widths[2]));
        spans.add(new Span(line.query(), Look.FAINT));
        return List.copyOf(spans);
    }

    private static Span gap(String cell, int width) {
        return Span.plain(" ".repeat(Math.max(0, width - Width.of(cell))) + GAP);
    }
}
