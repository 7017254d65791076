// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent;

import static org.assertj.core.api.Assertions.assertThat;

import com.acme.weaving.Annotated;
import com.acme.weaving.Loaders;
import io.pglock.testkit.Database;
import io.pglock.testkit.ForkedJvm;
import io.pglock.testkit.PostgresTest;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Wherever an application's classes and its driver are: in other class loaders, modules, bundles; beside another agent. */
@PostgresTest
class PlacesTest {

    private static final String GUARDED = "#guarded;lockTimeout=1111ms;advisory=11;advisoryTimeout=5s";

    @TempDir
    private Path folder;

    @ParameterizedTest
    @MethodSource("io.pglock.agent.AgentJvm#jvms")
    void eachClassLoaderWithADriverIsServedThroughItsOwn(Path java, Database database) {
        serves(java, database, "");
    }

    /** The lock that one driver has taken is the other's as well: it is not waited for. */
    @ParameterizedTest
    @MethodSource("io.pglock.agent.AgentJvm#jvms")
    void aMethodHasOneLockWhicheverDriverItsConnectionIsOf(Path java, Database database) {
        serves(
                java,
                database,
                "monitorUrl=" + database.url() + ";monitorUser=" + database.user() + ";monitorPassword="
                        + database.password() + ";");
    }

    private static void serves(Path java, Database database, String monitor) {
        try (ForkedJvm jvm = AgentJvm.with(monitor + "target=com.acme.weaving.Inside" + GUARDED, Loaders.class)
                .java(java)
                .classPath(AgentJvm.withoutPglock())
                .database(database)
                .arguments(
                        AgentJvm.driver("42.2.29").toString(),
                        AgentJvm.driver("42.5.6").toString())
                .start()) {
            Map<String, String> said = AgentJvm.said(jvm);

            assertThat(said.get("class path")).startsWith("42.7.").endsWith(" 1111ms 1 0 0");
            assertThat(said)
                    .containsEntry("isolated", "42.2.29 1111ms 1 0 0")
                    .containsEntry("child first", "42.5.6 1111ms 1 0 0")
                    .containsEntry("isolated again", "42.2.29 1111ms 1 0 0")
                    .containsEntry("child first, on a connection of the class path's driver", "1111ms 1 0 0");
            assertThat(jvm.output()).noneMatch(line -> line.contains("[pglock]"));
        }
    }

    @ParameterizedTest
    @MethodSource("io.pglock.agent.AgentJvm#jvms")
    void namedModulesReadNothingOfTheAgentsAndAreServed(Path java, Database database) {
        String driver = AgentJvm.driver().toString();
        Path module = Sources.compile(
                folder,
                Map.of(
                        "module-info.java",
                        "module com.acme.modular { requires java.sql; requires org.postgresql.jdbc; }",
                        "com/acme/modular/Main.java",
                        main("com.acme.modular", "Main")),
                "-p",
                driver);
        try (ForkedJvm jvm = ForkedJvm.running("com.acme.modular/com.acme.modular.Main")
                .java(java)
                .classPath("nowhere")
                .options("-javaagent:" + AgentJvm.JAR + "=target=com.acme.modular.Main" + GUARDED)
                .options("-p", module + File.pathSeparator + driver, "-m")
                .database(database)
                .start()) {
            assertThat(AgentJvm.said(jvm))
                    .containsEntry("module", "true")
                    .containsEntry("guarded", "1111ms 1")
                    .containsEntry("outside", "0 0");
        }
    }

    @ParameterizedTest
    @MethodSource("io.pglock.agent.AgentJvm#jvms")
    void anOsgiBundleSeesTheBridge(Path java, Database database) throws IOException {
        String felix = AgentJvm.companion("org.apache.felix.framework-").toString();
        Path driver = AgentJvm.driver();
        Path launcher = Sources.compile(
                folder.resolve("launcher"), Map.of("com/acme/osgi/Launcher.java", LAUNCHER), "-cp", felix);
        Path bundle = Sources.jar(
                folder.resolve("bundle.jar"),
                Sources.compile(
                        folder.resolve("bundle"),
                        Map.of(
                                "com/acme/bundle/Activator.java",
                                ACTIVATOR,
                                "com/acme/bundle/Main.java",
                                main("com.acme.bundle", "Main")),
                        "-cp",
                        felix + File.pathSeparator + driver),
                driver,
                Map.of(
                        "Bundle-ManifestVersion", "2",
                        "Bundle-SymbolicName", "com.acme.bundle",
                        "Bundle-Activator", "com.acme.bundle.Activator",
                        "Bundle-ClassPath", ".," + driver.getFileName(),
                        "Import-Package", "org.osgi.framework",
                        "DynamicImport-Package", "javax.*,org.ietf.*,org.w3c.*,org.xml.*"));
        try (ForkedJvm jvm = ForkedJvm.running("com.acme.osgi.Launcher")
                .java(java)
                .classPath(launcher + File.pathSeparator + felix)
                .options("-javaagent:" + AgentJvm.JAR + "=target=com.acme.bundle.Main" + GUARDED)
                .arguments(bundle.toString(), folder.resolve("cache").toString())
                .database(database)
                .start()) {
            assertThat(AgentJvm.said(jvm)).containsEntry("guarded", "1111ms 1").containsEntry("outside", "0 0");
            assertThat(jvm.exitCode()).isZero();
        }
    }

