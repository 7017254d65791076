// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/** A page of Markdown, written from top to bottom. */
public final class MarkdownPage {

    private final StringBuilder text = new StringBuilder();

    public MarkdownPage(String title) {
        text.append("# ").append(title).append('\n');
    }

    /**
     * The beginning of a page with what a benchmark has measured: its picture, and where that was.
     *
     * @param benchmark as {@code -Dpglock.bench} names it; the picture is called like it
     * @param how how it was measured, and how to run it again
     * @param where names and values
     */
    public static MarkdownPage ofBenchmark(String benchmark, String title, String how, List<List<String>> where) {
        String picture = benchmark.replaceAll("\\B([A-Z])", "-$1").toLowerCase(Locale.ROOT) + ".svg";
        return new MarkdownPage(title)
                .paragraph("<!-- Made by mvn -Pbench -Dpglock.bench=" + benchmark + "; see " + benchmark
                        + "Page. Not to be edited. -->")
                .paragraph(how)
                .image("Chart of the figures below", picture)
                .table(List.of("", ""), where);
    }

    public MarkdownPage section(String title) {
        return paragraph("## " + title);
    }

    public MarkdownPage paragraph(String markdown) {
        text.append('\n').append(markdown.strip()).append('\n');
        return this;
    }

    public MarkdownPage image(String description, String file) {
        return paragraph("![" + description + "](" + file + ")");
    }

    /** Cells may be Markdown, but for what ends a cell. */
    public MarkdownPage table(List<String> columns, List<List<String>> rows) {
        text.append('\n');
        row(columns);
        row(columns.stream().map(column -> "---").toList());
        for (List<String> row : rows) {
            if (row.size() != columns.size()) {
                throw new IllegalArgumentException(row + " is not a row of " + columns);
            }
            row(row);
        }
        return this;
    }

    private void row(List<String> cells) {
        text.append('|');
        for (String cell : cells) {
            text.append(' ').append(cell.replace("|", "\\|").replace('\n', ' ')).append(" |");
        }
        text.append('\n');
    }

    public void write(Path file) throws IOException {
        Files.writeString(file, text);
    }

    @Override
    public String toString() {
        return text.toString();
    }
}
