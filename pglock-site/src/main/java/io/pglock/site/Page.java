// SPDX-License-Identifier: Apache-2.0
package io.pglock.site;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.commonmark.ext.gfm.tables.TablesExtension;
import org.commonmark.ext.heading.anchor.IdGenerator;
import org.commonmark.node.AbstractVisitor;
import org.commonmark.node.Heading;
import org.commonmark.node.HtmlBlock;
import org.commonmark.node.HtmlInline;
import org.commonmark.node.Node;
import org.commonmark.node.Paragraph;
import org.commonmark.parser.IncludeSourceSpans;
import org.commonmark.parser.Parser;

/** A page of Markdown, read once. Comments are no part of it. Not changed any more, so safe to share. */
final class Page {

    private static final Parser PARSER = Parser.builder()
            .extensions(List.of(TablesExtension.create()))
            .includeSourceSpans(IncludeSourceSpans.BLOCKS_AND_INLINES)
            .build();

    private final String path;
    private final Node document;
    private final Map<Heading, Section> byHeading = new HashMap<>();
    private final List<Section> sections = new ArrayList<>();

    private Page(String path, Node document) {
        this.path = path;
        this.document = document;
    }

    /** @param path of the file below the folder of the documentation, with {@code /} */
    static Page parse(String path, String markdown) {
        var page = new Page(path, PARSER.parse(markdown));
        page.document.accept(new CommentsLeftOut());
        page.document.accept(page.new SectionsFound());
        return page;
    }

    String path() {
        return path;
    }

    /** Where the page is on the site, below its root. */
    String address() {
        return address(path);
    }

    static String address(String path) {
        return path.substring(0, path.length() - ".md".length()) + ".html";
    }

    /** What leads from this page to the root of the site. */
    String root() {
        return "../".repeat((int) path.chars().filter(letter -> letter == '/').count());
    }

    Node document() {
        return document;
    }

    Optional<Section> title() {
        return document.getFirstChild() instanceof Heading first && first.getLevel() == 1
                ? Optional.of(section(first))
                : Optional.empty();
    }

    String titleOrPath() {
        return title().map(Section::title).orElse(path);
    }

    List<Section> sections() {
        return sections;
    }

    Section section(Heading heading) {
        return Objects.requireNonNull(byHeading.get(heading));
    }

    boolean hasAnchor(String id) {
        return sections.stream().anyMatch(section -> section.id().equals(id));
    }

    /** The first paragraph, which says what the page is about. */
    String summary() {
        for (Node block = document.getFirstChild(); block != null; block = block.getNext()) {
            if (block instanceof Paragraph) {
                return PlainText.of(block);
            }
        }
        return "";
    }

    Problem problem(Node at, String says) {
        int line =
                at.getSourceSpans().isEmpty() ? 1 : at.getSourceSpans().get(0).getLineIndex() + 1;
        return new Problem(path, line, says);
    }

    private final class SectionsFound extends AbstractVisitor {

        private final IdGenerator ids = IdGenerator.builder().build();

        @Override
        public void visit(Heading heading) {
            String title = PlainText.of(heading);
            var section = new Section(heading.getLevel(), ids.generateId(title), title);
            byHeading.put(heading, section);
            sections.add(section);
        }
    }

    private static final class CommentsLeftOut extends AbstractVisitor {

        @Override
        public void visit(HtmlBlock block) {
            if (isComment(block.getLiteral())) {
                block.unlink();
            }
        }

        @Override
        public void visit(HtmlInline inline) {
            if (isComment(inline.getLiteral())) {
                inline.unlink();
            }
        }

        private static boolean isComment(String html) {
            String stripped = html.strip();
            return stripped.startsWith("<!--") && stripped.indexOf("-->") == stripped.length() - "-->".length();
        }
    }
}
