// SPDX-License-Identifier: Apache-2.0
package io.pglock.bench.agent;

import java.util.concurrent.CountDownLatch;

/** Another thread, that is in a guarded method and does nothing there: from then on the agent looks at every statement. */
final class Bystander implements AutoCloseable {

    private final CountDownLatch end = new CountDownLatch(1);
    private final Thread thread;

    /** Returns when it is in. */
    Bystander() {
        var entered = new CountDownLatch(1);
        thread = new Thread(
                () -> {
                    try {
                        Guarded.stay(entered, end);
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                },
                "bystander");
        thread.setDaemon(true);
        thread.start();
        uninterrupted(entered::await);
    }

    private interface Waiting {
        void run() throws InterruptedException;
    }

    private static void uninterrupted(Waiting waiting) {
        try {
            waiting.run();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }

    /** Whether the agent is there and guards somebody; false without it. */
    static boolean isArmed() {
        try {
            return Class.forName("java.lang.PgLockBridge").getField("armed").getInt(null) != 0;
        } catch (ReflectiveOperationException e) {
            return false;
        }
    }

    @Override
    public void close() {
        end.countDown();
        uninterrupted(thread::join);
    }
}
