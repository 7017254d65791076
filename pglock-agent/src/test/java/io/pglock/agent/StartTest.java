// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.acme.weaving.Plain;
import io.pglock.testkit.Database;
import io.pglock.testkit.ForkedJvm;
import io.pglock.testkit.PostgresTest;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.spi.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** How the packaged agent starts: where its settings stand, and what it does about mistakes in them. */
@PostgresTest
class StartTest {

    private static final String PLAIN = "com.acme.weaving.Plain#";

    private static final String MISTAKEN = "lokTimeout=3s;target=" + PLAIN + "one;lockTimeout=5 parsecs;target=" + PLAIN
            + "thee;target=com.acme.weaving.Never#run;target=" + PLAIN
            + "two;lockTimeout=1002ms;target=com.acme.weaving.Plain$*#method;lockTimeout=1s;excludeClasses=com.acme.weaving.Plain$Ex*";

    @TempDir
    private Path folder;

    @Test
    void everyPlaceIsReadAndTheNearerOneHasTheLastWord(Database database) throws IOException {
        Path file = Files.writeString(folder.resolve("agent.properties"), """
                prioritize=off
                targets.z.target=%1$sfour
                targets.z.lockTimeout=1004ms
                targets.six.target=%1$ssix
                targets.six.lockTimeout=9s
                targets.six.statementTimeout=2006ms
                """.formatted(PLAIN));
        try (ForkedJvm jvm = AgentJvm.with(
                        "config=" + file + ";target=" + PLAIN + "one;lockTimeout=1001ms", Plain.class)
                .property("pglock.targets.o.target", PLAIN + "one")
                .property("pglock.targets.o.lockTimeout", "9s")
                .property("pglock.targets.o.statementTimeout", "2001ms")
                .property("pglock.targets.x.target", PLAIN + "two")
                .property("pglock.targets.x.lockTimeout", "1002ms")
                .property("pglock.targets.five.target", PLAIN + "five")
                .property("pglock.targets.five.lockTimeout", "1005ms")
                .environment("PGLOCK_TARGETS_Y_TARGET", PLAIN + "three")
                .environment("PGLOCK_TARGETS_Y_LOCK_TIMEOUT", "1003ms")
                .environment("PGLOCK_TARGETS_FIVE_TARGET", PLAIN + "five")
                .environment("PGLOCK_TARGETS_FIVE_LOCK_TIMEOUT", "9s")
                .environment("PGLOCK_TARGETS_FIVE_STATEMENT_TIMEOUT", "2005ms")
                .environment("PGLOCK_TARGETS_SIX_TARGET", PLAIN + "six")
                .environment("PGLOCK_TARGETS_SIX_LOCK_TIMEOUT", "1006ms")
                .database(database)
                .start()) {
            assertThat(AgentJvm.said(jvm))
                    .containsEntry("one", "1001ms 2001ms")
                    .containsEntry("two", "1002ms 0")
                    .containsEntry("three", "1003ms 0")
                    .containsEntry("four", "1004ms 0")
                    .containsEntry("five", "1005ms 2005ms")
                    .containsEntry("six", "1006ms 2006ms")
                    .containsEntry("outside", "0 0")
                    .containsEntry("active", "true");
            assertThat(jvm.output()).noneMatch(line -> line.contains("[pglock]"));
        }
    }

    @Test
    void aTomlFileAndTheVariableThatEveryJvmReads(Database database) throws IOException {
        Path file = Files.writeString(folder.resolve("pglock.toml"), """
                [agent]
                prioritize = "off"
                [[agent.targets]]
                target = "%sone"
                lockTimeout = "1001ms"
                """.formatted(PLAIN));
        try (ForkedJvm jvm = AgentJvm.without(Plain.class)
                .environment("JAVA_TOOL_OPTIONS", "-javaagent:" + AgentJvm.JAR)
                .environment("PGLOCK_CONFIG", file.toString())
                .database(database)
                .start()) {
            assertThat(AgentJvm.said(jvm)).containsEntry("one", "1001ms 0").containsEntry("two", "0 0");
        }
    }

