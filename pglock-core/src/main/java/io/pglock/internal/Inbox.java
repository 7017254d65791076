// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Consumer;

/**
 * What callers want of the client's thread. Each fails for itself: with that thread all others would lose their locks.
 * Thread-safe. Not API.
 */
final class Inbox {

    private final Queue<Task> tasks = new ConcurrentLinkedQueue<>();

    /** @param failed tells whoever waits for it */
    private record Task(Runnable work, Consumer<Throwable> failed) {}

    /** @param failed tells whoever waits for it that it cannot be done */
    void add(Runnable work, Consumer<Throwable> failed) {
        tasks.add(new Task(work, failed));
    }

    boolean isEmpty() {
        return tasks.isEmpty();
    }

    /** Does all of it, in the order in which it came. */
    void drain() {
        for (Task next = tasks.poll(); next != null; next = tasks.poll()) {
            try {
                next.work().run();
            } catch (RuntimeException | Error e) {
                next.failed().accept(e);
            }
        }
    }
}
