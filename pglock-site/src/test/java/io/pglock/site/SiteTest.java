// SPDX-License-Identifier: Apache-2.0
package io.pglock.site;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a reader sees of pages in Markdown. */
class SiteTest {

    @TempDir
    Path repository;

    @Test
    void linksBetweenPagesLeadFromHtmlToHtml() throws IOException {
        SmallDocs docs = SmallDocs.in(repository, "a", "b/c")
                .with(
                        "docs/a.md",
                        "# A\n\nSee [that](b/c.md#some-part), [all of it](b/c.md) and [below](#here).\n\n## Here\n")
                .with("docs/b/c.md", "# C\n\n## Some part\n\nBack to [a.](../a.md)\n");

        assertThat(docs.page("a.html"))
                .contains("<a href=\"b/c.html#some-part\">that</a>")
                .contains("<a href=\"b/c.html\">all of it</a>")
                .contains("<a href=\"#here\">below</a>");
        assertThat(docs.page("b/c.html"))
                .contains("<a href=\"../a.html\">a.</a>")
                .contains("<h2 id=\"some-part\">Some part ")
                .contains("href=\"../style.css\"");
    }

    @Test
    void aLinkThatIsNamedAfterItsFileIsNamedAfterItsPage() throws IOException {
        SmallDocs docs = SmallDocs.in(repository, "a", "b")
                .with("docs/a.md", "# A\n\nMore: [b.md](b.md).\n")
                .with("docs/b.md", "# All about *b*\n");

        assertThat(docs.page("a.html")).contains("More: <a href=\"b.html\">All about b</a>.");
    }

    @Test
    void theHeadingsOfTheIndexAreTheGroupsAndItsListsThePagesInOrder() throws IOException {
        SmallDocs docs = SmallDocs.in(repository)
                .with(
                        "docs/index.md",
                        "# Home\n\n## First\n\n- [Z](z.md): the last\n- [The a](a.md)\n\n## Then\n\n- [M](m.md)\n")
                .with("docs/a.md", "# A page\n")
                .with("docs/m.md", "# M page\n")
                .with("docs/z.md", "# Z page\n");

        assertThat(docs.page("a.html"))
                .containsSubsequence(
                        "<p>First</p>",
                        "<a href=\"z.html\">Z</a>",
                        "<a href=\"a.html\" aria-current=\"page\">The a</a>",
                        "<p>Then</p>",
                        "<a href=\"m.html\">M</a>");
        assertThat(docs.page("a.html"))
                .contains("<a class=\"prev\" rel=\"prev\" href=\"z.html\"><small>Previous</small> Z page</a>")
                .contains("<a class=\"next\" rel=\"next\" href=\"m.html\"><small>Next</small> M page</a>")
                .contains("<title>A page - Home</title>");
        assertThat(docs.page("m.html")).doesNotContain("class=\"next\"");
    }

    @Test
    void whatLeadsOutOfTheDocumentationIsNamedOrLinkedOnAForge() throws IOException {
        SmallDocs docs = SmallDocs.in(repository, "a")
                .with("docs/a.md", "# A\n\nAs in [Guard](../core/src/Guard.java).\n")
                .with("core/src/Guard.java", "class Guard {}\n");

        assertThat(docs.page("a.html"))
                .contains("<code class=\"source\" title=\"core/src/Guard.java\">Guard</code>")
                .contains("<li><code>core/src/Guard.java</code></li>")
                .doesNotContain("href=\"../core");
        assertThat(docs.page("a.html", "https://forge.example.com/p/blob/main/"))
                .contains("<a href=\"https://forge.example.com/p/blob/main/core/src/Guard.java\">Guard</a>");
    }

    @Test
    void aTableCanBeScrolledAndItsCellsKnowTheirColumns() throws IOException {
        SmallDocs docs = SmallDocs.in(repository, "a")
                .with("docs/a.md", "# A\n\n| key | default |\n|---|---|\n| `x` | 1 |\n\n| | |\n|---|---|\n| y | 2 |\n");

        assertThat(docs.page("a.html"))
                .contains("<div class=\"table narrow\" role=\"region\" aria-label=\"Table\" tabindex=\"0\">")
                .contains("<th>default</th>")
                .contains("<td data-label=\"key\"><code>x</code></td>")
                .contains("<td data-label=\"default\">1</td>")
                .contains("<td>y</td>")
                .doesNotContain("<th></th>");
    }

    @Test
    void codeIsSetOffAndShownAsItIs() throws IOException {
        SmallDocs docs = SmallDocs.in(repository, "a").with("docs/a.md", """
                # A

                ```java
                List<String> all = null; // "none" & <nothing>
                ```

                ```sql
                select 'a -- b' from t; -- why
                ```

                ```text
                WARN: a long line < of a log
                INFO: and another one
                ```

                ```text
                pid 1   web
                ```
                """);

        assertThat(docs.page("a.html"))
                .contains("<code class=\"language-java\">List&lt;String&gt; all = <span class=\"keyword\">null</span>; "
                        + "<span class=\"comment\">// &quot;none&quot; &amp; &lt;nothing&gt;</span>\n</code>")
                .contains("<span class=\"keyword\">select</span> <span class=\"string\">'a -- b'</span>")
                .contains("<span class=\"comment\">-- why</span>")
                .contains(
                        "<pre class=\"lines\"><code class=\"language-text\"><span class=\"line\">WARN: a long line &lt; of a log\n</span>"
                                + "<span class=\"line\">INFO: and another one\n</span></code>")
                .contains("<pre tabindex=\"0\"><code class=\"language-text\">pid 1   web\n</code>");
    }

