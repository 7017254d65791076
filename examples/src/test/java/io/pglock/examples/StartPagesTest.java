// SPDX-License-Identifier: Apache-2.0
package io.pglock.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The POMs of {@code docs/start-*.md} name the versions that this build is tested with. */
class StartPagesTest {

    private static final Path ROOT = Path.of("").toAbsolutePath().resolve("..").normalize();
    private static final Pattern VERSION =
            Pattern.compile("<artifactId>([\\w-]+)</artifactId>\\s*<version>([^<$]+)</version>");
    private static final Map<String, String> PROPERTIES = Map.of(
            "flyway-database-postgresql", "version.flyway.maven",
            "flyway-maven-plugin", "version.flyway.maven",
            "postgresql", "version.postgresql",
            "spring-boot-starter-parent", "version.spring-boot41");

    private final String pom = Files.readString(ROOT.resolve("pom.xml"));

    StartPagesTest() throws IOException {}

    @Test
    void nameTheVersionsOfThisBuild() throws IOException {
        List<String> wrong = new ArrayList<>();
        int found = 0;
        for (Path page : pages()) {
            Matcher version = VERSION.matcher(Files.readString(page));
            while (version.find()) {
                String artifact = version.group(1);
                if (artifact.equals("shop")) {
                    continue;
                }
                found++;
                String expected = expected(artifact);
                if (!version.group(2).equals(expected)) {
                    wrong.add(page.getFileName() + ": " + artifact + " " + version.group(2) + ", not " + expected);
                }
            }
        }
        assertThat(wrong).isEmpty();
        assertThat(found).isGreaterThan(10);
    }

    private String expected(String artifact) {
        String property = PROPERTIES.get(artifact);
        if (property != null) {
            return first("<" + property + ">([^<]+)</");
        }
        String declared = artifact.startsWith("pglock-") ? "pglock-parent" : artifact;
        return first("<artifactId>" + declared + "</artifactId>\\s*<version>([^<]+)</version>");
    }

    private String first(String pattern) {
        Matcher matcher = Pattern.compile(pattern).matcher(pom);
        assertThat(matcher.find()).as("%s in pom.xml", pattern).isTrue();
        return Objects.requireNonNull(matcher.group(1));
    }

    private static List<Path> pages() throws IOException {
        try (Stream<Path> pages = Files.list(ROOT.resolve("docs"))) {
            return pages.filter(page -> page.getFileName().toString().startsWith("start-"))
                    .sorted()
                    .toList();
        }
    }
}
