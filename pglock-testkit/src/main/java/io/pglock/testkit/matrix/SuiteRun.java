// SPDX-License-Identifier: Apache-2.0
package io.pglock.testkit.matrix;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What became of the tests of one module on one PostgreSQL and one JDK: a line of {@code docs/compatibility.csv}. Immutable, so
 * safe for use by many threads.
 *
 * @param server the PostgreSQL that was asked for: a major version, or the image of a container
 * @param jdk the major version that was asked for
 * @param module as Maven names its folder
 * @param passed how many tests
 * @param failed those that did, by name
 * @param skipped why, once for each test that was
 * @param broken why there is no result of all tests; empty where there is
 * @param seconds on the clock, packaging included
 * @param runs how often the module was run there until this came of it
 * @param commit that was tested
 * @param date in UTC
 * @param serverVersion the PostgreSQL that it was
 * @param jdkVersion the JVM that it was
 */
record SuiteRun(
        String server,
        String jdk,
        String module,
        int passed,
        List<String> failed,
        List<String> skipped,
        String broken,
        long seconds,
        int runs,
        String commit,
        String date,
        String serverVersion,
        String jdkVersion) {

    static final String HEADER =
            "cell,module,tests,passed,failed,skipped,seconds,runs,commit,date,postgresql,jdk,broken,failures,reasons";

    /** Containers last; the order of modules is that of the page. */
    static final Comparator<SuiteRun> ORDER = Comparator.comparing(SuiteRun::isContainer)
            .thenComparing(run -> run.isContainer() ? 0 : Integer.parseInt(run.server))
            .thenComparing(SuiteRun::server)
            .thenComparing(SuiteRun::jdk)
            .thenComparing(run -> SuitePage.MODULES.indexOf(run.module));

    private static final String SEPARATOR = " | ";

    SuiteRun {
        failed = List.copyOf(failed);
        skipped = List.copyOf(skipped);
    }

    /** {@code 10/17}. */
    String cell() {
        return server + "/" + jdk;
    }

    boolean isContainer() {
        return !server.matches("\\d+");
    }

    int tests() {
        return passed + failed.size() + skipped.size();
    }

    boolean isGood() {
        return failed.isEmpty() && broken.isEmpty();
    }

    boolean isOf(SuiteRun other) {
        return cell().equals(other.cell()) && module.equals(other.module);
    }

    SuiteRun withRuns(int times) {
        return new SuiteRun(
                server,
                jdk,
                module,
                passed,
                failed,
                skipped,
                broken,
                seconds,
                times,
                commit,
                date,
                serverVersion,
                jdkVersion);
    }

    /** A line without its end. */
    String csv() {
        return Stream.of(
                        cell(),
                        module,
                        tests(),
                        passed,
                        failed.size(),
                        skipped.size(),
                        seconds,
                        runs,
                        commit,
                        date,
                        serverVersion,
                        jdkVersion,
                        broken,
                        String.join(SEPARATOR, failed),
                        String.join(SEPARATOR, skipped))
                .map(field -> quoted(field.toString()))
                .collect(Collectors.joining(","));
    }

    static SuiteRun of(String line) {
        List<String> fields = fields(line);
        if (fields.size() != HEADER.split(",").length) {
            throw new IllegalArgumentException("not a line of the results: " + line);
        }
        int slash = fields.get(0).lastIndexOf('/');
        SuiteRun run = new SuiteRun(
                fields.get(0).substring(0, slash),
                fields.get(0).substring(slash + 1),
                fields.get(1),
                Integer.parseInt(fields.get(3)),
                list(fields.get(13)),
                list(fields.get(14)),
                fields.get(12),
                Long.parseLong(fields.get(6)),
                Integer.parseInt(fields.get(7)),
                fields.get(8),
                fields.get(9),
                fields.get(10),
                fields.get(11));
        if (!run.csv().equals(line)) {
            throw new IllegalArgumentException("does not add up: " + line);
        }
        return run;
    }

    private static List<String> list(String field) {
        return field.isEmpty() ? List.of() : Arrays.asList(field.split(" \\| "));
    }

    private static String quoted(String field) {
        String line = field.replaceAll("\\s+", " ");
        return line.matches("[^\",]*") ? line : '"' + line.replace("\"", "\"\"") + '"';
    }

    private static List<String> fields(String line) {
        List<String> fields = new ArrayList<>();
        StringBuilder field = new StringBuilder();
        boolean quoted = false;
        for (int i = 0; i < line.length(); i++) {
            char c = line.charAt(i);
            if (c == '"' && quoted && i + 1 < line.length() && line.charAt(i + 1) == '"') {
                field.append(c);
                i++;
            } else if (c == '"') {
                quoted = !quoted;
            } else if (c == ',' && !quoted) {
                fields.add(field.toString());
                field.setLength(0);
            } else {
                field.append(c);
            }
        }
        fields.add(field.toString());
        return fields;
    }
}