    @Test
    void nothingThatIsWrittenBecomesHtmlAndCommentsAreNotShown() throws IOException {
        SmallDocs docs = SmallDocs.in(repository, "a")
                .with(
                        "docs/a.md",
                        "# A < B & `<c>`\n\n<!-- hidden: x -->\n\n5 < 6 and `</code><script>`<!-- y --> \\<b>\n\n## {{body}}\n\n## More\n");

        assertThat(docs.page("a.html"))
                .contains("<title>A &lt; B &amp; &lt;c&gt; - Home</title>")
                .contains("<a href=\"#body\">{{body}}</a>")
                .contains("5 &lt; 6 and <code>&lt;/code&gt;&lt;script&gt;</code> &lt;b&gt;")
                .doesNotContain("hidden: x")
                .doesNotContain("<!-- y");
    }

    @Test
    void picturesAndFiguresComeAlong() throws IOException {
        SmallDocs docs = SmallDocs.in(repository, "figures/a")
                .with("docs/figures/a.md", "# A\n\n![A chart](chart.svg)\n\n[All figures](../all.csv)\n")
                .with("docs/figures/chart.svg", "<svg/>")
                .with("docs/all.csv", "1,2\n")
                .with("docs/nobody-asks.txt", "-");

        assertThat(docs.page("figures/a.html")).contains("<img src=\"chart.svg\" alt=\"A chart\" />");
        assertThat(docs.page("figures/chart.svg")).isEqualTo("<svg/>");
        assertThat(docs.page("all.csv")).isEqualTo("1,2\n");
        assertThat(Site.of(docs.folder(), "", "").files()).doesNotContainKey("nobody-asks.txt");
    }

    @Test
    void thePageHasItsHeadingsInAListAndEachCanBeLinked() throws IOException {
        SmallDocs docs = SmallDocs.in(repository, "a")
                .with("docs/a.md", "# A\n\n## `pglock sql`, again\n\n### Deeper\n\n## Limits\n\n## Limits\n");

        assertThat(docs.page("a.html"))
                .contains("<li class=\"level-2\"><a href=\"#pglock-sql-again\">pglock sql, again</a></li>")
                .contains("<li class=\"level-3\"><a href=\"#deeper\">Deeper</a></li>")
                .contains("<h2 id=\"limits-1\">");
    }

    @Test
    void searchHasEverySectionWithItsTitleHeadingAndText() throws IOException {
        SmallDocs docs = SmallDocs.in(repository, "a")
                .with(
                        "docs/a.md",
                        "# A\n\nIntro.\n\n## Part \"two\"\n\n| k | v |\n|---|---|\n| x | y |\n\n```text\npglock: message\n```\n");

        assertThat(docs.page("search-index.js"))
                .contains("[\"a.html\",\"A\",\"\",\"Intro.\"]")
                .contains("[\"a.html#part-two\",\"A\",\"Part \\\"two\\\"\",\"k v x y pglock: message\"]");
    }

    @Test
    void noPageAsksAnybodyElseForAnything() throws IOException {
        SmallDocs docs = SmallDocs.in(repository, "a").with("docs/a.md", "# A\n\n[Out](https://www.postgresql.org/)\n");
        Site site = Site.of(docs.folder(), "1.0", "");

        Pattern loaded = Pattern.compile("(?:src=\"|<link [^>]*href=\"|url\\(|@import )([^\")]*)");
        for (String file : new String[] {"a.html", "index.html", "style.css", "site.js"}) {
            Matcher matcher = loaded.matcher(docs.page(file));
            while (matcher.find()) {
                assertThat(site.files()).as("what %s loads", file).containsKey(matcher.group(1));
            }
        }
    }

    @Test
    void theSamePagesAreTheSameBytesAndWhatWasThereBeforeIsGone() throws IOException {
        SmallDocs docs = SmallDocs.in(repository, "a").with("docs/a.md", "# A\n");
        Path first = repository.resolve("first");
        Path second = repository.resolve("second");
        Files.createDirectories(second);
        Files.writeString(second.resolve("old.html"), "old");

        for (Path output : new Path[] {first, second}) {
            Site.main("--docs=" + docs.folder(), "--output=" + output, "--version=1.0", "--repository=");
        }

        assertThat(names(second))
                .isEqualTo(names(first))
                .contains("a.html", "index.html", "search-index.js", "style.css");
        for (String name : names(first)) {
            assertThat(second.resolve(name)).hasSameBinaryContentAs(first.resolve(name));
        }
    }

    @Test
    void nothingIsWrittenWhileSomethingIsWrong() throws IOException {
        SmallDocs docs = SmallDocs.in(repository, "a").with("docs/a.md", "# A\n\n[gone](gone.md)\n");
        Path output = repository.resolve("site");

        assertThatThrownBy(() -> Site.main("--docs=" + docs.folder(), "--output=" + output))
                .hasMessageContaining("docs/a.md:3: the link gone.md leads to no page and no file");
        assertThat(output).doesNotExist();
    }

    private static String[] names(Path folder) {
        String[] names = folder.toFile().list();
        Arrays.sort(names);
        return names;
    }
}
