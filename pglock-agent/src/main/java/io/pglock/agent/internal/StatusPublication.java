// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import java.lang.management.ManagementFactory;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import javax.management.InstanceAlreadyExistsException;
import javax.management.JMException;
import javax.management.MBeanServer;
import javax.management.MBeanServerFactory;
import javax.management.ObjectName;
import javax.management.StandardMBean;

/**
 * Where the {@link Status} is seen from outside: as an MBean, and in the system property {@code io.pglock.agent.status},
 * which {@code jcmd <pid> VM.system_properties} shows. Thread-safe.
 *
 * <p>The platform's MBean server is not made here before the application makes it: an application server may first have to
 * say which it wants, and where the log goes. So the agent looks now and then, when it has something to do anyway, whether there is one.
 */
final class StatusPublication {

    static final String NAME = "io.pglock:type=Agent";
    static final String PROPERTY = "io.pglock.agent.status";

    private static final String OF_THE_PLATFORM = "java.lang:type=Runtime";
    private static final long PAUSE_NANOS = 1_000_000_000;

    private final Status status;
    private final AgentLog log;
    private final AtomicLong lastNanos = new AtomicLong(System.nanoTime() - PAUSE_NANOS);
    private volatile boolean registered;

    StatusPublication(Status status, AgentLog log) {
        this.status = status;
        this.log = log;
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
            if (!registered) {
                platformServer().ifPresent(this::register);
            }
        } catch (RuntimeException | LinkageError e) {
            log.warnOnce("status", "The agent's status cannot be shown", e);
        }
    }

    /** Somebody asks for it: by now the application has made its MBean server, or is content with the platform's. */
    String asked() {
        try {
            if (!registered) {
                register(ManagementFactory.getPlatformMBeanServer());
            }
        } catch (RuntimeException | LinkageError e) {
            log.warnOnce("status", "The agent's status cannot be shown", e);
        }
        publish();
        return status.status();
    }

    /** The one that has the beans of the JVM, if anybody has asked for it yet. */
    private static Optional<MBeanServer> platformServer() {
        return MBeanServerFactory.findMBeanServer(null).stream()
                .filter(server -> server.isRegistered(name(OF_THE_PLATFORM)))
                .findFirst();
    }

    private synchronized void register(MBeanServer server) {
        if (registered) {
            return;
        }
        try {
            server.registerMBean(new StandardMBean(status, AgentMXBean.class, true), name(NAME));
            registered = true;
        } catch (InstanceAlreadyExistsException e) {
            registered = true; // of another copy of the agent; once is enough
            log.warnOnce("status", "There is a bean " + NAME + " already; the one that is there stays", e);
        } catch (JMException e) {
            registered = true; // and not tried again
            log.warnOnce("status", "The agent's status cannot be shown in JMX", e);
        }
    }

    private static ObjectName name(String text) {
        try {
            return new ObjectName(text);
        } catch (JMException e) {
            throw new IllegalStateException(text, e);
        }
    }
}
