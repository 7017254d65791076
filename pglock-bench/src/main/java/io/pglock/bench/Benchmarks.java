// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench;

import io.pglock.bench.agent.Agent;
import io.pglock.bench.agent.AgentBenchmark;
import io.pglock.bench.command.Command;
import io.pglock.bench.locks.Locks;
import io.pglock.bench.look.WatchLoad;
import io.pglock.bench.migration.FlywayNoOp;
import io.pglock.bench.migration.LiquibaseNoOp;
import io.pglock.bench.migration.MigrationDay;
import java.util.regex.Pattern;
import org.openjdk.jmh.runner.NoBenchmarksException;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.OptionsBuilder;

/** What {@code mvn -q -Pbench} runs: the benchmarks of JMH and the whole runs whose names match {@code pglock.bench}. */
public final class Benchmarks {

    private Benchmarks() {}

    /** @param arguments a regular expression */
    public static void main(String[] arguments) throws Exception {
        try {
            new Runner(new OptionsBuilder()
                            .include(arguments[0])
                            .exclude(AgentBenchmark.class.getName()) // it needs the agent: Agent runs it
                            .build())
                    .run();
        } catch (NoBenchmarksException none) {
            // only whole runs are asked for
        } catch (RunnerException e) {
            throw new IllegalStateException(e.getMessage(), e);
        }
        Pattern wanted = Pattern.compile(arguments[0]);
        if (wanted.matcher(WatchLoad.class.getName()).find()) {
            WatchLoad.main(arguments);
        }
        if (wanted.matcher(FlywayNoOp.class.getName()).find()) {
            FlywayNoOp.main(arguments);
        }
        if (wanted.matcher(LiquibaseNoOp.class.getName()).find()) {
            LiquibaseNoOp.main(arguments);
        }
        if (wanted.matcher(Agent.class.getName()).find()) {
            Agent.main(arguments);
        }
        if (wanted.matcher(Command.class.getName()).find()) {
            Command.main(arguments);
        }
        if (wanted.matcher(MigrationDay.class.getName()).find()) {
            MigrationDay.main(arguments);
        }
        if (wanted.matcher(Locks.class.getName()).find()) {
            Locks.main(arguments);
        }
    }
}
