// SPDX-License-Identifier: Apache-2.0
package io.pglock.examples.hosts;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.BeforeAll;

/**
 * A distribution of Liquibase itself, the one inside the npm package {@code liquibase}: its start script, its jars, and pglock in
 * its {@code lib}.
 */
class LiquibaseDistributionTest extends LiquibaseHostContract {

    private static final Path DISTRIBUTION = Path.of(System.getProperty("pglock.test.liquibase", "absent"));

    @BeforeAll
    static void needsADistribution() {
        assumeTrue(
                Files.exists(DISTRIBUTION.resolve("liquibase")),
                "needs an unpacked Liquibase, with -Dpglock.test.liquibase=folder: .ci/run has it from npm");
    }

    @Override
    Map<String, Host> channels() throws IOException {
        Map<String, Host> channels = LiquibaseCommandLineTest.channels(LiquibaseHome.like(DISTRIBUTION));
        channels.keySet().retainAll(Set.of(LiquibaseCommandLineTest.PROPERTIES));
        return channels;
    }
}