    @ParameterizedTest
    @MethodSource("io.pglock.agent.AgentJvm#jvms")
    void theJdksOwnProgramsAreLeftAlone(Path java) throws Exception {
        for (List<String> tool :
                List.of(List.of("javac", "-version"), List.of("keytool", "-help"), List.of("jcmd", "-h"))) {
            String told = run(java.resolveSibling(tool.get(0)), "target=nonsense", tool.get(1));

            assertThat(told)
                    .as(tool.get(0))
                    .contains("Picked up JAVA_TOOL_OPTIONS")
                    .doesNotContain("[pglock]");
        }
        assertThat(run(java, "target=nonsense", "-version")).contains("[pglock] ERROR");
    }

    private String run(Path program, String settings, String argument) throws Exception {
        Path output = Files.createTempFile(folder, "out", ".txt");
        ProcessBuilder builder = new ProcessBuilder(program.toString(), argument)
                .redirectErrorStream(true)
                .redirectOutput(output.toFile());
        builder.environment().put("JAVA_TOOL_OPTIONS", "-javaagent:" + AgentJvm.JAR + "=" + settings);
        Process process = builder.start();
        try {
            assertThat(process.waitFor(60, TimeUnit.SECONDS))
                    .as("%s ends", program)
                    .isTrue();
            return Files.readString(output, StandardCharsets.UTF_8);
        } finally {
            process.destroyForcibly();
        }
    }

    @Test
    void mistakesAreToldAtOnceAndTheRestIsInForce(Database database) {
        try (ForkedJvm jvm = AgentJvm.with("prioritize=off;" + MISTAKEN, Plain.class)
                .database(database)
                .start()) {
            assertThat(AgentJvm.said(jvm))
                    .containsEntry("one", "0 0")
                    .containsEntry("two", "1002ms 0")
                    .containsEntry("excluded", "0 0");
            List<String> told = jvm.output().stream()
                    .filter(line -> line.contains("[pglock]"))
                    .toList();
            assertThat(told).hasSize(3);
            assertThat(told.get(0)).contains("ERROR", "lokTimeout", "Did you mean lockTimeout?");
            assertThat(told.get(1)).contains("ERROR", PLAIN + "one", "lockTimeout=5 parsecs");
            assertThat(told.get(2)).contains("WARN", "has no method thee", "did you mean three?");
        }
    }

    /** Its password would stand in what the driver says of it. */
    @Test
    void aMonitorUrlThatIsWrongIsToldAtTheStartAndKeepsNoStatementBack(Database database) {
        try (ForkedJvm jvm = AgentJvm.with(
                        "target=" + PLAIN + "one;lockTimeout=1001ms;advisory;monitorUrl=jdbc:postgresql://db:54x2/shop"
                                + "?user=w&password=s3cret;target=" + PLAIN + "two;lockTimeout=1002ms;prioritize=off",
                        Plain.class)
                .database(database)
                .start()) {
            assertThat(AgentJvm.said(jvm)).containsEntry("one", "0 0").containsEntry("two", "1002ms 0");
            assertThat(jvm.exitCode()).isZero();
            assertThat(jvm.output())
                    .noneMatch(line -> line.contains("s3cret"))
                    .filteredOn(line -> line.contains("[pglock]"))
                    .singleElement()
                    .asString()
                    .endsWith("target " + PLAIN + "one in the agent's arguments: monitorUrl: is not a JDBC URL of"
                            + " PostgreSQL; write jdbc:postgresql://host:port/database");
        }
    }

