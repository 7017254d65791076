// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

/** As where the limit of a container is reached, until it is closed: there is no further thread for pglock. */
public final class NoThreads implements AutoCloseable {

    private NoThreads() {}

    /** For those whose names begin so. */
    public static NoThreads named(String beginning) {
        Daemon.starting = thread -> {
            if (thread.getName().startsWith(beginning)) {
                throw new OutOfMemoryError("unable to create native thread");
            }
            thread.start();
        };
        return new NoThreads();
    }

    @Override
    public void close() {
        Daemon.starting = Thread::start;
    }
}
