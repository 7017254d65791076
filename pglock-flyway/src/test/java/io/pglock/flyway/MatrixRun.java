// SPDX-License-Identifier: Apache-2.0
package io.pglock.flyway;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.flywaydb.core.api.MigrationVersion;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.SAXException;

/**
 * All tests of this module on one Flyway, as Surefire reports them.
 *
 * @param flyway the one that was on the class path
 * @param jackson whether a Jackson was too
 */
record MatrixRun(MigrationVersion flyway, boolean jackson, List<Test> tests) {

    private static final Pattern FLYWAY = Pattern.compile("/flyway-core-(\\d[\\d.]*)\\.jar");
    private static final String JACKSON = "/jackson-databind-";

    /**
     * One test, or one run of a test with parameters.
     *
     * @param skipped why, where it was
     */
    record Test(String name, List<Capability> proves, Optional<String> skipped, boolean failed) {

        boolean passed() {
            return !failed && skipped.isEmpty();
        }
    }

    /** @param folder has the reports of one run */
    static MatrixRun read(Path folder) throws IOException, ParserConfigurationException, SAXException {
        String classPath = "";
        List<Test> tests = new ArrayList<>();
        try (DirectoryStream<Path> reports = Files.newDirectoryStream(folder, "TEST-*.xml")) {
            for (Path report : reports) {
                Document document = DocumentBuilderFactory.newInstance()
                        .newDocumentBuilder()
                        .parse(report.toFile());
                classPath = elements(document.getDocumentElement(), "property")
                        .filter(property -> property.getAttribute("name").equals("surefire.test.class.path"))
                        .map(property -> property.getAttribute("value"))
                        .findAny()
                        .orElseThrow();
                elements(document.getDocumentElement(), "testcase")
                        .map(MatrixRun::test)
                        .forEach(tests::add);
            }
        }
        List<String> flyways = FLYWAY.matcher(classPath)
                .results()
                .map(jar -> jar.group(1))
                .distinct()
                .toList();
        if (flyways.size() != 1) {
            throw new IllegalStateException(folder + ": not exactly one Flyway on the class path, but " + flyways);
        }
        return new MatrixRun(MigrationVersion.fromVersion(flyways.get(0)), classPath.contains(JACKSON), tests);
    }

    private static Test test(Element testcase) {
        String method = testcase.getAttribute("name");
        return new Test(
                testcase.getAttribute("classname").replaceFirst(".*\\.", "") + "." + method,
                proves(testcase.getAttribute("classname"), method.replaceFirst("\\W.*", "")),
                elements(testcase, "skipped").findAny().map(skipped -> reason(skipped.getTextContent())),
                Stream.of("failure", "error")
                        .anyMatch(bad -> elements(testcase, bad).findAny().isPresent()));
    }

    /** {@code org.opentest4j.TestAbortedException: Assumption failed: why}, and a stack trace. */
    private static String reason(String report) {
        return report.strip()
                .lines()
                .findFirst()
                .orElse("no reason given")
                .replaceFirst("^[\\w.]+: (Assumption failed: )?", "");
    }

    private static List<Capability> proves(String className, String method) {
        try {
            Class<?> type = Class.forName(className);
            return Arrays.stream(type.getDeclaredMethods())
                    .filter(declared -> declared.getName().equals(method))
                    .map(declared -> declared.getAnnotation(Proves.class))
                    .filter(Objects::nonNull)
                    .findAny()
                    .or(() -> Optional.ofNullable(type.getAnnotation(Proves.class)))
                    .map(proves -> List.of(proves.value()))
                    .orElse(List.of());
        } catch (ClassNotFoundException e) {
            throw new IllegalStateException("a report on a test that is gone: run clean first", e);
        }
    }

    private static Stream<Element> elements(Element parent, String name) {
        NodeList found = parent.getElementsByTagName(name);
        return Stream.iterate(0, i -> i < found.getLength(), i -> i + 1).map(i -> (Element) found.item(i));
    }

    String title() {
        boolean theApplicationsChoice = flyway.isAtLeast("13.5");
        return flyway + (!theApplicationsChoice ? "" : jackson ? ", with Jackson" : ", without Jackson");
    }

    List<Test> proving(Capability capability) {
        return tests.stream().filter(test -> test.proves().contains(capability)).toList();
    }

    Stream<Test> failures() {
        return tests.stream().filter(Test::failed);
    }
}
