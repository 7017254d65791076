// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** A page of Markdown, written from top to bottom. */
public final class MarkdownPage {

    private final StringBuilder text = new StringBuilder();

    public MarkdownPage(String title) {
        text.append("# ").append(title).append('\n');
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
