// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.StringReader;
import java.util.List;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.xml.sax.InputSource;

class ReportTest {

    @Test
    void aPageIsMarkdown() {
        var page = new MarkdownPage("Title")
                .paragraph("Text.\n")
                .image("A chart", "chart.svg")
                .section("Part")
                .table(List.of("a", "b"), List.of(List.of("1|2", "3\n4")));

        assertThat(page).hasToString("""
                # Title

                Text.

                ![A chart](chart.svg)

                ## Part

                | a | b |
                | --- | --- |
                | 1\\|2 | 3 4 |
                """);
    }

    @Test
    void aRowHasACellForEachColumn() {
        var page = new MarkdownPage("Title");

        assertThatThrownBy(() -> page.table(List.of("a", "b"), List.of(List.of("1"))))
                .hasMessage("[1] is not a row of [a, b]");
    }

    @Test
    void aChartIsWellFormedWhateverItsLabelsSay() throws Exception {
        Document chart = parsed(new BarChart("a < b & \"c\"")
                .panel("one", List.of(new BarChart.Bar("<x>", 10, "10", true), new BarChart.Bar("y", 5, "5", false)))
                .panel("none", List.of(new BarChart.Bar("z", 0, "0", false))));

        assertThat(chart.getElementsByTagName("title").item(0).getTextContent()).isEqualTo("a < b & \"c\"");
        assertThat(bar(chart, 1).getAttribute("class")).isEqualTo("ours");
        assertThat(length(bar(chart, 1))).isEqualTo(2 * length(bar(chart, 2)));
        assertThat(length(bar(chart, 3))).isEqualTo(1);
    }

    private static Document parsed(BarChart chart) throws Exception {
        return DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(new InputSource(new StringReader(chart.toString())));
    }

    /** The first rectangle is the background. */
    private static Element bar(Document chart, int index) {
        return (Element) chart.getElementsByTagName("rect").item(index);
    }

    private static double length(Element bar) {
        return Double.parseDouble(bar.getAttribute("width"));
    }

    @Test
    void rawResultsAreCsv() {
        var raw = new RawResults();

        raw.add("far, \"1 ms\"", "us", 16, 1, "pairs/s", 1234.5);

        assertThat(raw)
                .hasToString("measurement,contender,threads,round,figure,value\n"
                        + "\"far, \"\"1 ms\"\"\",us,16,1,pairs/s,1234.5\n");
    }

    @Test
    void figuresHaveThreeDigitsThatCount() {
        assertThat(List.of(0.1234, 1.0, 12.34, 123.4, 12345.6, 0.0))
                .extracting(Numbers::text)
                .containsExactly("0.123", "1.00", "12.3", "123", "12,346", "0");
        assertThat(List.of(3.0, 1.05, 10000.0)).extracting(Numbers::plain).containsExactly("3", "1.05", "10,000");
    }
}
