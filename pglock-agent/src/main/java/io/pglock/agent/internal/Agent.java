// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import io.pglock.agent.AgentLoader;
import java.lang.instrument.Instrumentation;
import java.lang.invoke.MethodHandles;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/** Starts the agent. It names nothing that needs the bridge before that is there. */
public final class Agent {

    private static final String BRIDGE = "io.pglock.agent.bridge.PgLockBridge";

    private Agent() {}

    /**
     * Reads the settings, and weaves what they name from here on, and what has been loaded before.
     *
     * @throws IllegalStateException only with {@code onError=fail}
     */
    public static void start(String arguments, Instrumentation instrumentation) {
        if (JdkTool.isUnasked()) {
            return;
        }
        if (arguments.equals("status")) {
            System.err.println("pglock: there is no agent in this JVM");
            return;
        }
        AgentSettings settings = AgentSettings.ofThisProcess(arguments);
        AgentLog log = AgentLog.to(settings.log(), settings.logFile());
        settings.mistakes().forEach(log::error);
        if (settings.onError() == AgentSettings.OnError.FAIL
                && !settings.mistakes().isEmpty()) {
            throw new IllegalStateException(
                    "pglock: not started, because onError=fail: " + String.join("; ", settings.mistakes()));
        }
        if (!settings.enabled()) {
            return;
        }
        defineBridge(instrumentation);
        Installation.of(settings, log, instrumentation);
    }

    /** In java.lang, where every class loader looks first. */
    private static void defineBridge(Instrumentation instrumentation) {
        AgentLoader loader = (AgentLoader) Objects.requireNonNull(Agent.class.getClassLoader());
        instrumentation.redefineModule(
                Object.class.getModule(),
                Set.of(),
                Map.of(),
                Map.of("java.lang", Set.of(loader.getUnnamedModule())),
                Set.of(),
                Map.of());
        try {
            MethodHandles.Lookup lookup = MethodHandles.privateLookupIn(Object.class, MethodHandles.lookup());
            for (String name : new String[] {BRIDGE + "$Call", BRIDGE + "$Hooks", BRIDGE}) {
                lookup.defineClass(loader.classFile(name));
            }
        } catch (ReflectiveOperationException e) {
            throw new IllegalArgumentException("this JVM does not let a class into java.lang: " + e, e);
        }
    }
}
