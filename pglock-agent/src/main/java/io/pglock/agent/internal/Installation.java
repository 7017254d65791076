// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import io.pglock.agent.AgentLoader;
import io.pglock.agent.bridge.PgLockBridge;
import io.pglock.internal.Log;
import java.lang.instrument.Instrumentation;

/** Puts the parts of the agent together. */
final class Installation {

    /** Whoever else applies the annotations stands down. */
    private static final String ACTIVE = "io.pglock.agent.active";

    private Installation() {}

    /**
     * Weaves what is loaded from here on, and what has been loaded before. Until all of that is woven nothing is in force: a method
     * that began before the start has failed would never end, and whoever else applies the annotations would not stand down yet.
     *
     * @param arguments that it has come with
     * @throws IllegalStateException only with {@code onError=fail}, when a class cannot be woven; then nothing is in force
     */
    static void of(String arguments, AgentSettings settings, AgentLog log, Instrumentation instrumentation) {
        Log.use(log);
        Targets targets = new Targets(settings.targets(), settings.defaults(), log);
        Status status = new Status(version(), settings, targets.progress());
        Trouble trouble = new Trouble(log, status.counters(), settings.onError() == AgentSettings.OnError.FAIL);
        Sites sites = new Sites();
        StatusPublication publication = new StatusPublication(status, log);
        Scopes scopes = new Scopes(arguments, sites, trouble, log, status, publication, settings.spring());
        Weaver weaver = new Weaver(settings, targets, sites, trouble, status, log);
        instrumentation.addTransformer(weaver, true);
        boolean started = false;
        try {
            boolean late = new LoadedClasses(instrumentation, weaver, trouble).weave();
            trouble.broken().ifPresent(why -> {
                throw new IllegalStateException(why);
            });
            if (late) {
                sites.all().forEach(site -> warnOfOpenConnections(site, log));
            }
            started = true;
        } finally {
            if (!started) {
                instrumentation.removeTransformer(weaver);
            }
        }
        System.setProperty(ACTIVE, "true"); // first, or a method could be under both, and wait for itself
        PgLockBridge.install(scopes);
        publication.refresh();
        log.debug("the agent is there: " + settings);
    }

    /** How they were opened nobody has seen. */
    private static void warnOfOpenConnections(Site site, AgentLog log) {
        if (site.spec().locksBefore() && !site.spec().settings().containsKey("monitorUrl")) {
            log.warn(site.name()
                    + ": its advisory lock cannot be taken while the application has only connections that were"
                    + " opened before the agent came, and until then it throws; set monitorUrl");
        }
    }

    private static String version() {
        String version = AgentLoader.class.getPackage().getImplementationVersion();
        return version == null ? "unknown" : version;
    }
}
