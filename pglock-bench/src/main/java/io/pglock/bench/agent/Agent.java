// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench.agent;

import io.pglock.bench.Machine;
import io.pglock.bench.RawResults;
import io.pglock.bench.Rounds;
import io.pglock.bench.ScratchFolder;
import io.pglock.bench.Server;
import io.pglock.bench.Settings;
import io.pglock.bench.agent.StartUp.Contender;
import io.pglock.bench.agent.StartUp.Program;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.util.List;
import java.util.Map;

/**
 * What the agent costs: calls, statements, and the start of a program. Writes {@code agent.md}, {@code agent.svg} and {@code
 * agent.csv}, the raw results. Of the packaged agent, in JVMs of their own.
 */
public final class Agent {

    static final Contender NONE = new Contender("no agent", List.of());

    /** @param size of the jar, in bytes */
    record Results(
            Map<AgentCalls.Call, Rounds> calls,
            Map<AgentStatements.Key, AgentStatements.Figures> statements,
            Map<StartUp.Key, StartUp.Figures> starts,
            long size) {}

    private Agent() {}

    /** Measures everything; see {@link Settings} for how much of it. */
    public static void main(String[] arguments) throws Exception {
        Settings settings = Settings.ofSystemProperties();
        Path jar = required("pglock.agent.jar");
        var raw = new RawResults();
        try (var folder = ScratchFolder.create();
                var server = new Server();
                Connection observer = server.connect()) {
            Path scratch = folder.path();
            List<List<String>> machine = Machine.describe(observer);
            var starts = new StartUp(2 * settings.rounds() - 1, scratch)
                    .measure(List.of(hello(), application(server)), contenders(jar, scratch), raw);
            var statements = new AgentStatements(settings, server, jar).measure(raw);
            var calls = AgentCalls.measure(settings, jar, raw);
            var results = new Results(calls, statements, starts, Files.size(jar));
            Path directory = Files.createDirectories(settings.directory());
            raw.write(directory.resolve("agent.csv"));
            AgentPage.chart(results).write(directory.resolve("agent.svg"));
            AgentPage.of(results, machine, settings).write(directory.resolve("agent.md"));
        }
    }

    private static Program hello() {
        return new Program(
                "hello world",
                List.of("-cp", System.getProperty("java.class.path"), Hello.class.getName()),
                Hello.GREETING);
    }

    private static Program application(Server server) {
        return new Program(
                System.getProperty("pglock.bench.application.name", "application"),
                List.of(
                        "-jar",
                        required("pglock.bench.application").toString(),
                        "--spring.datasource.url=" + server.url(),
                        "--spring.datasource.username=" + server.user(),
                        "--spring.datasource.password=" + server.password()),
                System.getProperty("pglock.bench.application.ready", "Started "));
    }

    private static List<Contender> contenders(Path jar, Path scratch) throws Exception {
        String target = System.getProperty("pglock.bench.application.target", "com.acme.Nightly#run");
        return List.of(
                NONE,
                new Contender("an agent that does nothing", List.of("-javaagent:" + EmptyAgent.jar(scratch))),
                new Contender("pglock, one target", List.of("-javaagent:" + jar + "=target=" + target)),
                new Contender(
                        "pglock, every `@Scheduled` method",
                        List.of("-javaagent:" + jar
                                + "=target=@org.springframework.scheduling.annotation.Scheduled;advisory")),
                new Contender(
                        "OpenTelemetry " + System.getProperty("pglock.bench.opentelemetry.version", "")
                                + ", no exporters",
                        List.of(
                                "-javaagent:" + required("pglock.bench.opentelemetry"),
                                "-Dotel.traces.exporter=none",
                                "-Dotel.metrics.exporter=none",
                                "-Dotel.logs.exporter=none")));
    }

    private static Path required(String property) {
        Path file = Path.of(System.getProperty(property, "")).toAbsolutePath();
        if (!Files.isRegularFile(file)) {
            throw new IllegalStateException(
                    "-D" + property
                            + " must name a jar that has been built. To have it built before: mvn -q -Pbench -Dpglock.bench=Agent");
        }
        return file;
    }
}
