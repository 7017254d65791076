// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Where the {@link Status} is seen from outside: as an MBean, and in the system property {@code io.pglock.agent.status},
 * which {@code jcmd <pid> VM.system_properties} shows. Thread-safe.
 */
final class StatusPublication {

    static final String NAME = "io.pglock:type=Agent";
    static final String PROPERTY = "io.pglock.agent.status";

    /** JMX may not be in an image that was made for one application. */
    private static final boolean JMX =
            ModuleLayer.boot().findModule("java.management").isPresent();

    private static final long PAUSE_NANOS = 1_000_000_000;

    private final Status status;
    private final AgentLog log;
    private final @Nullable StatusBean bean;
    private final AtomicLong lastNanos = new AtomicLong(System.nanoTime() - PAUSE_NANOS);

    StatusPublication(Status status, AgentLog log) {
        this.status = status;
        this.log = log;
        this.bean = JMX ? new StatusBean(status, log) : null;
    }

    /** To be called whenever something has happened: at most once in a second it does anything. */
    void refresh() {
        long now = System.nanoTime();
        long last = lastNanos.get();
        if (now - last >= PAUSE_NANOS && lastNanos.compareAndSet(last, now)) {
            publish();
        }
    }

    /** What {@link #refresh} does, at once. It never throws. */
    void publish() {
        try {
            System.setProperty(PROPERTY, status.summary());
            if (bean != null) {
                bean.appearIfWanted();
            }
        } catch (RuntimeException | LinkageError e) {
            log.warnOnce("status", "The agent's status cannot be shown", e);
        }
    }

    /** Somebody asks for it: by now the application has made its MBean server, or is content with the platform's. */
    String asked() {
        try {
            if (bean != null) {
                bean.appear();
            }
        } catch (RuntimeException | LinkageError e) {
            log.warnOnce("status", "The agent's status cannot be shown", e);
        }
        publish();
        return status.status();
    }
}
