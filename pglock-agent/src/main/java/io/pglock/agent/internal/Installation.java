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

    /** Weaves what is loaded from here on, and what has been loaded before. */
    static void of(AgentSettings settings, AgentLog log, Instrumentation instrumentation) {
        Log.use(log);
        Targets targets = new Targets(settings.targets(), settings.defaults(), log);
        Status status = new Status(version(), settings, targets.progress());
        Trouble trouble = new Trouble(log, status.counters(), settings.onError() == AgentSettings.OnError.FAIL);
        Sites sites = new Sites();
        StatusPublication publication = new StatusPublication(status, log);
        PgLockBridge.install(new Scopes(sites, trouble, log, status, publication));
        Weaver weaver = new Weaver(settings, targets, sites, trouble, status, log);
        instrumentation.addTransformer(weaver, true);
        System.setProperty(ACTIVE, "true");
        new LoadedClasses(instrumentation, weaver, trouble).weave();
        publication.refresh();
        log.debug("the agent is there: " + settings);
    }

    private static String version() {
        String version = AgentLoader.class.getPackage().getImplementationVersion();
        return version == null ? "unknown" : version;
    }
}