    /** A service's definition is in a file that is not there: the methods go on unwatched, but for one that is to have a lock there. */
    @Test
    void aMonitorUrlThatOnlyTheDriverDoesNotTakeKeepsBackOnlyWhatIsToBeLockedThere(Database database) {
        String monitor = ";monitorUrl=jdbc:postgresql://?service=nowhere&password=s3cret";
        try (ForkedJvm jvm = AgentJvm.with(
                        "target=" + PLAIN + "one;lockTimeout=1001ms" + monitor + ";target=" + PLAIN
                                + "two;lockTimeout=1002ms;advisory" + monitor,
                        Plain.class)
                .database(database)
                .start()) {
            assertThat(jvm.exitCode()).isNotZero();
            assertThat(jvm.output())
                    .contains("one: 1001ms 0")
                    .noneMatch(line -> line.startsWith("two: "))
                    .noneMatch(line -> line.contains("s3cret"))
                    .anyMatch(
                            line -> line.endsWith(
                                    "com.acme.weaving.Plain.one: goes on, but nobody watches for blockers:"
                                            + " monitorUrl: is not a JDBC URL of PostgreSQL; write jdbc:postgresql://host:port/database"))
                    .anyMatch(line -> line.contains("com.acme.weaving.Plain.two: its advisory lock cannot be taken, for"
                            + " the driver does not take its monitorUrl"));
        }
    }

    @Test
    void withOnErrorFailTheApplicationDoesNotStart(Database database) {
        try (ForkedJvm jvm = AgentJvm.with("onError=fail;" + MISTAKEN, Plain.class)
                .database(database)
                .start()) {
            assertThat(jvm.exitCode()).isNotZero();
            assertThat(jvm.output())
                    .anyMatch(line -> line.contains("not started, because onError=fail") && line.contains("5 parsecs"))
                    .noneMatch(line -> line.startsWith("one: "));
        }
    }

    /** A class that is on the class path can be looked at before it is loaded. */
    @Test
    void withOnErrorFailAMisspeltMethodIsAMistakeToo(Database database) {
        try (ForkedJvm jvm = AgentJvm.with("onError=fail;target=" + PLAIN + "thee;lockTimeout=1s", Plain.class)
                .database(database)
                .start()) {
            assertThat(jvm.exitCode()).isNotZero();
            assertThat(jvm.output())
                    .anyMatch(
                            line -> line.contains(
                                    "pglock: not started, because onError=fail: com.acme.weaving.Plain has no method thee; did you mean three?"))
                    .noneMatch(line -> line.startsWith("one: "));
        }
    }

    /** As where it was put into one jar with the application, and that was made smaller. */
    @Test
    void anAgentThatWasTakenApartStartsNotAtAll() throws IOException {
        String option = "-javaagent:" + without("Agent") + "=lockTimeout=1s";
        try (ForkedJvm told = AgentJvm.without(Idle.class)
                        .options(option + "; pglock.onError = warn")
                        .property("pglock.onError", "fail")
                        .start();
                ForkedJvm ended = AgentJvm.without(Idle.class)
                        .options(option + "; on-error = fail")
                        .start()) {
            told.awaitLine("here", AgentJvm.LONGEST);
            assertThat(told.output())
                    .anyMatch(line -> line.startsWith("pglock: the agent cannot start, and protects nothing: ")
                            && line.contains("is not pglock-agent.jar"));
            assertThat(ended.exitCode()).isNotZero();
            assertThat(ended.output())
                    .anyMatch(line -> line.contains("pglock: not started, because onError=fail: "))
                    .doesNotContain("here");
        }
    }

    /** Once the settings have been read they say what becomes of the application, and nothing else does. */
    @Test
    void anAgentThatCannotStartDoesWhatItsNearestSettingSays() throws IOException {
        String option = "-javaagent:" + without("Installation") + "=lockTimeout=1s";
        try (ForkedJvm told = AgentJvm.without(Idle.class)
                        .options(option + ";onError=warn")
                        .property("pglock.onError", "fail")
                        .start();
                ForkedJvm ended = AgentJvm.without(Idle.class)
                        .options(option)
                        .property("pglock.onError", "fail")
                        .start()) {
            told.awaitLine("here", AgentJvm.LONGEST);
            assertThat(told.output())
                    .filteredOn(line -> line.startsWith("pglock: "))
                    .singleElement()
                    .asString()
                    .startsWith("pglock: the agent cannot start, and protects nothing: ");
            assertThat(ended.exitCode()).isNotZero();
            assertThat(ended.output())
                    .anyMatch(line -> line.contains("pglock: not started, because onError=fail: "))
                    .doesNotContain("here");
        }
    }

