// SPDX-License-Identifier: Apache-2.0
package io.pglock.site;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import org.commonmark.node.AbstractVisitor;
import org.commonmark.node.Heading;
import org.commonmark.node.Link;
import org.commonmark.node.ListItem;
import org.commonmark.node.Node;

/**
 * The order of the site, which {@code index.md} has: its headings are the groups, the first link of each item of its lists is a
 * page. Immutable.
 *
 * @param index where all begins
 * @param groups in order
 */
record Navigation(Page index, List<Group> groups) {

    record Group(String title, List<Entry> entries) {}

    record Entry(String title, Page page) {}

    static Navigation of(Documentation documentation, Consumer<Problem> problems) {
        Page index = documentation.pages().get("index.md");
        if (index == null) {
            index = Page.parse("index.md", "");
            problems.accept(new Problem("index.md", 1, "is missing"));
        }
        var reader = new Reader(documentation, index, problems);
        index.document().accept(reader);
        for (Page page : documentation.pages().values()) {
            if (!reader.listed.contains(page.path()) && page != index) {
                problems.accept(new Problem(page.path(), 1, "no list of index.md leads to this page"));
            }
        }
        reader.groups.removeIf(group -> group.entries().isEmpty());
        return new Navigation(index, List.copyOf(reader.groups));
    }

    /** All pages, from the first to the last. */
    List<Page> pages() {
        List<Page> pages = new ArrayList<>();
        pages.add(index);
        groups.forEach(group -> group.entries().forEach(entry -> pages.add(entry.page())));
        return pages;
    }

    private static final class Reader extends AbstractVisitor {

        private final Documentation documentation;
        private final Page index;
        private final Consumer<Problem> problems;
        private final List<Group> groups = new ArrayList<>();
        private final Set<String> listed = new HashSet<>();

        Reader(Documentation documentation, Page index, Consumer<Problem> problems) {
            this.documentation = documentation;
            this.index = index;
            this.problems = problems;
        }

        @Override
        public void visit(Heading heading) {
            groups.add(new Group(index.section(heading).title(), new ArrayList<>()));
        }

        @Override
        public void visit(ListItem item) {
            Node paragraph = item.getFirstChild();
            if (paragraph != null && paragraph.getFirstChild() instanceof Link link) {
                list(link);
            }
            visitChildren(item);
        }

        private void list(Link link) {
            Page page = documentation.pages().get(link.getDestination());
            if (page != null) {
                if (!listed.add(page.path())) {
                    problems.accept(index.problem(link, page.path() + " is listed a second time"));
                }
                if (groups.isEmpty()) {
                    groups.add(new Group("", new ArrayList<>()));
                }
                groups.get(groups.size() - 1).entries().add(new Entry(PlainText.of(link), page));
            }
        }
    }
}
