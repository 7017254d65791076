// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import io.pglock.agent.bridge.PgLockBridge;
import io.pglock.internal.Log;
import java.lang.instrument.Instrumentation;

/** Puts the parts of the agent together. */
final class Installation {

    /** Whoever else applies the annotations stands down. */
    private static final String ACTIVE = "io.pglock.agent.active";

    private Installation() {}

    /** Weaves what is loaded from here on, and what has been loaded before. */
    static void of(AgentSettings settings, Trouble trouble, AgentLog log, Instrumentation instrumentation) {
        Log.use(log);
        Sites sites = new Sites();
        PgLockBridge.install(new Scopes(sites, trouble, log));
        Targets targets = new Targets(settings.targets(), settings.defaults(), log);
        Weaver weaver = new Weaver(settings, targets, sites, trouble, log);
        instrumentation.addTransformer(weaver, true);
        System.setProperty(ACTIVE, "true");
        new LoadedClasses(instrumentation, weaver, trouble).weave();
        log.debug("the agent is there: " + settings);
    }
}
