// SPDX-License-Identifier: Apache-2.0
package io.pglock.agent.internal;

import io.pglock.agent.AgentLoader;
import java.lang.instrument.Instrumentation;
import java.lang.invoke.MethodHandles;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Starts the agent. It names nothing that needs the bridge before that is there. */
public final class Agent {

    private static final String BRIDGE = "io.pglock.agent.bridge.PgLockBridge";

    private Agent() {}

    /**
     * Reads the settings, and weaves what they name from here on, and what has been loaded before. What the settings let the
     * application survive is said here, where they are known.
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
        boolean fails = settings.onError() == AgentSettings.OnError.FAIL;
        if (fails && !settings.mistakes().isEmpty()) {
            throw notStarted(String.join("; ", settings.mistakes()), null);
        }
        if (!settings.enabled()) {
            return;
        }
        try {
            List<String> missing = fails ? NamedMethods.missing(settings, instrumentation) : List.of();
            if (!missing.isEmpty()) {
                throw new IllegalStateException(String.join("; ", missing));
            }
            defineBridge(instrumentation);
            Installation.of(arguments, settings, log, instrumentation);
        } catch (RuntimeException | LinkageError e) {
            if (fails) {
                throw notStarted(e instanceof IllegalStateException ? String.valueOf(e.getMessage()) : e.toString(), e);
            }
            System.err.println("pglock: the agent cannot start, and protects nothing: " + e);
        }
    }

    private static IllegalStateException notStarted(String why, @Nullable Throwable cause) {
        return new IllegalStateException("pglock: not started, because onError=fail: " + why, cause);
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
