// SPDX-License-Identifier: Apache-2.0
package io.pglock.testkit;

import java.time.Duration;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * How good the network is that a {@link TcpProxy} stands for: cut or not, fast or slow.
 *
 * <p>This class is thread-safe.
 */
final class Network {
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition resumed = lock.newCondition();
    private boolean cut;
    private volatile long delayNanos;

    Network() {}

    void cut() {
        lock.lock();
        try {
            cut = true;
        } finally {
            lock.unlock();
        }
    }

    void resume() {
        lock.lock();
        try {
            cut = false;
            resumed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    void awaitResumed() {
        lock.lock();
        try {
            while (cut) {
                resumed.awaitUninterruptibly();
            }
        } finally {
            lock.unlock();
        }
    }

    void delay(Duration oneWay) {
        if (oneWay.isNegative()) {
            throw new IllegalArgumentException("a network does not deliver before it is asked to: " + oneWay);
        }
        delayNanos = oneWay.toNanos();
    }

    /** How much later what is sent now arrives; 0 = at once. */
    long delayNanos() {
        return delayNanos;
    }
}
