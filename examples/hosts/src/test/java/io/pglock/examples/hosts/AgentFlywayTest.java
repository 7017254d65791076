// SPDX-License-Identifier: Apache-2.0
package io.pglock.examples.hosts;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.testkit.Database;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Flyway's command line, the distribution that people download, without pglock in it: the agent is given to its JVM. */
class AgentFlywayTest extends ShopScene {

    private static final String TARGET = "target=org.flywaydb.core.Flyway#migrate";

    @Test
    void getsThroughByTerminatingTheBlockerAndNobodyElse(Database database, Scenario scenario) throws Exception {
        Session web = readerOfOrders(scenario);
        Session bystander = scenario.session("bystander");
        bystander.begin();
        bystander.execute("select * from shop.log");

        try (HostProcess host = migrate(database, TARGET, "lockTimeout=20s", "prioritize=terminate")) {
            assertThat(host.exitCode()).as(host.output()).isZero();
            assertThat(host.output())
                    .contains("blocked by pid " + web.pid() + " (web, idle in transaction for ")
                    .contains("Terminated pid " + web.pid() + " (web, idle in transaction for ")
                    .doesNotContain("pid " + bystander.pid());
        }

        scenario.awaitGone(web.pid());
        bystander.commit();
        assertThatV2IsThereOnce(scenario);
    }

    @Test
    void namesTheBlockerAndDoesNotMigrateTwiceWhatIsCommitted(Database database, Scenario scenario) throws Exception {
        Session web = readerOfOrders(scenario);

        try (HostProcess host = migrate(database, TARGET, "lockTimeout=2s", "prioritize=report", "retryDeadline=1m")) {
            assertThat(host.exitCode()).as(host.output()).isNotZero();
            assertThat(host.output())
                    .contains("canceling statement due to lock timeout", "55P03")
                    .contains("blocked by pid " + web.pid() + " (web, idle in transaction for ")
                    .contains("not tried again: something that it did has been committed");
        }

        assertThatNothingIsLeftOfV2(scenario, web);
    }

    private HostProcess migrate(Database database, String... settings) throws IOException {
        ProcessBuilder migrate = FlywayCommandLineTest.migrate(home(), database, List.of());
        migrate.environment().put("JAVA_ARGS", AgentJar.with(settings));
        migrate.environment().put("JAVA_HOME", AgentJar.newestJavaHome());
        return HostProcess.start(migrate, folder);
    }

    /** The distribution as it is downloaded. */
    private static Path home() throws IOException {
        Path distribution = FlywayCommandLineTest.HOME.toAbsolutePath();
        Path home = distribution.resolveSibling("plain-" + distribution.getFileName());
        Path drivers = Files.createDirectories(home.resolve("drivers"));
        Files.copy(distribution.resolve("flyway"), home.resolve("flyway"), StandardCopyOption.REPLACE_EXISTING);
        link(distribution.resolve("lib"), home);
        try (Stream<Path> jars = Files.list(distribution.resolve("drivers"))) {
            for (Path jar : jars.filter(jar -> !jar.getFileName().toString().startsWith("pglock-"))
                    .toList()) {
                link(jar, drivers);
            }
        }
        return home;
    }

    private static void link(Path to, Path folder) throws IOException {
        Path link = folder.resolve(to.getFileName());
        Files.deleteIfExists(link);
        Files.createSymbolicLink(link, to);
    }
}
