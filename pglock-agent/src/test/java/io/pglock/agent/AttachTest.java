// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.acme.weaving.Restless;
import com.acme.weaving.Running;
import com.acme.weaving.SelfAttached;
import com.acme.weaving.Socketed;
import io.pglock.testkit.Database;
import io.pglock.testkit.ForkedJvm;
import io.pglock.testkit.PostgresTest;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.InputStream;
import java.io.PrintStream;
import java.lang.instrument.Instrumentation;
import java.lang.reflect.Method;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.CodeSource;
import java.security.ProtectionDomain;
import java.security.cert.Certificate;
import java.util.List;
import java.util.Objects;
import java.util.jar.Attributes;
import java.util.jar.JarFile;
import net.bytebuddy.ByteBuddy;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The agent comes to a JVM that runs, has loaded its classes and opened its connections. */
@PostgresTest
class AttachTest {

    private static final String SETTINGS = "prioritize=off;target=com.acme.weaving.Running#*w*o*;lockTimeout=1111ms"
            + ";target=com.acme.weaving.Never#run;lockTimeout=1s";

    private static final String RESTLESS = "prioritize=off;target=com.acme.weaving.Restless#work;lockTimeout=1s";

    @ParameterizedTest
    @MethodSource("io.pglock.agent.AgentJvm#jvms")
    void weavesWhatIsLoadedAndKnowsTheConnectionsThatAreOpen(Path java, Database database) {
        try (ForkedJvm running = AgentJvm.without(Running.class)
                .classPath(AgentJvm.withoutPglock())
                .java(java)
                .options("-XX:+EnableDynamicAgentLoading")
                .database(database)
                .start()) {
            running.awaitLine("ready", AgentJvm.LONGEST);
            assertThat(ask(running, "work")).isEqualTo("0");
            attach(java, running, "status", 0);
            running.awaitLine("pglock: there is no agent in this JVM");

            attach(java, running, SETTINGS, 0);

            assertThat(ask(running, "work")).isEqualTo("1111ms");
            assertThat(ask(running, "outside")).isEqualTo("0");
            assertThat(ask(running, "new connection")).isEqualTo("1111ms");

            attach(java, running, SETTINGS, 0);
            running.awaitLine("pglock: the agent is there already, and stays as it is");
            assertThat(attach(java, running, "target=com.acme.weaving.Running#work;lockTimeout=2222ms", 1))
                    .singleElement()
                    .asString()
                    .startsWith("pglock cannot be attached to " + running.pid()
                            + ": the agent has not started there, or is")
                    .endsWith("says which.");
            running.awaitLine(
                    "Caused by: java.lang.IllegalStateException: pglock: the agent is there already, and stays as it is: ");
            assertThat(ask(running, "work")).isEqualTo("1111ms");

            attach(java, running, "status", 0);
            running.awaitLine("pglock agent ");
            running.awaitLine("target com.acme.weaving.Never#run: guards nothing: com.acme.weaving.Never has not been");
            running.awaitLine("target com.acme.weaving.Running#*w*o*: guards com.acme.weaving.Running#newConnection()");
            running.send("end");
            assertThat(running.exitCode()).isZero();
            assertThat(running.output())
                    .as("what the JVM and the agent warn of")
                    .filteredOn(line -> line.contains("WARN"))
                    .isEmpty();
        }
    }

    @ParameterizedTest
    @MethodSource("io.pglock.agent.AgentJvm#jvms")
    void withOnErrorFailAMisspeltMethodIsRefusedAndNothingIsChanged(Path java, Database database) {
        try (ForkedJvm running = running(java, database)) {
            attach(java, running, "onError=fail;target=com.acme.weaving.Running#wurk;lockTimeout=1111ms", 1);

            running.awaitLine("Caused by: java.lang.IllegalStateException: pglock: not started, because onError=fail: "
                    + "com.acme.weaving.Running has no method wurk; did you mean work?");
            assertThat(ask(running, "work")).isEqualTo("0");
            attach(java, running, SETTINGS, 0);
            assertThat(ask(running, "work")).isEqualTo("1111ms");
        }
    }

    /** Whoever applies the annotations as well stands down by then: under both, a method would wait for itself. */
    @ParameterizedTest
    @MethodSource("io.pglock.agent.AgentJvm#jvms")
    void guardsNothingBeforeEverybodyCanKnowIt(Path java) {
        try (ForkedJvm restless = restless(java, "")) {
            attach(java, restless, RESTLESS, 0);
            restless.send("end");

            assertThat(AgentJvm.said(restless))
                    .containsEntry("guarded", "true")
                    .containsEntry("guarded while others could not know it", "0")
                    .containsEntry("armed", "0")
                    .containsEntry("active", "true");
        }
    }

