// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench.agent;

import io.pglock.bench.RawResults;
import io.pglock.bench.Rounds;
import io.pglock.bench.Settings;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Map;
import org.openjdk.jmh.results.BenchmarkResult;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;

/** Runs {@link AgentBenchmark} with the agent, in a JVM of its own for each benchmark and round. */
final class AgentCalls {

    private static final String MEASUREMENT = "calls";
    private static final int ITERATIONS = 5;

    /** The benchmarks. */
    enum Call {
        PLAIN_EXECUTE("plainExecute", "the driver's `execute`, empty, without the hook"),
        WOVEN_EXECUTE("wovenExecute", "with the hook, nobody in a guarded method"),
        WOVEN_EXECUTE_ARMED("wovenExecuteArmed", "with the hook, another thread in a guarded method"),
        WOVEN_EXECUTE_ARMED_TWO_THREADS("wovenExecuteArmedTwoThreads", "the same, two threads at a time"),
        PLAIN_METHOD("plainMethod", "a method, empty, not guarded"),
        GUARDED_METHOD("guardedMethod", "the same, guarded");

        private final String method;
        private final String label;

        Call(String method, String label) {
            this.method = method;
            this.label = label;
        }

        String label() {
            return label;
        }

        private static Call of(String benchmark) {
            for (Call call : values()) {
                if (benchmark.endsWith("." + call.method)) {
                    return call;
                }
            }
            throw new IllegalArgumentException(benchmark);
        }
    }

    private AgentCalls() {}

    /** Nanoseconds, once in each round. */
    static Map<Call, Rounds> measure(Settings settings, Path agent, RawResults raw) throws RunnerException {
        TimeValue iteration = TimeValue.milliseconds(settings.duration().toMillis() / ITERATIONS);
        Map<Call, Rounds> results = new EnumMap<>(Call.class);
        for (RunResult result : new Runner(new OptionsBuilder()
                        .include("\\b" + AgentBenchmark.class.getSimpleName() + "\\b")
                        .jvmArgsAppend("-javaagent:" + agent + "=" + Guarded.TARGETS)
                        .forks(settings.rounds())
                        .warmupIterations(ITERATIONS)
                        .warmupTime(iteration)
                        .measurementIterations(ITERATIONS)
                        .measurementTime(iteration)
                        .shouldFailOnError(true)
                        .build())
                .run()) {
            Call call = Call.of(result.getParams().getBenchmark());
            var rounds = new Rounds();
            for (BenchmarkResult round : result.getBenchmarkResults()) {
                double nanos = round.getPrimaryResult().getScore();
                rounds.add(nanos);
                raw.add(
                        MEASUREMENT,
                        call.method,
                        result.getParams().getThreads(),
                        rounds.values().size(),
                        "ns",
                        nanos);
            }
            results.put(call, rounds);
        }
        return results;
    }
}
