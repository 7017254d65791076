// SPDX-License-Identifier: Apache-2.0
package io.pglock.site;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.commonmark.node.Heading;
import org.commonmark.node.Node;

/**
 * All sections of all pages, for {@code site.js}. It is a script and not JSON, because a page that was opened from a disk may not
 * fetch anything.
 */
final class SearchIndex {

    private final List<String> entries = new ArrayList<>();

    void add(Page page) {
        String title = page.titleOrPath();
        String id = "";
        String heading = "";
        var text = new StringBuilder();
        for (Node block = page.document().getFirstChild(); block != null; block = block.getNext()) {
            if (block instanceof Heading begins) {
                Section section = page.section(begins);
                if (section.level() > 1) {
                    add(page.address() + id, title, heading, text);
                    id = "#" + section.id();
                    heading = section.title();
                }
            } else {
                text.append(PlainText.of(block)).append(' ');
            }
        }
        add(page.address() + id, title, heading, text);
    }

    private void add(String address, String title, String heading, StringBuilder text) {
        entries.add(Stream.of(address, title, heading, text.toString().strip())
                .map(Json::string)
                .collect(Collectors.joining(",", "[", "]")));
        text.setLength(0);
    }

    String script() {
        return entries.stream().collect(Collectors.joining(",\n", "window.pglockPages = [\n", "\n];\n"));
    }
}
