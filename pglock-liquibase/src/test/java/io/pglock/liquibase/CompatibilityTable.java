// SPDX-License-Identifier: Apache-2.0
package io.pglock.liquibase;

import io.pglock.testkit.matrix.CompatibilityMatrix;
import io.pglock.testkit.matrix.MatrixRun;
import java.io.IOException;
import java.lang.reflect.AnnotatedElement;
import java.util.List;
import java.util.stream.Stream;

/** Makes docs/liquibase-compatibility.md of the reports that {@code mvn -Pliquibase-matrix} leaves, one folder for each Liquibase. */
final class CompatibilityTable {

    static final CompatibilityMatrix MATRIX = new CompatibilityMatrix(
            "Liquibase",
            "liquibase-core",
            """
            One `pglock-liquibase` for all of these. Its tests, compiled once against 4.33.0, have been run on each of them, on a
            real PostgreSQL; on 4.33.0 once more with `liquibase-commercial`, which Liquibase's Maven plugin brings, without a
            licence for it.

            "Settings" are those in a scope, `-D`, `liquibase.properties` and changelog parameters, "overrides" those of one
            changeset in XML, YAML, JSON and formatted SQL, "changelog lock" is `changelogLock` as `advisory` and as `both`, and
            "left alone" are `update-sql`, other databases, changesets that do not run through JDBC, and all with `enabled=false`.
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
        return run.host() + (run.classPath().contains("/liquibase-commercial-") ? ", with liquibase-commercial" : "");
    }
}
