// SPDX-License-Identifier: Apache-2.0
package io.pglock.site;

import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.commonmark.ext.gfm.tables.TableBlock;
import org.commonmark.ext.gfm.tables.TableHead;
import org.commonmark.ext.gfm.tables.TablesExtension;
import org.commonmark.node.FencedCodeBlock;
import org.commonmark.node.Heading;
import org.commonmark.node.HtmlBlock;
import org.commonmark.node.HtmlInline;
import org.commonmark.node.Image;
import org.commonmark.node.Link;
import org.commonmark.node.Node;
import org.commonmark.renderer.NodeRenderer;
import org.commonmark.renderer.html.HtmlNodeRendererContext;
import org.commonmark.renderer.html.HtmlRenderer;
import org.commonmark.renderer.html.HtmlWriter;

/** The HTML of one page, without what is around it. Made by one thread, at once. */
final class Body {

    /** Such text would not be understood if its lines were broken; a log's lines are. */
    private static final Pattern ALIGNED = Pattern.compile("\\S {3,}\\S|[\u2500-\u257f|]|(?m)^\\s|^\\s*$");

    private final Page page;
    private final Links links;
    private final String repository;
    private final Consumer<Problem> problems;
    private final NavigableSet<String> assets = new TreeSet<>();
    private final Set<Target.Source> sources = new LinkedHashSet<>();
    private final String html;

    /** @param repository what the path of a file of the repository is appended to, or empty if it is nowhere to be seen */
    Body(Page page, Links links, String repository, Consumer<Problem> problems) {
        this.page = page;
        this.links = links;
        this.repository = repository;
        this.problems = problems;
        this.html = HtmlRenderer.builder()
                .nodeRendererFactory(Parts::new)
                .attributeProviderFactory(context -> Tables::label)
                .extensions(List.of(TablesExtension.create()))
                .escapeHtml(true)
                .build()
                .render(page.document());
    }

    String html() {
        return html;
    }

    /** The files, below the folder of the documentation, that the page shows or leads to. */
    NavigableSet<String> assets() {
        return assets;
    }

    /** Those files and folders of the repository that are named and not linked. */
    List<String> sources() {
        return sources.stream().map(Target.Source::path).toList();
    }

    private Target resolve(Node at, String destination) {
        Target target = links.resolve(page, destination);
        if (target instanceof Target.Broken broken) {
            problems.accept(page.problem(at, broken.why()));
        }
        if (target instanceof Target.Asset asset) {
            assets.add(asset.path());
        }
        return target;
    }

    private final class Parts implements NodeRenderer {

        private final HtmlNodeRendererContext context;
        private final HtmlWriter writer;

        Parts(HtmlNodeRendererContext context) {
            this.context = context;
            this.writer = context.getWriter();
        }

        @Override
        public Set<Class<? extends Node>> getNodeTypes() {
            return Set.of(
                    FencedCodeBlock.class,
                    Heading.class,
                    HtmlBlock.class,
                    HtmlInline.class,
                    Image.class,
                    Link.class,
                    TableBlock.class,
                    TableHead.class);
        }

        @Override
        public void render(Node node) {
            if (node instanceof Heading heading) {
                heading(heading);
            } else if (node instanceof FencedCodeBlock block) {
                code(block);
            } else if (node instanceof Link link) {
                link(link);
            } else if (node instanceof Image image) {
                image(image);
            } else if (node instanceof TableBlock table) {
                table(table);
            } else if (node instanceof TableHead head) {
                head(head);
            } else {
                problems.accept(page.problem(
                        node, "HTML is shown by some forges and not by others; only comments are left out"));
            }
        }

        private void heading(Heading heading) {
            Section section = page.section(heading);
            String tag = "h" + section.level();
            writer.line();
            writer.tag(tag, Map.of("id", section.id()));
            children(heading);
            if (section.level() > 1) {
                writer.raw(" ");
                writer.tag(
                        "a",
                        attributes(
                                "class", "anchor", "href", "#" + section.id(), "aria-label", "Link to this section"));
                writer.text("#");
                writer.tag("/a");
            }
            writer.tag("/" + tag);
            writer.line();
        }

