// SPDX-License-Identifier: Apache-2.0
package io.pglock.flyway;

import io.pglock.testkit.matrix.CompatibilityMatrix;
import io.pglock.testkit.matrix.MatrixRun;
import java.io.IOException;
import java.lang.module.ModuleDescriptor.Version;
import java.lang.reflect.AnnotatedElement;
import java.util.List;
import java.util.stream.Stream;

/** Makes docs/flyway-compatibility.md of the reports that {@code mvn -Pflyway-matrix} leaves, one folder for each Flyway. */
final class CompatibilityTable {

    private static final Version JACKSON_IS_THE_APPLICATIONS = Version.parse("13.5");

    static final CompatibilityMatrix MATRIX = new CompatibilityMatrix(
            "Flyway",
            "flyway-core",
            """
            One `pglock-flyway` for every Flyway from 10.0 on. Its tests, compiled once against 11.20.3, have been run on each of
            these, on a real PostgreSQL. Up to 13.4 Flyway brings the Jackson that it needs; from 13.5 on Jackson is the
            application's choice, so there are two rows.
            """,
            Stream.of(Capability.values()).map(capability -> capability.title).toList(),
            CompatibilityTable::proves,
            CompatibilityTable::title);

    private CompatibilityTable() {}

    /** Writes the page, and fails when a test has failed: {@code <folder of reports> <page>}. */
    public static void main(String[] arguments) throws IOException {
        MATRIX.run(arguments);
    }

    private static List<String> proves(AnnotatedElement test) {
        return Stream.of(test.getAnnotationsByType(Proves.class))
                .flatMap(proves -> Stream.of(proves.value()))
                .map(capability -> capability.title)
                .toList();
    }

    private static String title(MatrixRun run) {
        if (run.host().compareTo(JACKSON_IS_THE_APPLICATIONS) < 0) {
            return run.host().toString();
        }
        return run.host() + (run.classPath().contains("/jackson-databind-") ? ", with Jackson" : ", without Jackson");
    }
}
