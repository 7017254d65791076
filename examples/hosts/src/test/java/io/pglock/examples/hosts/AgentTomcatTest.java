// SPDX-License-Identifier: Apache-2.0
package io.pglock.examples.hosts;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.testkit.Database;
import io.pglock.testkit.ForkedJvm;
import io.pglock.testkit.PostgresTest;
import io.pglock.testkit.Scenario;
import io.pglock.testkit.Session;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A web application with its driver in {@code WEB-INF/lib}, deployed over and over: nothing of it stays in the agent. */
@PostgresTest
class AgentTomcatTest {

    private static final int GENERATIONS = Integer.getInteger("pglock.hosts.redeployments", 20);

    @TempDir
    Path folder;

    @Test
    void leavesNothingBehindOfAWebApplicationThatIsRedeployed(Database database, Scenario scenario) throws Exception {
        try (ForkedJvm tomcat =
                tomcat(database, GENERATIONS, Duration.ofSeconds(60)).start()) {
            String answers = tomcat.awaitLine("answers: ", Duration.ofSeconds(60L + GENERATIONS));
            assertThat(answers).isEqualTo("answers: {1234ms 1=" + GENERATIONS + "}");
            assertThat(tomcat.awaitLine("class loaders left: ", Duration.ofSeconds(90)))
                    .isEqualTo("class loaders left: 0");
            assertThat(tomcat.awaitLine("threads: ")).isEqualTo("threads: ");
            Session test = scenario.session("test");
            assertThat(
                            test.execute(
                                    "select application_name, state from pg_stat_activity where datname ="
                                            + " current_database() and pid <> pg_backend_pid() and application_name <> 'testkit observer'"))
                    .isEmpty();
            assertThat(tomcat.output())
                    .noneMatch(line -> line.contains("appears to have started a thread named [pglock"))
                    .noneMatch(line -> line.contains("Illegal access"));
            tomcat.send("");
            assertThat(tomcat.exitCode()).isZero();
        }
    }

    /** What this test can see: without it, none left would say nothing. */
    @Test
    void aLeakOfTheApplicationsOwnWouldBeSeen(Database database) throws Exception {
        try (ForkedJvm tomcat = tomcat(database, 2, Duration.ofSeconds(2))
                .property("leaks", "true")
                .start()) {
            assertThat(tomcat.awaitLine("class loaders left: ", Duration.ofSeconds(90)))
                    .isEqualTo("class loaders left: 2");
            assertThat(tomcat.awaitLine("threads: ")).isEqualTo("threads: pglock-planted, pglock-planted");
        }
    }

    private ForkedJvm.Launch tomcat(Database database, int generations, Duration longest) throws IOException {
        return ForkedJvm.running(TomcatHost.class)
                .java(AgentJar.newestJvm())
                .classPath(ClassPath.of("tomcat-"))
                .options(
                        "-XX:TieredStopAtLevel=1",
                        // the driver's own thread
                        "-Dpgjdbc.config.cleanup.thread.ttl=1000",
                        AgentJar.with(
                                "target=" + StockServlet.class.getName() + "#count",
                                "advisory=stock",
                                "lockTimeout=1234ms",
                                "prioritize=terminate"))
                .arguments(
                        webApplication().toString(), String.valueOf(generations), String.valueOf(longest.toSeconds()))
                .database(database);
    }

    private Path webApplication() throws IOException {
        Path servlet = Path.of(StockServlet.class.getName().replace('.', '/') + ".class");
        Path classes = folder.resolve("WEB-INF/classes").resolve(servlet);
        Files.createDirectories(classes.getParent());
        try (InputStream in = AgentTomcatTest.class.getResourceAsStream(
                "/" + servlet.toString().replace(File.separatorChar, '/'))) {
            Files.copy(in, classes);
        }
        Path lib = Files.createDirectories(folder.resolve("WEB-INF/lib"));
        Path driver = Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                .map(Path::of)
                .filter(jar -> jar.getFileName().toString().startsWith("postgresql-"))
                .findFirst()
                .orElseThrow();
        Files.copy(driver, lib.resolve(driver.getFileName()));
        return folder;
    }
}
