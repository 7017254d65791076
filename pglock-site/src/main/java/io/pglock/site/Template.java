// SPDX-License-Identifier: Apache-2.0
package io.pglock.site;

import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.commonmark.renderer.html.HtmlWriter;

/** What is around the {@link Body} of each page. Immutable. */
final class Template {

    private static final Pattern PLACE = Pattern.compile("\\{\\{(\\w+)}}");
    private static final int LONGEST_DESCRIPTION = 200;

    private final String html;
    private final Navigation navigation;
    private final List<Page> order;
    private final String version;

    Template(String html, Navigation navigation, String version) {
        this.html = html;
        this.navigation = navigation;
        this.order = navigation.pages();
        this.version = version;
    }

    String fill(Page page, Body body) {
        String site = navigation.index().titleOrPath();
        String title = page == navigation.index() ? site : page.titleOrPath() + " - " + site;
        Map<String, String> values = Map.of(
                "title", escape(title),
                "description", escape(shortened(page.summary())),
                "root", page.root(),
                "site", escape(site),
                "version", escape(version),
                "navigation", groups(page),
                "contents", contents(page),
                "neighbours", neighbours(page),
                "sources", sources(body),
                "body", body.html());
        return PLACE.matcher(html)
                .replaceAll(place -> Matcher.quoteReplacement(Objects.requireNonNull(values.get(place.group(1)))));
    }

    private String groups(Page current) {
        var list = new StringBuilder();
        for (Navigation.Group group : navigation.groups()) {
            list.append("<p>").append(escape(group.title())).append("</p>\n<ul>\n");
            for (Navigation.Entry entry : group.entries()) {
                list.append("<li><a href=\"").append(address(current, entry.page()));
                list.append(entry.page() == current ? "\" aria-current=\"page\">" : "\">");
                list.append(escape(entry.title())).append("</a></li>\n");
            }
            list.append("</ul>\n");
        }
        return list.toString();
    }

    private static String contents(Page page) {
        List<Section> sections = page.sections().stream()
                .filter(section -> section.level() == 2 || section.level() == 3)
                .toList();
        if (sections.size() < 2) {
            return "";
        }
        var list = new StringBuilder("<nav class=\"contents\" aria-labelledby=\"on-this-page\">\n");
        list.append("<details open>\n<summary id=\"on-this-page\">On this page</summary>\n<ul>\n");
        for (Section section : sections) {
            list.append("<li class=\"level-").append(section.level()).append("\"><a href=\"#");
            list.append(section.id())
                    .append("\">")
                    .append(escape(section.title()))
                    .append("</a></li>\n");
        }
        return list.append("</ul>\n</details>\n</nav>").toString();
    }

    private String neighbours(Page page) {
        int at = order.indexOf(page);
        return neighbour(page, at - 1, "prev", "Previous") + neighbour(page, at + 1, "next", "Next");
    }

    private String neighbour(Page current, int at, String relation, String label) {
        if (at < 0 || at >= order.size()) {
            return "";
        }
        Page page = order.get(at);
        String title = page.titleOrPath();
        return "<a class=\"%1$s\" rel=\"%1$s\" href=\"%2$s\"><small>%3$s</small> %4$s</a>\n"
                .formatted(relation, address(current, page), label, escape(title));
    }

    private static String sources(Body body) {
        if (body.sources().isEmpty()) {
            return "";
        }
        var list = new StringBuilder("<section class=\"sources\" aria-label=\"In the repository\">\n");
        list.append("<p>Named above, in the repository:</p>\n<ul>\n");
        body.sources()
                .forEach(path -> list.append("<li><code>").append(escape(path)).append("</code></li>\n"));
        return list.append("</ul>\n</section>").toString();
    }

    private static String address(Page from, Page to) {
        return from.root() + to.address();
    }

    private static String shortened(String text) {
        if (text.length() <= LONGEST_DESCRIPTION) {
            return text;
        }
        return text.substring(0, text.lastIndexOf(' ', LONGEST_DESCRIPTION)) + " ...";
    }

    private static String escape(String text) {
        var escaped = new StringBuilder();
        new HtmlWriter(escaped).text(text);
        return escaped.toString();
    }
}
