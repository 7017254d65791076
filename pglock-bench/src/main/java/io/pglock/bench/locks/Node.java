// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench.locks;

import io.pglock.bench.Server;
import io.pglock.testkit.ForkedJvm;
import java.time.Duration;
import java.util.Arrays;
import java.util.stream.Collectors;

/** Another JVM that locks what this one tells it to: a {@link LockNode}. For one thread. */
final class Node implements AutoCloseable {

    private static final Duration LONGEST = Duration.ofMinutes(3);

    private final ForkedJvm jvm;

    private Node(ForkedJvm jvm) {
        this.jvm = jvm;
    }

    /** Starts it and waits until it is connected. */
    static Node start(Server server, Contenders contender, int workers) {
        var node = new Node(server.running(LockNode.class, contender.name(), Integer.toString(workers))
                .start());
        node.answer();
        return node;
    }

    /** Sends a command; its {@link #answer} can wait. */
    void tell(Object... words) {
        jvm.send(Arrays.stream(words).map(Object::toString).collect(Collectors.joining(" ")));
    }

    /** Waits for what it answers to the next command that has not been answered. */
    String answer() {
        return jvm.awaitLine(LockNode.ANSWER, LONGEST).substring(LockNode.ANSWER.length());
    }

    String ask(Object... words) {
        tell(words);
        return answer();
    }

    /** Ends it, with all it has locked released. */
    @Override
    public void close() {
        try (jvm) {
            if (jvm.isAlive()) {
                tell("end");
                jvm.exitCode();
            }
        }
    }
}
