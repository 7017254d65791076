// SPDX-License-Identifier: Apache-2.0
package io.pglock.internal;

/** Makes threads of pglock's own. They have nothing of the first caller's, whose web application may be stopped while they linger. Not API. */
public final class Daemon {

    private Daemon() {}

    /** Not started. */
    public static Thread thread(Runnable work, String name) {
        Thread thread = new Thread(null, work, name, 0, false);
        thread.setDaemon(true);
        thread.setContextClassLoader(Daemon.class.getClassLoader());
        return thread;
    }

    /** Started. */
    static Thread start(Runnable work, String name) {
        Thread thread = thread(work, name);
        thread.start();
        return thread;
    }
}