    /** Its advice is around the same methods of the driver, and beneath the same statements. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void openTelemetrysAgentMayComeBeforeOrAfter(boolean before, Database database) {
        String other = "-javaagent:" + AgentJvm.companion("opentelemetry-javaagent-");
        ForkedJvm.Launch launch = AgentJvm.without(Annotated.class)
                .property("otel.traces.exporter", "none")
                .property("otel.metrics.exporter", "none")
                .property("otel.logs.exporter", "none")
                .database(database);
        String ours = "-javaagent:" + AgentJvm.JAR;
        try (ForkedJvm jvm = (before ? launch.options(other, ours) : launch.options(ours, other)).start()) {
            assertThat(AgentJvm.said(jvm))
                    .containsEntry("lock timeout", "1s")
                    .containsEntry("advisory", "0 1")
                    .containsEntry("advisory afterwards", "0")
                    .containsEntry("table", "55P03")
                    .containsEntry("several", "2s 1")
                    .containsEntry("skipped int", "42")
                    .containsEntry("raised", "the application's own")
                    .containsEntry("at the end", "0");
            assertThat(jvm.output())
                    .anyMatch(line -> line.contains("opentelemetry-javaagent - version: "))
                    .noneMatch(line -> line.contains("[pglock] WARN") || line.contains("[pglock] ERROR"));
        }
    }

    private static String main(String packageName, String className) {
        return """
                package %s;

                import java.sql.*;
                import java.util.Properties;

                public final class %s {
                    public static void main(String[] arguments) throws SQLException {
                        Properties properties = new Properties();
                        properties.setProperty("user", arguments[1]);
                        properties.setProperty("password", arguments[2]);
                        try (Connection connection = new org.postgresql.Driver().connect(arguments[0], properties)) {
                            System.out.println("guarded: " + guarded(connection));
                            System.out.println("outside: " + ask(connection));
                        }
                        System.out.println("module: " + %2$s.class.getModule().isNamed());
                        System.out.println("done: ");
                    }

                    private static String guarded(Connection connection) throws SQLException {
                        return ask(connection);
                    }

                    private static String ask(Connection connection) throws SQLException {
                        try (Statement statement = connection.createStatement();
                                ResultSet row = statement.executeQuery("select current_setting('lock_timeout') || ' ' ||"
                                        + " count(*) from pg_locks where locktype = 'advisory' and objid = 11")) {
                            row.next();
                            return row.getString(1);
                        }
                    }
                }
                """.formatted(packageName, className);
    }

    private static final String ACTIVATOR = """
            package com.acme.bundle;

            import org.osgi.framework.*;

            public final class Activator implements BundleActivator {
                @Override
                public void start(BundleContext context) throws Exception {
                    Main.main(new String[] {
                        context.getProperty("url"), context.getProperty("user"), context.getProperty("password")});
                }

                @Override
                public void stop(BundleContext context) {}
            }
            """;

    private static final String LAUNCHER = """
            package com.acme.osgi;

            import java.util.Map;
            import java.util.ServiceLoader;
            import org.osgi.framework.launch.*;

            public final class Launcher {
                public static void main(String[] arguments) throws Exception {
                    Framework framework = ServiceLoader.load(FrameworkFactory.class).iterator().next().newFramework(Map.of(
                            "org.osgi.framework.storage", arguments[1],
                            "url", arguments[2], "user", arguments[3], "password", arguments[4]));
                    framework.start();
                    framework.getBundleContext().installBundle("file:" + arguments[0]).start();
                    framework.stop();
                    framework.waitForStop(10_000);
                }
            }
            """;
}