        private void code(FencedCodeBlock block) {
            String language = block.getInfo().strip();
            boolean lines = language.equals("text")
                    && !ALIGNED.matcher(block.getLiteral()).find();
            writer.line();
            // what is scrolled can be scrolled without a mouse
            writer.tag("pre", lines ? Map.of("class", "lines") : Map.of("tabindex", "0"));
            writer.tag("code", language.isEmpty() ? Map.of() : Map.of("class", "language-" + language));
            if (lines) {
                block.getLiteral().lines().forEach(this::line);
            } else {
                Highlighter.write(language, block.getLiteral(), writer);
            }
            writer.tag("/code");
            writer.tag("/pre");
            writer.line();
        }

        private void line(String text) {
            writer.tag("span", Map.of("class", "line"));
            writer.text(text + "\n"); // for whoever reads without the style
            writer.tag("/span");
        }

        private void link(Link link) {
            Target target = resolve(link, link.getDestination());
            if (target instanceof Target.Elsewhere elsewhere) {
                anchor(link, attributes("href", elsewhere.url(), "rel", "noopener"));
            } else if (target instanceof Target.OnSite place
                    && PlainText.of(link).equals(link.getDestination())) {
                writer.tag("a", Map.of("href", place.href()));
                writer.text(place.title()); // there are no files of Markdown here
                writer.tag("/a");
            } else if (target instanceof Target.OnSite place) {
                anchor(link, Map.of("href", place.href()));
            } else if (target instanceof Target.Asset asset) {
                anchor(link, Map.of("href", asset.href()));
            } else if (target instanceof Target.Source source && !repository.isEmpty()) {
                anchor(link, Map.of("href", repository + source.path()));
            } else if (target instanceof Target.Source source) {
                // a link would be dead, and its text is most often a name of code
                writer.tag("code", attributes("class", "source", "title", source.path()));
                writer.text(PlainText.of(link));
                writer.tag("/code");
                sources.add(source);
            }
        }

        private void anchor(Link link, Map<String, String> attributes) {
            writer.tag("a", attributes);
            children(link);
            writer.tag("/a");
        }

        private void image(Image image) {
            String description = PlainText.of(image);
            if (description.isEmpty()) {
                problems.accept(
                        page.problem(image, "the picture " + image.getDestination() + " is not described: ![...]"));
            }
            Target target = resolve(image, image.getDestination());
            if (target instanceof Target.Asset asset) {
                writer.tag("a", attributes("class", "picture", "href", asset.href())); // on a phone it is small
                writer.tag("img", attributes("src", asset.href(), "alt", description), true);
                writer.tag("/a");
            } else if (!(target instanceof Target.Broken)) {
                problems.accept(
                        page.problem(image, "the picture " + image.getDestination() + " is not in the documentation"));
            }
        }

        private void table(TableBlock table) {
            writer.line();
            String shape = Tables.isNarrow(table) ? "table narrow" : "table";
            writer.tag("div", attributes("class", shape, "role", "region", "aria-label", "Table", "tabindex", "0"));
            writer.tag("table");
            children(table);
            writer.tag("/table");
            writer.tag("/div");
            writer.line();
        }

        private void head(TableHead head) {
            if (!PlainText.of(head).isEmpty()) {
                writer.tag("thead");
                children(head);
                writer.tag("/thead");
            }
        }

        private void children(Node parent) {
            for (Node child = parent.getFirstChild(); child != null; child = child.getNext()) {
                context.render(child);
            }
        }

        /** In this order, so that the same page is always the same bytes. */
        private static Map<String, String> attributes(String... namesAndValues) {
            Map<String, String> attributes = new LinkedHashMap<>();
            for (int i = 0; i < namesAndValues.length; i += 2) {
                attributes.put(namesAndValues[i], namesAndValues[i + 1]);
            }
            return attributes;
        }
    }
}
