// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

import java.util.function.Consumer;

/** Makes threads of pglock's own. They have nothing of the first caller's, whose web application may be stopped while they linger. Not API. */
public final class Daemon {

    /** For tests, in which there may be no thread to be had. */
    static volatile Consumer<Thread> starting = Thread::start;

    private Daemon() {}

    /** Not started. */
    public static Thread thread(Runnable work, String name) {
        Thread thread = new Thread(null, work, name, 0, false);
        thread.setDaemon(true);
        thread.setContextClassLoader(Daemon.class.getClassLoader());
        return thread;
    }

    /**
     * Started.
     *
     * @throws OutOfMemoryError also where the system has no further thread for this process
     */
    static Thread start(Runnable work, String name) {
        Thread thread = thread(work, name);
        starting.accept(thread);
        return thread;
    }
}
