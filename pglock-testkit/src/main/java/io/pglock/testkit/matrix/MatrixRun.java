// SPDX-License-Identifier: Apache-2.0
package io.pglock.testkit.matrix;

import java.io.IOException;
import java.lang.module.ModuleDescriptor.Version;
import java.lang.reflect.AnnotatedElement;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.SAXException;

/**
 * All tests of a module on one version of its host, as Surefire reports them. Immutable, so safe for use by many threads.
 *
 * @param host the version that was on the class path
 * @param classPath of the tests
 * @param tests in no particular order
 */
public record MatrixRun(Version host, String classPath, List<Test> tests) {

    /**
     * One test, or one run of a test with parameters.
     *
     * @param name the class without its package, and the method
     * @param proves the titles of the columns that it counts for
     * @param skipped why, where it was
     * @param failed whether it ended in a failure or an error
     */
    public record Test(String name, List<String> proves, Optional<String> skipped, boolean failed) {

        boolean passed() {
            return !failed && skipped.isEmpty();
        }
    }

    /**
     * The reports of one run.
     *
     * @param folder has them
     * @param jar the artifact of the host
     * @param proves what the annotations of a test, or of its class, say that it proves; empty where they say nothing
     */
    static MatrixRun read(Path folder, String jar, Function<AnnotatedElement, List<String>> proves) throws IOException {
        String classPath = "";
        for (Path report : reports(folder)) {
            classPath = elements(parse(report).getDocumentElement(), "property")
                    .filter(property -> property.getAttribute("name").equals("surefire.test.class.path"))
                    .map(property -> property.getAttribute("value"))
                    .findAny()
                    .orElseThrow();
        }
        List<String> versions = Pattern.compile("/" + Pattern.quote(jar) + "-(\\d[\\d.]*)\\.jar")
                .matcher(classPath)
                .results()
                .map(found -> found.group(1))
                .distinct()
                .toList();
        if (versions.size() != 1) {
            throw new IllegalStateException(
                    folder + ": not exactly one " + jar + " on the class path, but " + versions);
        }
        return new MatrixRun(
                Version.parse(versions.get(0)),
                classPath,
                tests(folder, (type, method) -> proves(type, method, proves)));
    }

    /** The tests alone, whatever their host; the titles are those of a class and a method of it. */
    static List<Test> tests(Path folder, BiFunction<String, String, List<String>> proves) throws IOException {
        List<Test> tests = new ArrayList<>();
        for (Path report : reports(folder)) {
            elements(parse(report).getDocumentElement(), "testcase")
                    .map(testcase -> test(testcase, proves))
                    .forEach(tests::add);
        }
        return List.copyOf(tests);
    }

    static List<Path> reports(Path folder) throws IOException {
        List<Path> reports = new ArrayList<>();
        try (DirectoryStream<Path> found = Files.newDirectoryStream(folder, "TEST-*.xml")) {
            found.forEach(reports::add);
        }
        return reports;
    }

    private static Document parse(Path report) throws IOException {
        try {
            return DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(report.toFile());
        } catch (ParserConfigurationException | SAXException e) {
            throw new IOException(report + ": not a report", e);
        }
    }

    private static Test test(Element testcase, BiFunction<String, String, List<String>> proves) {
        String method = testcase.getAttribute("name");
        return new Test(
                testcase.getAttribute("classname").replaceFirst("^[\\w.$]*\\.", "") + "." + method,
                proves.apply(testcase.getAttribute("classname"), method.replaceFirst("(?s)\\W.*", "")),
                elements(testcase, "skipped").findAny().map(MatrixRun::reason),
                Stream.of("failure", "error")
                        .anyMatch(bad -> elements(testcase, bad).findAny().isPresent()));
    }

    /** {@code org.opentest4j.TestAbortedException: Assumption failed: why}, and a stack trace. */
    private static String reason(Element skipped) {
        String report = skipped.getTextContent();
        return (report.isBlank() ? skipped.getAttribute("message") : report)
                .strip()
                .lines()
                .findFirst()
                .orElse("no reason given")
                .replaceFirst("^[\\w.]+: (Assumption failed: )?|^Disabled on .*? ==> ", "");
    }

    private static List<String> proves(
            String className, String method, Function<AnnotatedElement, List<String>> proves) {
        try {
            Class<?> type = Class.forName(className);
            return Arrays.stream(type.getDeclaredMethods())
                    .filter(declared -> declared.getName().equals(method))
                    .map(proves)
                    .filter(titles -> !titles.isEmpty())
                    .findAny()
                    .orElseGet(() -> proves.apply(type));
        } catch (ClassNotFoundException e) {
            throw new IllegalStateException("a report on a test that is gone: run clean first", e);
        }
    }

    private static Stream<Element> elements(Element parent, String name) {
        NodeList found = parent.getElementsByTagName(name);
        return Stream.iterate(0, i -> i < found.getLength(), i -> i + 1).map(i -> (Element) found.item(i));
    }

    List<Test> proving(String column) {
        return tests.stream().filter(test -> test.proves().contains(column)).toList();
    }
}