    /** Nor was anything in force while it tried to. */
    @ParameterizedTest
    @MethodSource("io.pglock.agent.AgentJvm#jvms")
    void withOnErrorFailAStartThatFailsLeavesNothingBehind(Path java, @TempDir Path classes) throws Exception {
        new ByteBuddy()
                .subclass(Object.class)
                .name("org.postgresql.core.v3.QueryExecutorImpl")
                .make()
                .saveIn(classes.toFile());
        try (ForkedJvm restless = restless(java, classes + File.pathSeparator)) {
            attach(java, restless, "onError=fail;" + RESTLESS, 1);
            restless.awaitLine("Caused by: java.lang.IllegalStateException: pglock: not started, because onError=fail: "
                    + "org.postgresql.core.v3.QueryExecutorImpl cannot be woven");
            restless.send("end");

            assertThat(AgentJvm.said(restless))
                    .containsEntry("guarded", "false")
                    .containsEntry("threw", "0")
                    .containsEntry("armed", "0")
                    .containsEntry("active", "null");
        }
    }

    private static ForkedJvm restless(Path java, String first) {
        ForkedJvm restless = AgentJvm.without(Restless.class)
                .classPath(first + AgentJvm.withoutPglock())
                .java(java)
                .options("-XX:+EnableDynamicAgentLoading")
                .start();
        restless.awaitLine("ready", AgentJvm.LONGEST);
        return restless;
    }

    /** How the connections were opened that it has nobody knows, until there is another one. */
    @ParameterizedTest
    @MethodSource("io.pglock.agent.AgentJvm#jvms")
    void warnsOfAdvisoryLocksThatCannotBeTakenYet(Path java, Database database) {
        try (ForkedJvm running = running(java, database)) {
            attach(
                    java,
                    running,
                    "prioritize=off;target=com.acme.weaving.Running#work;lockTimeout=1111ms;advisory;advisoryTimeout=5s",
                    0);

            assertThat(running.output())
                    .filteredOn(line -> line.contains("WARN"))
                    .singleElement()
                    .asString()
                    .contains("com.acme.weaving.Running.work: its advisory lock cannot be taken", "set monitorUrl");
            assertThat(ask(running, "new connection")).isEqualTo("0");
            assertThat(ask(running, "work")).isEqualTo("1111ms");
        }
    }

    private static ForkedJvm running(Path java, Database database) {
        ForkedJvm running = AgentJvm.without(Running.class)
                .classPath(AgentJvm.withoutPglock())
                .java(java)
                .options("-XX:+EnableDynamicAgentLoading")
                .database(database)
                .start();
        running.awaitLine("ready", AgentJvm.LONGEST);
        return running;
    }

    /** Where a JVM does not let anybody in, that is what is said, and what to do. */
    @ParameterizedTest
    @MethodSource("io.pglock.agent.AgentJvm#jvms")
    void saysWhenTheJvmLetsNobodyIn(Path java, Database database) {
        try (ForkedJvm running = AgentJvm.without(Running.class)
                .java(java)
                .options("-XX:-EnableDynamicAgentLoading")
                .database(database)
                .start()) {
            running.awaitLine("ready", AgentJvm.LONGEST);

            List<String> told = attach(java, running, SETTINGS, 1);

            assertThat(told)
                    .hasSize(1)
                    .allSatisfy(line -> assertThat(line)
                            .startsWith("pglock cannot be attached to " + running.pid() + ": ")
                            .contains("Dynamic agent loading is not enabled", "-javaagent:", "-XX:+EnableDynamic"));
            assertThat(ask(running, "work")).isEqualTo("0");
        }
    }

    @ParameterizedTest
    @MethodSource("io.pglock.agent.AgentJvm#jvms")
    void anApplicationMayBringItItself(Path java, Database database) {
        try (ForkedJvm jvm = AgentJvm.without(SelfAttached.class)
                .java(java)
                .classPath(AgentJvm.withoutPglock() + File.pathSeparator + AgentJvm.JAR)
                .database(database)
                .start()) {
            assertThat(AgentJvm.said(jvm))
                    .containsEntry("before", "0")
                    .containsEntry("attached", "1111ms")
                    .containsEntry("attached once more", "1111ms")
                    .hasEntrySatisfying(
                            "attached otherwise",
                            refused -> assertThat(refused)
                                    .contains(
                                            "pglock cannot be attached to ",
                                            "is there already and was told something else"))
                    .containsEntry("outside", "0");
        }
    }

    /** It may be a password. */
    @Test
    @DisabledOnOs(OS.WINDOWS) // where nobody sees the arguments of another process in this way
    void whatItIsToldThenIsNotShownToTheWholeMachine(Database database) {
        try (ForkedJvm jvm = AgentJvm.without(SelfAttached.class)
                .classPath(AgentJvm.withoutPglock() + File.pathSeparator + AgentJvm.JAR)
                .database(database)
                .start()) {
            assertThat(AgentJvm.said(jvm))
                    .containsEntry("attached", "1111ms")
                    .hasEntrySatisfying(
                            "shown by ps",
                            shown -> assertThat(shown)
                                    .contains("-jar ", "pglock-agent")
                                    .doesNotContain("hush", "lockTimeout"));
        }
    }

