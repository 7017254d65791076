// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench.agent;

import java.util.concurrent.CountDownLatch;

/** Methods that the agent is told of, and nothing else: without the agent each of them is only its body. */
final class Guarded {

    /** For the agent's arguments: what each method here gets. */
    static final String TARGETS = "target=io.pglock.bench.agent.Guarded#timeouts;prioritize=off"
            + ";target=io.pglock.bench.agent.Guarded#nothing;prioritize=off"
            + ";target=io.pglock.bench.agent.Guarded#stay;prioritize=off"
            + ";target=io.pglock.bench.agent.Guarded#defaults"
            + ";target=io.pglock.bench.agent.Guarded#advisory;advisory;prioritize=off;lockTimeout=none";

    private Guarded() {}

    /** What is done in one. */
    interface Work {
        /** Does it. */
        void run() throws Exception;
    }

    /** With {@code lock_timeout} and no more. */
    static void timeouts(Work work) throws Exception {
        work.run();
    }

    /** With what a target gets that says nothing: {@code lock_timeout}, and a look at whoever is in the way. */
    static void defaults(Work work) throws Exception {
        work.run();
    }

    /** With an advisory lock around it. */
    static void advisory(Work work) throws Exception {
        work.run();
    }

    static int nothing(int count) {
        return count + 1;
    }

    /** Not guarded. */
    static int plainNothing(int count) {
        return count + 1;
    }

    /** As long as somebody wants it. */
    static void stay(CountDownLatch entered, CountDownLatch end) throws InterruptedException {
        entered.countDown();
        end.await();
    }
}
