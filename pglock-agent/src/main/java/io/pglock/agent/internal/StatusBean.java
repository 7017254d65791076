// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import java.lang.management.ManagementFactory;
import java.util.Optional;
import javax.management.InstanceAlreadyExistsException;
import javax.management.JMException;
import javax.management.MBeanServer;
import javax.management.MBeanServerFactory;
import javax.management.ObjectName;
import javax.management.StandardMBean;

/**
 * The {@link Status} as an MBean. Thread-safe.
 *
 * <p>The platform's MBean server is not made here before the application makes it: an application server may first have to
 * say which it wants, and where the log goes. So the agent looks now and then, when it has something to do anyway, whether there is one.
 */
final class StatusBean {

    private static final String OF_THE_PLATFORM = "java.lang:type=Runtime";

    private final Status status;
    private final AgentLog log;
    private volatile boolean registered;

    StatusBean(Status status, AgentLog log) {
        this.status = status;
        this.log = log;
    }

    /** If the platform's server is there. */
    void appearIfWanted() {
        if (!registered) {
            platformServer().ifPresent(this::register);
        }
    }

    void appear() {
        if (!registered) {
            register(ManagementFactory.getPlatformMBeanServer());
        }
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
            server.registerMBean(new StandardMBean(status, AgentMXBean.class, true), name(StatusPublication.NAME));
            registered = true;
        } catch (InstanceAlreadyExistsException e) {
            registered = true; // of another copy of the agent; once is enough
            log.warnOnce(
                    "status", "There is a bean " + StatusPublication.NAME + " already; the one that is there stays", e);
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
