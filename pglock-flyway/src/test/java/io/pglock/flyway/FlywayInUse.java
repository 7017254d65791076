// SPDX-License-Identifier: Apache-2.0
package io.pglock.flyway;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.MigrationVersion;

/** The Flyway that the tests run on, and what it lacks. */
final class FlywayInUse {

    private static final MigrationVersion VERSION = version();

    private FlywayInUse() {}

    private static MigrationVersion version() {
        try (InputStream text =
                Objects.requireNonNull(Flyway.class.getResourceAsStream("/org/flywaydb/core/internal/version.txt"))) {
            return MigrationVersion.fromVersion(new String(text.readAllBytes(), StandardCharsets.UTF_8).strip());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static boolean isAtLeast(String version) {
        return VERSION.isAtLeast(version);
    }

    /** Skips the test on an older Flyway. */
    static void assumeAtLeast(String version, String why) {
        assumeTrue(isAtLeast(version), why);
    }

    /** Skips the test where Flyway does not say which statement it is about to run. */
    static void assumeStatementEvents() {
        assumeTrue(tellsAboutStatements(), "before 10.7 Flyway does not say which statement it is about to run");
    }

    static boolean tellsAboutStatements() {
        return isAtLeast("10.7");
    }

    /** Skips the test where a migration outside a transaction has no lock timeout, as it might build an index concurrently. */
    static void assumeLockTimeoutOutsideTransactions(boolean transactional) {
        assumeTrue(
                transactional || tellsAboutStatements(),
                "before 10.7 a migration outside a transaction has no lock timeout, as it might say CONCURRENTLY");
    }

    /** That of such a migration: none, where any of its statements might build an index concurrently. */
    static String lockTimeoutOutsideTransactions(String lockTimeout) {
        return tellsAboutStatements() ? lockTimeout : "0";
    }

    /** Skips the test where settings of plugins cannot be given as texts: in a map, a file, the environment. */
    static void assumeTexts() {
        assumeTrue(
                readsTexts(),
                "without Jackson, Flyway 13.5 and later take settings of plugins through their setters only");
    }

    static boolean readsTexts() {
        return !isAtLeast("13.5")
                || FlywayInUse.class.getResource("/tools/jackson/databind/ObjectMapper.class") != null;
    }
}
