// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import static org.assertj.core.api.Assertions.assertThat;

import io.pglock.LockPolicy;
import io.pglock.agent.internal.AgentLog.Threshold;
import io.pglock.agent.internal.Counters.Kind;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.lang.reflect.Constructor;
import java.lang.reflect.Method;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import javax.management.MBeanServer;
import javax.management.ObjectName;
import javax.management.openmbean.TabularData;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class StatusTest {

    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private final AgentLog log = new AgentLog(Threshold.INFO, new PrintStream(bytes, true, StandardCharsets.UTF_8));
    private final AgentSettings settings = AgentSettings.of(
            "log=error;monitorUrl=jdbc:postgresql://db/shop?password=hush;monitorUser=me;monitorPassword=hush;lokTimeout=1;"
                    + "target=com.acme.Job#run;advisory;target=com.acme.Never#run",
            Map.of(),
            Map.of(),
            Path.of(""));
    private final Targets targets = new Targets(settings.targets(), settings.defaults(), log);
    private final Status status = new Status("1.2.3", settings, targets.progress());

    @AfterEach
    void forget() throws Exception {
        System.clearProperty(StatusPublication.PROPERTY);
        MBeanServer server = ManagementFactory.getPlatformMBeanServer();
        ObjectName name = new ObjectName(StatusPublication.NAME);
        if (server.isRegistered(name)) {
            server.unregisterMBean(name);
        }
    }

    private void happen() {
        Target target = settings.targets().get(0);
        status.woven("com.acme.Job#run()", target.spec(), Optional.of(target));
        status.refused("com.acme.Job#run(int)", "returns int, and has no skipValue", Optional.of(target));
        status.driver("42.7.14 in app", Optional.empty());
        status.driver("8.0 in war", Optional.of("QueryExecutorImpl has another shape"));
        status.pooler("jdbc:postgresql://me:hush@pool/shop?password=hush", "prioritize is off");
        Counters job = status.counters("com.acme.Job#run()");
        job.add(Kind.BEGUN);
        job.add(Kind.BEGUN);
        job.add(Kind.ENDED);
        job.waited(Duration.ofMillis(1500));
        job.add(Kind.NOT_ACQUIRED);
        job.add(Kind.SKIPPED);
        status.counters("com.acme.Other#run()").add(Kind.BEGUN);
        status.counters().add(Kind.SIGNALLED);
    }

    @Test
    void countsPerMethodAndInAll() {
        happen();

        Counters job = status.counters("com.acme.Job#run()");
        assertThat(job.count(Kind.BEGUN)).isEqualTo(2);
        assertThat(job.open()).isEqualTo(1);
        assertThat(job.waited()).isEqualTo(Duration.ofMillis(1500));
        assertThat(job.count(Kind.SIGNALLED)).isZero();
        assertThat(status.getScopes()).isEqualTo(3);
        assertThat(status.getScopesOpen()).isEqualTo(2);
        assertThat(status.getWaits()).isEqualTo(1);
        assertThat(status.getWaitedMillis()).isEqualTo(1500);
        assertThat(status.getNotAcquired()).isEqualTo(1);
        assertThat(status.getSkipped()).isEqualTo(1);
        assertThat(status.getSignals()).isEqualTo(1);
        assertThat(status.getRaised() + status.getRetried() + status.getFailures())
                .isZero();
    }

    @Test
    void knowsTheLastFailureAtAMethod() {
        Counters job = status.counters("com.acme.Job#run()");

        job.failed(new IllegalStateException("first"));
        job.failed(new IllegalStateException("second"));
        status.counters("com.acme.Other#run()").failed(new IllegalStateException("third"));

        assertThat(job.count(Kind.FAILED)).isEqualTo(2);
        assertThat(job.lastFailure()).isEqualTo("java.lang.IllegalStateException: second");
        assertThat(status.getFailures()).isEqualTo(3);
        assertThat(status.counters().lastFailure()).endsWith("third");
    }

    @Test
    void saysItAllAsText() {
        happen();

        assertThat(status.status().lines())
                .contains(
                        "pglock agent 1.2.3",
                        "target com.acme.Job#run: guards com.acme.Job#run()",
                        "target com.acme.Never#run: guards nothing: com.acme.Never has not been loaded",
                        "refused com.acme.Job#run(int): returns int, and has no skipValue",
                        "driver 42.7.14 in app: supported",
                        "driver 8.0 in war: not supported: QueryExecutorImpl has another shape",
                        "in all: 3 scopes (2 open), 1 waits (1500ms in all), 1 not acquired, 1 skipped, 1 signals")
                .anyMatch(line -> line.startsWith("mistake: there is no setting lokTimeout."))
                .anyMatch(line -> line.startsWith("settings (the agent's arguments): enabled=true log=error")
                        && line.contains("monitorUser=me"))
                .anyMatch(line -> line.startsWith("method com.acme.Job#run(): ")
                        && line.contains("advisory=true: 2 scopes (1 open), 1 waits"))
                .noneMatch(line -> line.contains("hush"));
    }

    @Test
    void isSeenInJmxAndInTheSystemProperties() throws Exception {
        MBeanServer server = ManagementFactory.getPlatformMBeanServer();
        happen();

        new StatusPublication(status, log).refresh();

        ObjectName name = new ObjectName(StatusPublication.NAME);
        assertThat(server.getAttribute(name, "Version")).isEqualTo("1.2.3");
        assertThat(server.getAttribute(name, "ScopesOpen")).isEqualTo(2L);
        assertThat(((TabularData) server.getAttribute(name, "Targets")).size()).isEqualTo(2);
        assertThat(server.invoke(name, "status", null, null)).isEqualTo(status.status());
        assertThat(System.getProperty(StatusPublication.PROPERTY))
                .startsWith(
                        "1.2.3, 1 methods guarded, 1 refused, 1 targets that guard nothing, 1 mistakes; 3 scopes (2 open)")
                .contains("; as of 2");
        assertThat(bytes.toString(StandardCharsets.UTF_8)).isEmpty();
    }

    @Test
    void refreshesAtMostOnceInASecond() {
        StatusPublication publication = new StatusPublication(status, log);
        publication.refresh();
        System.clearProperty(StatusPublication.PROPERTY);

        long began = System.nanoTime();
        publication.refresh();
        if (System.nanoTime() - began < 500_000_000) {
            assertThat(System.getProperty(StatusPublication.PROPERTY)).isNull();
        }

        assertThat(publication.asked()).isEqualTo(status.status());
        assertThat(System.getProperty(StatusPublication.PROPERTY)).isNotNull();
    }

    @Test
    void aBeanThatIsThereAlreadyStays() throws Exception {
        Status other = new Status("0.9", settings, targets.progress());
        new StatusPublication(other, log).asked();

        new StatusPublication(status, log).asked();

        assertThat(ManagementFactory.getPlatformMBeanServer()
                        .getAttribute(new ObjectName(StatusPublication.NAME), "Version"))
                .isEqualTo("0.9");
        assertThat(bytes.toString(StandardCharsets.UTF_8)).contains("There is a bean io.pglock:type=Agent already");
    }

    @Test
    void worksFromAClassLoaderOfItsOwn() throws Exception {
        URL[] urls = {
            Status.class.getProtectionDomain().getCodeSource().getLocation(),
            LockPolicy.class.getProtectionDomain().getCodeSource().getLocation()
        };
        try (URLClassLoader loader = new URLClassLoader(urls, ClassLoader.getPlatformClassLoader())) {
            Object theirSettings = call(loader, "AgentSettings", null, "ofThisProcess", "target=com.acme.Job#run");
            Object threshold = call(loader, "AgentLog$Threshold", null, "valueOf", "OFF");
            Object theirLog = make(loader, "AgentLog", threshold, new PrintStream(bytes));
            Object theirTargets = make(
                    loader, "Targets", call(loader, "AgentSettings", theirSettings, "targets"), Map.of(), theirLog);
            Object progress = call(loader, "Targets", theirTargets, "progress");
            Object theirStatus = make(loader, "Status", "4.5.6", theirSettings, progress);
            call(loader, "StatusPublication", make(loader, "StatusPublication", theirStatus, theirLog), "asked");
        }

        MBeanServer server = ManagementFactory.getPlatformMBeanServer();
        ObjectName name = new ObjectName(StatusPublication.NAME);
        assertThat(server.getClassLoaderFor(name)).isNotEqualTo(StatusTest.class.getClassLoader());
        assertThat(server.getAttribute(name, "Version")).isEqualTo("4.5.6");
        assertThat(((TabularData) server.getAttribute(name, "Targets")).size()).isEqualTo(1);
    }

    private static Object make(ClassLoader loader, String type, Object... values) throws Exception {
        Constructor<?> constructor =
                Class.forName("io.pglock.agent.internal." + type, true, loader).getDeclaredConstructors()[0];
        constructor.setAccessible(true);
        return constructor.newInstance(values);
    }

    private static Object call(ClassLoader loader, String type, Object on, String method, Object... values)
            throws Exception {
        for (Method candidate :
                Class.forName("io.pglock.agent.internal." + type, true, loader).getDeclaredMethods()) {
            if (candidate.getName().equals(method) && candidate.getParameterCount() == values.length) {
                candidate.setAccessible(true);
                return candidate.invoke(on, values);
            }
        }
        throw new AssertionError(type + " has no method " + method);
    }
}
