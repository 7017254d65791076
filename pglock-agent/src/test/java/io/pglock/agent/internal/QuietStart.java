// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import javax.management.MBeanServerFactory;
import javax.management.ObjectName;

/** What an agent does before the application does anything, in a JVM of its own: see {@link QuietStartTest}. */
final class QuietStart {

    static final String STARTED = "--- the agent has started";

    private QuietStart() {}

    public static void main(String[] arguments) throws Exception {
        AgentSettings settings = AgentSettings.of(
                "target=com.acme.Job#run;lokTimeout=1;config=" + arguments[0], Map.of(), Map.of(), Path.of(""));
        AgentLog log = AgentLog.to(settings.log(), settings.logFile());
        settings.mistakes().forEach(log::error);
        log.log(System.Logger.Level.INFO, "{0} targets", settings.targets().size());
        Targets targets = new Targets(settings.targets(), settings.defaults(), log);
        targets.loaded("com.acme.Job", List.of(), Optional.empty());
        Status status = new Status("1.0", settings, targets.progress());
        StatusPublication publication = new StatusPublication(status, log);
        ScopeEvent.beginning()
                .ended("com.acme.Job#run()", settings.targets().get(0).spec(), 0, "returned", Duration.ZERO);
        publication.publish();
        System.out.println(STARTED);
        System.out.println(
                "servers: " + MBeanServerFactory.findMBeanServer(null).size());

        ObjectName name = new ObjectName(StatusPublication.NAME);
        System.out.println(
                "before: " + ManagementFactory.getPlatformMBeanServer().isRegistered(name));
        publication.publish();
        System.out.println(
                "after: " + ManagementFactory.getPlatformMBeanServer().isRegistered(name));
    }
}
