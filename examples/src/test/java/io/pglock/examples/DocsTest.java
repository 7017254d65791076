// SPDX-License-Identifier: Apache-2.0
package io.pglock.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Holds the documentation against code that runs: each Java, SQL or settings block of {@code README.md} and {@code docs/} is
 * headed by {@code <!-- snippet: name -->} and is, word for word, the region between {@code docs: name} and {@code end} of a
 * file that the build compiles or runs.
 */
class DocsTest {

    private static final Set<String> NEED_A_SOURCE = Set.of("java", "sql", "properties", "toml", "yaml", "");
    private static final Pattern BLOCK =
            Pattern.compile("(?:<!-- snippet: ([\\w-]+) -->\\n)?```(\\w*)\\n(.*?)\\n?```\\n", Pattern.DOTALL);
    private static final Pattern LINK = Pattern.compile("]\\((?!https?:|#|mailto:)([^)#\\s]+)");
    private static final Pattern BEGIN = Pattern.compile("\\s*(?://|--|#|<!--) docs: ([\\w-]+)(?: -->)?\\s*");
    private static final Pattern END = Pattern.compile("\\s*(?://|--|#|<!--) end(?: -->)?\\s*");

    @Test
    void everySnippetIsARegionOfCodeThatTheBuildCompilesOrRuns() {
        Map<String, String> regions = regions();
        List<String> wrong = new ArrayList<>();
        for (Path page : Docs.pages()) {
            Matcher block = BLOCK.matcher(Docs.read(page));
            while (block.find()) {
                String name = block.group(1);
                String language = block.group(2);
                if (name == null && NEED_A_SOURCE.contains(language)) {
                    wrong.add(page.getFileName() + ": a " + language + " block has no <!-- snippet: name -->: "
                            + block.group(3));
                } else if (name != null && !block.group(3).equals(regions.get(name))) {
                    wrong.add(page.getFileName() + ": " + name + " is not what the code says:\n" + regions.get(name));
                }
            }
        }
        assertThat(wrong).isEmpty();
    }

    @Test
    void everyLinkLeadsSomewhere() {
        List<String> broken = new ArrayList<>();
        for (Path page : Docs.pages()) {
            Matcher link = LINK.matcher(Docs.read(page));
            while (link.find()) {
                if (!Files.exists(page.resolveSibling(link.group(1)))) {
                    broken.add(page.getFileName() + " -> " + link.group(1));
                }
            }
        }
        assertThat(broken).isEmpty();
    }

    /** The README has some columns of what a benchmark has written. */
    @Test
    void theFiguresInTheReadmeAreThoseOfThePage() {
        String page = Docs.read(Docs.ROOT.resolve("docs/benchmarks/migration-day.md"));
        List<String[]> rows = Docs.read(Docs.ROOT.resolve("README.md"))
                .lines()
                .filter(line -> line.matches("\\|[^|]*\\|( [\\d,.]+ \\|| never \\|)+"))
                .map(line -> line.split("\\s*\\|\\s*"))
                .toList();
        assertThat(rows).hasSizeGreaterThan(5).allSatisfy(row -> {
            List<String> known = page.lines()
                    .filter(line -> line.startsWith("| " + row[1] + " |"))
                    .flatMap(line -> Stream.of(line.split("\\s*\\|\\s*")))
                    .toList();
            assertThat(known).as(row[1]).contains(row);
        });
    }

    @Test
    void theDependencyInTheReadmeIsOfThisVersion() {
        Matcher version = Pattern.compile("<artifactId>pglock-parent</artifactId>\\s*<version>(.*?)</version>")
                .matcher(Docs.read(Docs.ROOT.resolve("pom.xml")));
        assertThat(version.find()).isTrue();
        assertThat(Docs.read(Docs.ROOT.resolve("README.md")))
                .containsPattern(
                        "<artifactId>pglock-flyway</artifactId>\\s*<version>" + Pattern.quote(version.group(1)) + "<");
    }

    @Test
    void theReadmeLeadsToTheIndexAndThatToEveryPage() {
        assertThat(linksOf(Docs.ROOT.resolve("README.md"))).contains(Docs.page("index"));

        Set<Path> reached = new HashSet<>();
        Deque<Path> next = new ArrayDeque<>(List.of(Docs.page("index")));
        while (!next.isEmpty()) {
            Path page = next.pop();
            if (page.toString().endsWith(".md") && Files.exists(page) && reached.add(page)) {
                next.addAll(linksOf(page));
            }
        }

        assertThat(Docs.pages().stream().filter(page -> !page.endsWith("README.md")))
                .as("pages that docs/index.md leads to")
                .isSubsetOf(reached);
    }

    private static List<Path> linksOf(Path page) {
        return LINK.matcher(Docs.read(page))
                .results()
                .map(link -> page.resolveSibling(link.group(1)).normalize())
                .toList();
    }

    private static Map<String, String> regions() {
        Map<String, String> regions = new HashMap<>();
        try (Stream<Path> modules = Files.list(Docs.ROOT);
                Stream<Path> examples = Files.list(Docs.ROOT.resolve("examples"))) {
            Stream.concat(modules, examples)
                    .map(module -> module.resolve("src"))
                    .filter(Files::isDirectory)
                    .flatMap(sources -> Docs.find(sources, "").stream())
                    .filter(file -> file.toString().matches(".*\\.(java|sql|xml|properties|toml|yaml|conf)"))
                    .forEach(file -> collect(file, regions));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return regions;
    }

    private static void collect(Path file, Map<String, String> regions) {
        String name = null;
        List<String> lines = new ArrayList<>();
        for (String line : Docs.read(file).split("\n", -1)) {
            Matcher begin = BEGIN.matcher(line);
            if (begin.matches()) {
                name = begin.group(1);
                lines.clear();
            } else if (name != null && END.matcher(line).matches()) {
                String earlier = regions.put(name, String.join("\n", lines).stripIndent());
                assertThat(earlier)
                        .as("two regions named %s, one in %s", name, file)
                        .isNull();
                name = null;
            } else {
                lines.add(line);
            }
        }
        assertThat(name).as("region without an end in " + file).isNull();
    }
}