    /** As where a new version was copied over it. */
    @Test
    void anAgentWhoseJarWasOverwrittenKeepsNoConnectionFromTheApplication(Database database) throws IOException {
        Path jar = Files.copy(AgentJvm.JAR, folder.resolve("overwritten.jar"));
        try (ForkedJvm late = AgentJvm.without(Late.class)
                .options("-javaagent:" + jar + "=target=" + PLAIN + "one;lockTimeout=1s")
                .database(database)
                .start()) {
            late.awaitLine("ready", AgentJvm.LONGEST);

            Files.write(jar, new byte[(int) Files.size(jar)]);
            late.send("go on");

            assertThat(AgentJvm.said(late)).containsEntry("connected", "[1, 1]");
            assertThat(late.exitCode()).isZero();
            assertThat(late.output())
                    .filteredOn(line -> line.contains("[pglock] WARN"))
                    .extracting(line -> line.substring(line.indexOf("[pglock]")))
                    .anyMatch(line -> line.contains("cannot be worked with, for the agent itself has failed")
                            && line.contains("cannot be read any more"))
                    .doesNotHaveDuplicates();
        }
    }

    /** The agent's jar, but for one of its classes. */
    private Path without(String name) throws IOException {
        Path apart = Files.copy(AgentJvm.JAR, folder.resolve("apart.jar"));
        try (FileSystem jar = FileSystems.newFileSystem(apart)) {
            Files.delete(jar.getPath("inst/io/pglock/agent/internal/" + name + ".classdata"));
        }
        return apart;
    }

    @Test
    void switchedOffItDoesNothing(Database database) {
        try (ForkedJvm jvm = AgentJvm.with("enabled=false;" + MISTAKEN, Plain.class)
                .database(database)
                .start()) {
            assertThat(AgentJvm.said(jvm))
                    .containsEntry("one", "0 0")
                    .containsEntry("two", "0 0")
                    .containsEntry("active", "null")
                    .containsEntry("bridge", "false");
            assertThat(jvm.output()).noneMatch(line -> line.contains("[pglock]"));
        }
    }

    @Test
    void twiceOnTheCommandLineIsOnceAndSaid(Database database) {
        try (ForkedJvm jvm = AgentJvm.with("target=" + PLAIN + "one;lockTimeout=1001ms", Plain.class)
                .options("-javaagent:" + AgentJvm.JAR + "=target=" + PLAIN + "two;lockTimeout=1002ms")
                .database(database)
                .start()) {
            assertThat(AgentJvm.said(jvm))
                    .containsEntry("one", "1001ms 0")
                    .containsEntry("two", "0 0")
                    .containsEntry("bridge", "true");
            assertThat(jvm.output())
                    .filteredOn(line -> line.contains("there already"))
                    .hasSize(1);
        }
    }

    /** Such an image has what its application needs: neither Flight Recorder nor JMX, for instance. */
    @Test
    void anImageWithoutWhatTheAgentDoesNotNeedIsServed(Database database) {
        assumeTrue(
                Files.isDirectory(Path.of(System.getProperty("java.home"), "jmods")),
                "this JDK has no jmods to make an image of");
        Path image = folder.resolve("image");
        int made = ToolProvider.findFirst("jlink")
                .orElseThrow()
                .run(
                        System.out,
                        System.err,
                        "--add-modules",
                        "java.instrument,java.sql,java.naming,java.security.jgss",
                        "--output",
                        image.toString());
        assertThat(made).isZero();
        try (ForkedJvm jvm = AgentJvm.with(
                        "prioritize=off;target=" + PLAIN + "one;lockTimeout=1001ms;advisory=11;advisoryTimeout=5s",
                        Plain.class)
                .java(image.resolve("bin").resolve("java"))
                .database(database)
                .start()) {
            assertThat(AgentJvm.said(jvm)).containsEntry("one", "1001ms 0").containsEntry("outside", "0 0");
            assertThat(jvm.exitCode()).isZero();
            assertThat(jvm.output()).noneMatch(line -> line.contains("pglock"));
        }
    }