    /** What a socket factory was told beside the URL nobody knows of one opened before: where that decides, two are two. */
    @ParameterizedTest
    @MethodSource("io.pglock.agent.AgentJvm#jvms")
    void aConnectionIsOnTheDatabaseOfTheOnlyOneOpenedSinceByItsUrl(Path java, Database database) {
        try (ForkedJvm jvm = AgentJvm.without(Socketed.class)
                .java(java)
                .classPath(AgentJvm.withoutPglock() + File.pathSeparator + AgentJvm.JAR)
                .database(database)
                .start()) {
            assertThat(AgentJvm.said(jvm))
                    .containsEntry("before around since", "1")
                    .containsEntry("since around before", "1")
                    .hasEntrySatisfying(
                            "before, which may be on another one",
                            refused -> assertThat(refused).contains("was opened before the agent came"));
        }
    }

    /** As it lies in a Spring Boot application's jar. */
    @Test
    void insideAnotherJarItCannotBeAttached() throws Exception {
        Class<?> agent = insideAnotherJar();

        assertThatThrownBy(() -> agent.getMethod("attach", String.class).invoke(null, "lockTimeout=1s"))
                .cause()
                .isInstanceOf(IllegalStateException.class)
                .hasMessageStartingWith(
                        "pglock cannot be attached: the agent is inside another jar, jar:file:/shop.jar!/")
                .hasMessageContaining("Put pglock-agent.jar beside the application");
    }

    /** What leaves its door ends the JVM. */
    @Test
    void insideAnotherJarItDoesNotKeepTheApplicationFromStarting() throws Exception {
        Method premain = insideAnotherJar().getMethod("premain", String.class, Instrumentation.class);
        PrintStream stderr = System.err;
        ByteArrayOutputStream told = new ByteArrayOutputStream();
        System.setErr(new PrintStream(told, true, StandardCharsets.UTF_8));
        try {
            assertThatCode(() -> premain.invoke(null, "lockTimeout=1s", null)).doesNotThrowAnyException();
        } finally {
            System.setErr(stderr);
        }
        assertThat(told.toString(StandardCharsets.UTF_8))
                .startsWith("pglock: the agent cannot start, and protects nothing: ");
        assertThatThrownBy(() -> premain.invoke(null, "lockTimeout=1s;onError=fail", null))
                .cause()
                .hasMessageStartingWith("pglock: not started, because onError=fail: ");
    }

    private static Class<?> insideAnotherJar() throws Exception {
        String name = PgLockAgent.class.getName();
        byte[] file;
        try (InputStream in = PgLockAgent.class.getResourceAsStream("PgLockAgent.class")) {
            file = Objects.requireNonNull(in).readAllBytes();
        }
        CodeSource inside =
                new CodeSource(new URL("jar:file:/shop.jar!/BOOT-INF/lib/pglock-agent.jar!/"), (Certificate[]) null);
        return new ClassLoader(PgLockAgent.class.getClassLoader()) {
            Class<?> define() {
                return defineClass(name, file, 0, file.length, new ProtectionDomain(inside, null));
            }
        }.define();
    }

    @Test
    void whatIsNoProcessIsSaid() {
        try (ForkedJvm usage = attacher(Path.of(System.getProperty("java.home"), "bin", "java"))
                        .start();
                ForkedJvm nobody = attacher(Path.of(System.getProperty("java.home"), "bin", "java"))
                        .arguments("99999999")
                        .start()) {
            assertThat(usage.exitCode()).isEqualTo(1);
            assertThat(usage.output().get(0)).startsWith("usage: java -jar pglock-agent.jar PID");
            assertThat(nobody.exitCode()).isEqualTo(1);
            assertThat(nobody.output()).hasSize(1);
            assertThat(nobody.output().get(0)).startsWith("pglock cannot be attached to 99999999: ");
        }
    }

    @Test
    void theManifestSaysWhatTheAgentNeeds() throws Exception {
        try (JarFile jar = new JarFile(AgentJvm.JAR.toFile())) {
            Attributes manifest = jar.getManifest().getMainAttributes();

            assertThat(List.of("Premain-Class", "Agent-Class", "Main-Class"))
                    .allSatisfy(name -> assertThat(manifest.getValue(name)).isEqualTo("io.pglock.agent.PgLockAgent"));
            assertThat(manifest.getValue("Can-Retransform-Classes")).isEqualTo("true");
            assertThat(jar.stream().map(Object::toString))
                    .as("classes that an application could see")
                    .filteredOn(name -> name.endsWith(".class"))
                    .allSatisfy(name -> assertThat(name).startsWith("io/pglock/agent/"));
        }
    }

    private static ForkedJvm.Launch attacher(Path java) {
        return ForkedJvm.running(AgentJvm.JAR.toString())
                .java(java)
                .classPath("nowhere")
                .options("-jar");
    }

    private static List<String> attach(Path java, ForkedJvm to, String settings, int exitCode) {
        try (ForkedJvm attacher =
                attacher(java).arguments(String.valueOf(to.pid()), settings).start()) {
            assertThat(attacher.exitCode())
                    .as(() -> String.join("\n", attacher.output()))
                    .isEqualTo(exitCode);
            return attacher.output();
        }
    }

    private static String ask(ForkedJvm jvm, String question) {
        jvm.send(question);
        return jvm.awaitLine("answer: ").substring("answer: ".length());
    }
}
