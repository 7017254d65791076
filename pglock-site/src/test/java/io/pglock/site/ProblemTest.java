// SPDX-License-Identifier: Apache-2.0
package io.pglock.site;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a reader would stumble over is found before, with its file and line. */
class ProblemTest {

    @TempDir
    Path repository;

    @Test
    void findsALinkToNoPage() throws IOException {
        SmallDocs docs = SmallDocs.in(repository, "a")
                .with("docs/a.md", "# A\n\nThis is\na [link](b.md), and\n[another](../src/None.java).\n");

        assertThat(docs.problems())
                .containsExactly(
                        "a.md:4: the link b.md leads to no page and no file",
                        "a.md:5: the link ../src/None.java leads to nothing in the repository");
    }

    @Test
    void findsALinkToAHeadingThatIsNotThere() throws IOException {
        SmallDocs docs = SmallDocs.in(repository, "a", "b")
                .with("docs/a.md", "# A\n\n| |\n|---|\n| [x](b.md#right) [y](b.md#wrong) |\n\n[z](#nowhere)\n")
                .with("docs/b.md", "# B\n\n## Right\n");

        assertThat(docs.problems())
                .containsExactly(
                        "a.md:5: the link b.md#wrong leads to a heading that b.md has not",
                        "a.md:7: the link #nowhere leads to a heading that a.md has not");
    }

    @Test
    void findsAPageThatNoListLeadsTo() throws IOException {
        SmallDocs docs = SmallDocs.in(repository, "a")
                .with("docs/a.md", "# A\n\n[b](b.md)\n")
                .with("docs/b.md", "# B\n");

        assertThat(docs.problems()).containsExactly("b.md:1: no list of index.md leads to this page");
    }

    @Test
    void findsAPageThatIsListedTwice() throws IOException {
        SmallDocs docs = SmallDocs.in(repository, "a", "a").with("docs/a.md", "# A\n");

        assertThat(docs.problems()).containsExactly("index.md:8: a.md is listed a second time");
    }

    @Test
    void findsAPageWithoutATitle() throws IOException {
        SmallDocs docs = SmallDocs.in(repository, "a").with("docs/a.md", "## Only a section\n");

        assertThat(docs.problems()).containsExactly("a.md:1: does not begin with a title: # ...");
    }

    @Test
    void findsAPictureThatIsNotDescribedOrNotThere() throws IOException {
        SmallDocs docs = SmallDocs.in(repository, "a")
                .with("docs/a.md", "# A\n\n![](a.svg)\n\n![B](b.svg)\n\n![C](https://example.com/c.svg)\n")
                .with("docs/a.svg", "<svg/>");

        assertThat(docs.problems())
                .containsExactly(
                        "a.md:3: the picture a.svg is not described: ![...]",
                        "a.md:5: the link b.svg leads to no page and no file",
                        "a.md:7: the picture https://example.com/c.svg is not in the documentation");
    }

    @Test
    void findsHtmlAndLinksThatNoBrowserShouldFollow() throws IOException {
        SmallDocs docs = SmallDocs.in(repository, "a")
                .with(
                        "docs/a.md",
                        "# A\n\n<div>block</div>\n\nin <b>line</b>\n\n[x](javascript:alert(1)) [y](/etc/passwd)\n");

        assertThat(docs.problems())
                .containsExactly(
                        "a.md:3: HTML is shown by some forges and not by others; only comments are left out",
                        "a.md:5: HTML is shown by some forges and not by others; only comments are left out",
                        "a.md:7: the link /etc/passwd does not say where from",
                        "a.md:7: the link javascript:alert(1) is neither a web page's nor a file's");
    }

    @Test
    void findsThatThereIsNoIndex() throws IOException {
        SmallDocs docs = SmallDocs.in(repository).with("docs/a.md", "# A\n");
        assertThat(docs.folder().resolve("index.md").toFile().delete()).isTrue();

        assertThat(docs.problems())
                .containsExactly("a.md:1: no list of index.md leads to this page", "index.md:1: is missing");
    }
}
