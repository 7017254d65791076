// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench.agent;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Threads;

/** What the agent costs where no statement is sent, in a JVM with it: see {@link AgentCalls}, which starts that. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class AgentBenchmark {

    private final QueryExecution plain = new StandIn();
    private final QueryExecution woven;
    private int count;

    public AgentBenchmark() {
        woven = StandIn.woven();
    }

    /** Somebody else is in a guarded method all the time. */
    @State(Scope.Benchmark)
    public static class Armed {

        private final Bystander bystander;

        public Armed() {
            bystander = new Bystander();
        }

        @TearDown
        public void close() {
            bystander.close();
        }
    }

    @Benchmark
    public int plainExecute() {
        return plain.execute(null, null, null, 0, 0, 0, false);
    }

    @Benchmark
    public int wovenExecute() {
        return woven.execute(null, null, null, 0, 0, 0, false);
    }

    @Benchmark
    public int wovenExecuteArmed(Armed armed) {
        return woven.execute(null, null, null, 0, 0, 0, false);
    }

    @Benchmark
    @Threads(2)
    public int wovenExecuteArmedTwoThreads(Armed armed) {
        return woven.execute(null, null, null, 0, 0, 0, false);
    }

    @Benchmark
    public int plainMethod() {
        count = Guarded.plainNothing(count);
        return count;
    }

    @Benchmark
    public int guardedMethod() {
        count = Guarded.nothing(count);
        return count;
    }
}