    /** What an application makes of java.util.logging is its own affair, and it has not had its turn yet. */
    @ParameterizedTest
    @MethodSource("io.pglock.agent.AgentJvm#jvms")
    void noLoggingSystemIsStartedAndByteBuddyWaitsForWork(Path java, Database database) throws IOException {
        Path none = folder.resolve("none.txt");
        Path some = folder.resolve("some.txt");
        try (ForkedJvm idle = AgentJvm.with("target=com.acme.weaving.Never#run", Idle.class)
                        .java(java)
                        .options("-Xlog:class+load:file=" + none)
                        .start();
                ForkedJvm busy = AgentJvm.with("prioritize=off;target=" + PLAIN + "one;lockTimeout=1001ms", Plain.class)
                        .java(java)
                        .options("-Xlog:class+load:file=" + some)
                        .database(database)
                        .start()) {
            idle.awaitLine("here", AgentJvm.LONGEST);
            assertThat(idle.exitCode()).isZero();
            List<String> loaded = loaded(none, Idle.class);
            assertThat(loaded).contains("io.pglock.agent.internal.Weaver");
            assertThat(loaded).filteredOn(StartTest::isNotForAnAgent).isEmpty();
            assertThat(loaded)
                    .filteredOn(name -> name.startsWith("net.bytebuddy."))
                    .isEmpty();

            assertThat(AgentJvm.said(busy)).containsEntry("one", "1001ms 0");
            assertThat(busy.exitCode()).isZero();
            loaded = loaded(some, Plain.class);
            assertThat(loaded).contains("net.bytebuddy.asm.Advice");
            assertThat(loaded).filteredOn(StartTest::isNotForAnAgent).isEmpty();
        }
    }

    /** What was loaded before this class was, by name. */
    private static List<String> loaded(Path log, Class<?> last) throws IOException {
        List<String> names = Files.readAllLines(log).stream()
                .map(line -> line.substring(line.lastIndexOf(']') + 2).split(" ", 2)[0])
                .toList();
        assertThat(names).contains(last.getName());
        return names.subList(0, names.indexOf(last.getName()));
    }

    private static boolean isNotForAnAgent(String name) {
        return name.startsWith("java.util.logging.")
                || name.startsWith("java.lang.System$LoggerFinder")
                || name.startsWith("sun.util.logging.")
                || name.startsWith("com.sun.jmx.mbeanserver.JmxMBeanServer")
                || name.equals("java.lang.management.ManagementFactory")
                || name.startsWith("org.postgresql.");
    }

    /** An application that opens its connections when it is told to, with a driver that has been woven before. */
    static final class Late {
        private Late() {}

        public static void main(String[] arguments) throws Exception {
            for (String name : List.of("Driver", "core.v3.QueryExecutorImpl", "jdbc.PgConnection")) {
                Class.forName("org.postgresql." + name);
            }
            System.out.println("ready");
            int told = System.in.read();
            List<String> read = new ArrayList<>();
            for (int times = 0; times < 2; times++) {
                try (Connection connection = DriverManager.getConnection(arguments[0], arguments[1], arguments[2])) {
                    read.add(Readings.value(connection, "select 1"));
                }
            }
            System.out.println("connected: " + read);
            System.out.println("done: " + told);
        }
    }

    /** An application with nothing to weave. */
    static final class Idle {
        private Idle() {}

        public static void main(String[] arguments) {
            System.out.println("here");
        }
    }
}
